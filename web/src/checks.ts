// What of an address means something: it is checked before lprofd is asked, and what fails is said.
import type { Range, View } from './state.ts';

// What lprofd takes.
const TID_MAX = 4_194_304;
const TIDS_MAX = 256;
const STACKS_MAX = 16;
const STACK_BYTES = 4096;
export const FILTER_BYTES = 256;
/** Characters of a text that is looked for in a file. */
export const FIND_MAX = 1000;

/** A whole number from 1; 0: it is none. */
export function whole(text: string | null | undefined): number {
  return /^[1-9][0-9]{0,14}$/.test(text ?? '') ? Number(text) : 0;
}

/** The range between two times in seconds; null: there is none between them. */
export function rangeOf(from: string | null | undefined, to: string | null | undefined): Range | null {
  const from_ns = Math.round(Number(from || 0) * 1e9);
  const to_ns = Math.round(Number(to || Number.NaN) * 1e9);
  return from_ns >= 0 && to_ns > from_ns && to_ns < Number.MAX_SAFE_INTEGER ? { from_ns, to_ns } : null;
}

/** A thread's id; 0: none can have it. */
export function tidOf(text: string): number {
  const tid = whole(text);
  return tid <= TID_MAX ? tid : 0;
}

type Check = (value: string, nth: number) => boolean;

const bytes = (text: string): number => new TextEncoder().encode(text).length;
// Names between ';', none of them empty, in which "\;" is a ';' and "\\" a '\'; a ';' before all of them
// or behind, but not both.
const NAME = String.raw`(?:\\[;\\]|\\(?![;\\])|[^;\\])+`;
const NAMES = new RegExp(`^(?:;${NAME}(?:;${NAME})*|${NAME}(?:;${NAME})*;?)$`);
const LINE_0 = /^[^;][^]*:0+$/;
const stack: Check = (value, nth) => nth < STACKS_MAX && bytes(value) <= STACK_BYTES && NAMES.test(value) && !LINE_0.test(value);
const shape = (pattern: RegExp): Check => (value) => pattern.test(value);
const tids: Check = (value) => value.split(',').length <= TIDS_MAX && value.split(',').every((tid) => tidOf(tid) > 0);

const FILTERS: Record<string, Check> = {
  tid: (value, nth) => nth < TIDS_MAX && tidOf(value) > 0,
  by: shape(/^(self|total)$/),
  inlines: shape(/^(written|called)$/),
  kernel: shape(/^[01]$/),
  focus: stack,
  hide: stack,
};
const FILTER: Record<string, Check> = { filter: (value) => bytes(value) <= FILTER_BYTES };
const LINES = shape(/^[1-9]\d{0,9}(-[1-9]\d{0,9})?$/);
const OPTIONS: Partial<Record<View, Record<string, Check>>> = {
  lines: FILTER,
  functions: FILTER,
  source: { line: LINES, callers: LINES, find: (value) => value.length <= FIND_MAX },
  compare: { a: (value) => whole(value) > 0, b: (value) => whole(value) > 0, ai: tids, bi: tids },
};

/** The parts of a view's query that mean something, and the others. */
export function sift(view: View, query: URLSearchParams): { good: URLSearchParams; ignored: string[] } {
  const good = new URLSearchParams();
  const ignored: string[] = [];
  const counts = new Map<string, number>();
  const wrong = new Set<string>();
  for (const [from, to] of [['from', 'to'], ...(view === 'compare' ? [['af', 'at'], ['bf', 'bt']] : [])] as [string, string][])
    if ((query.get(from) || query.get(to)) && !rangeOf(query.get(from), query.get(to))) wrong.add(from).add(to);
  for (const [name, value] of query) {
    const nth = counts.get(name) ?? 0;
    const check = FILTERS[name] ?? OPTIONS[view]?.[name];
    counts.set(name, nth + 1);
    if (!value) continue;
    if (wrong.has(name) || (check && !check(value, nth))) ignored.push(`${name}=${value}`);
    else good.append(name, value);
  }
  return { good, ignored };
}
