// Lines that are folded away, and which row shows which line.

export interface Fold {
  /** First and last line that is not shown. */
  first: number;
  last: number;
  /** Samples of these lines themselves. */
  hits: number;
}

interface Extended {
  line: number;
  end_line: number;
  total: { time_ns: number };
}

const LEAST = 4; // fewer lines are not worth folding
const BEFORE = 2; // lines above a function: its type, a word on what it does
const COLD = 0.01; // of the dearest function's time: what is cheaper is folded, too

/** The lines outside of functions that cost something, but those that were opened. */
export function coldFolds(functions: readonly Extended[], lines: number, open: ReadonlySet<number>, rows: Iterable<{ line: number; self_hits: number }>): Fold[] {
  const dearest = functions.reduce((most, one) => Math.max(most, one.total.time_ns), 0);
  const warm = functions.filter((one) => one.total.time_ns >= COLD * dearest && one.total.time_ns > 0).sort((a, b) => a.line - b.line);
  const opened = [...open].sort((a, b) => a - b);
  const folds: Fold[] = [];
  let next = 1; // the first line that nothing was said of
  for (const { line, end_line } of [...warm, { line: lines + 1 + BEFORE, end_line: 0 }]) {
    const fold = { first: next, last: Math.min(lines, line - 1 - BEFORE), hits: 0 };
    const isOpen = (opened[lowerBound(opened, fold.first)] ?? Infinity) <= fold.last;
    if (fold.last - fold.first + 1 >= LEAST && !isOpen) folds.push(fold);
    next = Math.max(next, end_line + 1);
  }
  const firsts = folds.map((fold) => fold.first);
  for (const row of rows) {
    const fold = folds[lowerBound(firsts, row.line + 1) - 1];
    if (fold && row.line <= fold.last) fold.hits += row.self_hits;
  }
  return folds;
}

/** Place of the first number that is not below `value`. */
export function lowerBound(numbers: { readonly [i: number]: number; readonly length: number }, value: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * Rows and lines: row 0 is line 1, a fold is one row, and behind the text's lines there are those with
 * cost that it does not have (all of them, when there is no text).
 */
export class Rows {
  readonly count: number;
  readonly #folds: readonly Fold[];
  /** Row of each fold, and the first line that each hides. */
  readonly #rows: Uint32Array;
  readonly #firsts: Uint32Array;
  /** Rows of the text. */
  readonly #own: number;

  constructor(readonly lines: number, folds: readonly Fold[] = [], private readonly beyond: readonly number[] = []) {
    this.#folds = folds.filter((fold) => fold.first <= lines).map((fold) => (fold.last > lines ? { ...fold, last: lines } : fold));
    this.#firsts = Uint32Array.from(this.#folds, (fold) => fold.first);
    this.#rows = new Uint32Array(this.#folds.length);
    let hidden = 0;
    this.#folds.forEach((fold, i) => {
      this.#rows[i] = fold.first - 1 - hidden;
      hidden += fold.last - fold.first;
    });
    this.#own = lines - hidden;
    this.count = this.#own + beyond.length;
  }

  /** The line of a row; of a fold's row, the first that it hides; 0: there is no such row. */
  lineAt(row: number): number {
    if (row >= this.#own) return this.beyond[row - this.#own] ?? 0;
    const i = lowerBound(this.#rows, row + 1) - 1;
    if (i < 0) return row + 1;
    const at = this.#rows[i]!;
    return row === at ? this.#folds[i]!.first : this.#folds[i]!.last + (row - at);
  }

  /** The row that shows a line, or the fold that hides it, or the nearest one. */
  rowOf(line: number): number {
    if (line > this.lines) return Math.max(0, Math.min(this.#own + lowerBound(this.beyond, line), this.count - 1));
    const i = lowerBound(this.#firsts, line + 1) - 1;
    if (i < 0) return line - 1;
    return line <= this.#folds[i]!.last ? this.#rows[i]! : this.#rows[i]! + line - this.#folds[i]!.last;
  }

  /** Whether a row shows this very line. */
  has(line: number): boolean {
    return line >= 1 && (line <= this.lines || this.beyond[lowerBound(this.beyond, line)] === line);
  }

  /** The fold that a row is. */
  foldAt(row: number): Fold | null {
    if (row >= this.#own) return null;
    const i = lowerBound(this.#rows, row + 1) - 1;
    return i >= 0 && this.#rows[i] === row ? this.#folds[i]! : null;
  }

  /** The fold that hides a line. */
  foldOf(line: number): Fold | null {
    const i = lowerBound(this.#firsts, line + 1) - 1;
    return i >= 0 && line <= this.#folds[i]!.last ? this.#folds[i]! : null;
  }
}
