// The text of a file by lines, without a string per line: 270,000 of them are there at once.

/** More lines than this are not shown; the view says so. 64 MiB of line ends would else take the page's memory. */
export const LINES_MAX = 5_000_000;

export class SourceText {
  readonly count: number;
  /** Whether the text goes on behind the lines that are shown. */
  readonly clipped: boolean;
  readonly #starts: Uint32Array;

  constructor(readonly source: string, max = LINES_MAX) {
    let starts = new Uint32Array(Math.max(16, source.length >> 5));
    let count = 0;
    let at = 0;
    while (at < source.length && count < max) {
      if (count + 1 >= starts.length) {
        const more = new Uint32Array(starts.length * 2);
        more.set(starts);
        starts = more;
      }
      starts[count++] = at;
      const end = source.indexOf('\n', at);
      at = end < 0 ? source.length + 1 : end + 1;
    }
    starts[count] = at;
    this.count = count;
    this.clipped = at < source.length;
    this.#starts = starts;
  }

  /** Line `number`, from 1, without its end; '' beyond the text. At most `max` characters of it. */
  line(number: number, max = Infinity): string {
    if (number < 1 || number > this.count) return '';
    const start = this.#starts[number - 1]!;
    let end = this.#starts[number]! - 1;
    if (end > start && this.source.charCodeAt(end - 1) === 13) end--;
    return this.source.slice(start, Math.min(end, start + max));
  }

  /** Where line `number` begins in the text. */
  start(number: number): number {
    return this.#starts[Math.min(number, this.count + 1) - 1] ?? 0;
  }

  /** The line that holds this place of the text. */
  lineAt(offset: number): number {
    let low = 0;
    let high = this.count;
    while (low + 1 < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }

  /** Columns of the longest line, tabs at its start as wide as they are drawn, but no more than `max`. */
  longest(max: number, tab = 1): number {
    let most = 0;
    for (let i = 0; i < this.count && most < max; i++) {
      const start = this.#starts[i]!;
      let length = this.#starts[i + 1]! - start - 1;
      if (length + 4 * tab <= most) continue;
      for (let at = start; this.source.charCodeAt(at) === 9 && length < max; at++) length += tab - 1;
      if (length > most) most = length;
    }
    return Math.min(most, max);
  }

  /** Lines `from` to `to`, with line feeds, as one copies them. */
  between(from: number, to: number): string {
    const lines: string[] = [];
    for (let number = from; number <= Math.min(to, this.count); number++) lines.push(this.line(number));
    return lines.join('\n') + '\n';
  }
}
