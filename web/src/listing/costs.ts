// What the lines of a file cost, live: rows by line, and shares of the program, the file or a function.
import type { Sort, Total } from '../types.ts';

/** A row of files/{file}/lines, of which only counts are used: shares change with every sample. */
export interface CostRow {
  line: number;
  function: string;
  self_hits: number;
  total_hits: number;
  self_time_ns: number;
  total_time_ns: number;
  inlined_into?: number;
}

/** A row of files/{file}/functions, as far as it is used. */
export interface FunctionCost {
  function: string;
  line: number | null;
  first_line: number;
  last_line: number;
  end_line: number | null;
  self_hits: number;
  total_hits: number;
  self_time_ns: number;
  total_time_ns: number;
}

/** A function with cost, and the lines that it is known to take. */
export interface Extent {
  name: string;
  line: number;
  end_line: number;
  self: Total;
  total: Total;
}

export function extentOf(row: FunctionCost): Extent {
  return {
    name: row.function,
    line: row.line ?? row.first_line,
    end_line: Math.max(row.end_line ?? 0, row.last_line),
    self: { hits: row.self_hits, time_ns: row.self_time_ns },
    total: { hits: row.total_hits, time_ns: row.total_time_ns },
  };
}

export type Share = 'program' | 'file' | 'function';

const Z = 1.959963984540054; // 97.5th percentile of the normal distribution
const HOT_MAX = 50;
const HOT_LEAST = 0.01; // of the hottest line

/** The 95 % score interval of a share seen in so many samples (Wilson 1927), 0 to 1. */
export function wilson(share: number, samples: number): [low: number, high: number] {
  if (samples <= 0) return [0, 1];
  const p = Math.min(1, Math.max(0, share));
  const z2n = (Z * Z) / samples;
  const middle = (p + z2n / 2) / (1 + z2n);
  const half = Math.sqrt((p * (1 - p) + z2n / 4) * z2n) / (1 + z2n);
  return [Math.min(p, Math.max(0, middle - half)), Math.max(p, Math.min(1, middle + half))];
}

/** So many samples a share is known from: few that stand for much time tell no more than few. */
export function samplesBehind(hits: number, share: number, all: number): number {
  return share > 0 ? Math.min(all, Math.round(hits / share)) : all;
}

/** The innermost function that holds a line. */
export function functionAt<Row extends { line: number; end_line: number }>(functions: readonly Row[], line: number): Row | null {
  let best: Row | null = null;
  for (const one of functions)
    if (one.line <= line && line <= one.end_line && (!best || one.line > best.line || (one.line === best.line && one.end_line < best.end_line))) best = one;
  return best;
}

export class Costs {
  readonly rows = new Map<number, CostRow>();
  total: Total = { hits: 0, time_ns: 0 };
  /** The file's own: self is the sum of its lines, total is known to the daemon only. */
  file: { self: Total; total: Total | null } = { self: { hits: 0, time_ns: 0 }, total: null };
  functions: Extent[] = [];
  /** Of the program when the functions were counted: rows are newer. */
  counted: Total = { hits: 0, time_ns: 0 };
  /** Time of the dearest line. */
  dearest_ns: Record<Sort, number> = { self: 0, total: 0 };
  #hot: Record<Sort, CostRow[] | null> = { self: null, total: null };

  /** Rows that are new; all zero: the row is gone. */
  take(lines: readonly CostRow[], total: Total, reset: boolean): void {
    if (reset) this.rows.clear();
    for (const row of lines) {
      if (row.total_hits || row.self_hits || row.total_time_ns) this.rows.set(row.line, row);
      else this.rows.delete(row.line);
    }
    this.total = total;
    const self = { hits: 0, time_ns: 0 };
    const dearest_ns = { self: 0, total: 0 };
    for (const row of this.rows.values()) {
      self.hits += row.self_hits;
      self.time_ns += row.self_time_ns;
      if (row.self_time_ns > dearest_ns.self) dearest_ns.self = row.self_time_ns;
      if (row.total_time_ns > dearest_ns.total) dearest_ns.total = row.total_time_ns;
    }
    this.file.self = self;
    this.dearest_ns = dearest_ns;
    this.#hot = { self: null, total: null };
  }

  /** Rows with cost, dearest first. */
  ranked(by: Sort): readonly CostRow[] {
    this.#hot[by] ??= [...this.rows.values()].filter((row) => row[`${by}_hits`] > 0)
      .sort((a, b) => b[`${by}_time_ns`] - a[`${by}_time_ns`] || a.line - b.line);
    return this.#hot[by]!;
  }

  /** Lines worth a visit, dearest first: as many as one looks at, none that is a hundredth of the dearest. */
  hot(by: Sort): number[] {
    const ranked = this.ranked(by);
    const least = (ranked[0]?.[`${by}_time_ns`] ?? 0) * HOT_LEAST;
    return ranked.slice(0, HOT_MAX).filter((row) => row[`${by}_time_ns`] >= least).map((row) => row.line);
  }

  /** The function of a line: the one that holds it, else the dearest that costs there. */
  functionOf(line: number): Extent | null {
    const name = this.rows.get(line)?.function;
    return functionAt(this.functions, line) ?? this.functions.find((one) => one.name === name) ?? null;
  }

  /** What a line's share is a share of; null: not known. */
  whole(line: number, by: Sort, share: Share): Total | null {
    if (share === 'program') return this.total;
    if (share === 'file') return this.file[by];
    const one = this.functionOf(line)?.[by];
    if (!one || !this.counted.time_ns || !this.counted.hits) return null;
    // As much of the program as it was when it was counted.
    return { hits: (one.hits * this.total.hits) / this.counted.hits, time_ns: (one.time_ns * this.total.time_ns) / this.counted.time_ns };
  }

  /** 0 to 100 and its interval; null where the whole is not known or nothing. */
  percent(row: CostRow, by: Sort, share: Share): { percent: number; percent_low: number; percent_high: number } | null {
    const whole = this.whole(row.line, by, share);
    if (!whole?.time_ns) return null;
    const part = Math.min(1, row[`${by}_time_ns`] / whole.time_ns);
    const [low, high] = wilson(part, samplesBehind(row[`${by}_hits`], part, whole.hits));
    return { percent: 100 * part, percent_low: 100 * low, percent_high: 100 * high };
  }
}

/** Where `n` and `p` go, in the order of the file, or of the cost. Round at the ends. */
export function nextHot(hot: readonly number[], from: number, step: 1 | -1, order: 'file' | 'cost'): number | null {
  if (!hot.length) return null;
  if (order === 'cost') {
    const at = hot.indexOf(from);
    return at < 0 ? hot[step > 0 ? 0 : hot.length - 1]! : hot[(at + step + hot.length) % hot.length]!;
  }
  const lines = [...hot].sort((a, b) => a - b);
  if (step > 0) return lines.find((line) => line > from) ?? lines[0]!;
  return lines.reverse().find((line) => line < from) ?? lines[0]!;
}
