// The lines of a comparison: both texts in one column, with what is far from any cost folded.
import type { Diff, DiffRow } from '../types.ts';

export interface ComparedLine {
  a: number | null; // line numbers; null: not on that side, or not known
  b: number | null;
  only: 'a' | 'b' | null; // on that side only, as far as the texts show
  row: DiffRow | null; // its costs, if it has any
}

/** So many lines without cost. */
export interface Fold {
  folded: number;
}

const CONTEXT = 4;

/** Every line of both texts, in the order of b, with a's own lines where they stood. */
function alignedLines(runs: readonly (readonly [a: number, b: number, count: number])[], aLines: number, bLines: number): ComparedLine[] {
  const lines: ComparedLine[] = [];
  let [a, b] = [1, 1];
  const alone = (aEnd: number, bEnd: number) => {
    for (; a < aEnd; a++) lines.push({ a, b: null, only: 'a', row: null });
    for (; b < bEnd; b++) lines.push({ a: null, b, only: 'b', row: null });
  };
  for (const [aStart, bStart, count] of runs) {
    alone(aStart, bStart);
    for (let i = 0; i < count; i++) lines.push({ a: a++, b: b++, only: null, row: null });
  }
  alone(aLines + 1, bLines + 1);
  return lines;
}

/** Without a's text only b's lines are known; those of a that have a cost are numbered by it. */
function linesOfB(bLines: number): ComparedLine[] {
  return Array.from({ length: bLines }, (_, i) => ({ a: null, b: i + 1, only: null, row: null }));
}

export function compareLines(diff: Diff, aLines: number, bLines: number): ComparedLine[] {
  const alignment = diff.file?.alignment;
  const all = Math.max(aLines, bLines);
  const lines = alignment === 'text' ? alignedLines(diff.file!.runs, aLines, bLines)
    : alignment === 'same' ? alignedLines([[1, 1, all]], all, all) : linesOfB(bLines);
  const byB = new Map<number, ComparedLine>();
  const byA = new Map<number, ComparedLine>();
  for (const line of lines) {
    if (line.b !== null) byB.set(line.b, line);
    if (line.a !== null) byA.set(line.a, line);
  }
  for (const row of diff.rows) {
    let line = (row.b.line !== null && byB.get(row.b.line)) || (row.a.line !== null && byA.get(row.a.line));
    if (!line) {
      line = { a: row.a.line, b: row.b.line, only: row.a.line === null ? 'b' : row.b.line === null ? 'a' : null, row };
      lines.push(line);
    }
    line.row = row;
    line.a ??= row.a.line;
  }
  return lines;
}

/** Lines that cost, that differ, and a few around them; the rest folded. */
export function foldLines(lines: ComparedLine[]): (ComparedLine | Fold)[] {
  const isShown = new Uint8Array(lines.length);
  lines.forEach((line, i) => {
    if (line.row || line.only) isShown.fill(1, Math.max(0, i - CONTEXT), i + CONTEXT + 1);
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
