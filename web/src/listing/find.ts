// Finds a text in the whole file, in slices, so that the page stays responsive.
import { lowerBound } from './folds.ts';
import type { SourceText } from './text.ts';

/** More matches are not counted. */
export const MATCHES_MAX = 500_000;
const SLICE = 256 * 1024; // characters searched between two looks at the clock

/** Small letters find capitals too; with a capital, only what is written so. */
export function pattern(needle: string): RegExp {
  const escaped = needle.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  return new RegExp(escaped, needle === needle.toLowerCase() ? 'gi' : 'g');
}

export class Search {
  /** Where matches begin, in order. */
  readonly matches: number[] = [];
  done = false;
  readonly #regexp: RegExp;
  #at = 0;

  constructor(readonly text: SourceText, readonly needle: string) {
    this.#regexp = pattern(needle);
    this.done = needle === '';
  }

  get full(): boolean { return this.matches.length >= MATCHES_MAX; }

  /** Goes on until `isOver`, or to the end. A needle has no line ends, so slices end with a line. */
  run(isOver: () => boolean): void {
    const { source, count } = this.text;
    const all = this.text.clipped ? this.text.start(count + 1) : source.length;
    while (!this.done) {
      const feed = source.indexOf('\n', Math.min(this.#at + SLICE, all));
      const end = feed < 0 ? all : Math.min(feed + 1, all);
      const slice = source.slice(this.#at, end);
      this.#regexp.lastIndex = 0;
      for (let match = this.#regexp.exec(slice); match && !this.full; match = this.#regexp.exec(slice)) this.matches.push(this.#at + match.index);
      this.#at = end;
      this.done = end >= all || this.full;
      if (isOver()) return;
    }
  }

  /** Number of the first match at or behind a place; the number of all when there is none. */
  after(offset: number): number {
    return lowerBound(this.matches, offset);
  }

  /** The matches of a line: [start, end) in it. */
  inLine(line: number): [start: number, end: number][] {
    const start = this.text.start(line);
    const end = this.text.start(line + 1);
    const found: [number, number][] = [];
    for (let i = this.after(start); i < this.matches.length && this.matches[i]! < end && found.length < 500; i++)
      found.push([this.matches[i]! - start, this.matches[i]! - start + this.needle.length]);
    return found;
  }
}
