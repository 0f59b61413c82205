// Lines as the URL has them: line=20 or, selected, line=20-40.

export function parsePlace(text: string | undefined): { cursor: number; anchor: number } | null {
  const match = /^([1-9]\d{0,9})(?:-([1-9]\d{0,9}))?$/.exec(text ?? '');
  if (!match) return null;
  const anchor = Number(match[1]);
  return { anchor, cursor: match[2] ? Number(match[2]) : anchor };
}

export function formatPlace(cursor: number, anchor: number): string {
  return cursor === anchor ? String(cursor) : `${Math.min(cursor, anchor)}-${Math.max(cursor, anchor)}`;
}

/** Lines whose function was unfolded: open=12,90. */
export function parseOpen(text: string | undefined): Set<number> {
  return new Set((text ?? '').split(',').map(Number).filter((line) => Number.isSafeInteger(line) && line > 0));
}
