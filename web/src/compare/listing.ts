// The lines of a comparison: both texts in one column, with what is far from any cost folded.
import type { Diff, DiffRow } from '../types.ts';

export interface ComparedLine {
  a: number | null; // line numbers; null: not on that side
  b: number | null;
  row: DiffRow | null; // its costs, if it has any
}

/** So many lines without cost. */
export interface Fold {
  folded: number;
}

const CONTEXT = 4;

/** Every line of both sides, in the order of b, with a's own lines where they stood. */
export function compareLines(diff: Diff, aLines: number, bLines: number): ComparedLine[] {
  const lines: ComparedLine[] = [];
  const isText = diff.file?.alignment === 'text';
  const runs: [number, number, number][] = isText ? diff.file!.runs : [[1, 1, Math.max(aLines, bLines)]];
  let [a, b] = [1, 1];
  const alone = (aEnd: number, bEnd: number) => {
    for (; a < aEnd; a++) lines.push({ a, b: null, row: null });
    for (; b < bEnd; b++) lines.push({ a: null, b, row: null });
  };
  for (const [aStart, bStart, count] of runs) {
    alone(aStart, bStart);
    for (let i = 0; i < count; i++) lines.push({ a: a++, b: b++, row: null });
  }
  if (isText) alone(aLines + 1, bLines + 1);
  const byB = new Map<number, ComparedLine>();
  const byA = new Map<number, ComparedLine>();
  for (const line of lines) {
    if (line.b !== null) byB.set(line.b, line);
    if (line.a !== null) byA.set(line.a, line);
  }
  for (const row of diff.rows) {
    const line = (row.b.line !== null && byB.get(row.b.line)) || (row.a.line !== null && byA.get(row.a.line));
    if (line) line.row = row;
  }
  return lines;
}

/** Lines that cost, that differ, and a few around them; the rest folded. */
export function foldLines(lines: ComparedLine[]): (ComparedLine | Fold)[] {
  const isShown = new Uint8Array(lines.length);
  lines.forEach((line, i) => {
    if (line.row || line.a === null || line.b === null) isShown.fill(1, Math.max(0, i - CONTEXT), i + CONTEXT + 1);
  });
  const folded: (ComparedLine | Fold)[] = [];
  let hidden = 0;
  const flush = () => {
    if (hidden) folded.push({ folded: hidden });
    hidden = 0;
  };
  lines.forEach((line, i) => {
    if (!isShown[i]) {
      hidden++;
      return;
    }
    flush();
    folded.push(line);
  });
  flush();
  return folded;
}
