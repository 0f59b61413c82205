// Which rows a scrolled box shows. Browsers cap the height of an element (Firefox at 17.8 million
// pixels, Chromium at 33.5 million): above our own cap the box is lower than its rows together, small
// steps move by pixels, and long ones (the scrollbar) in proportion.

/** No element of ours is higher. */
export const HEIGHT_MAX = 8_000_000;

export class Extent {
  #count = 0;
  #row = 20;
  #view = 0;
  /** Where the box is scrolled to, as its scrollTop says. */
  #scrolled = 0;
  /** The same in pixels of all rows; equal unless the rows are too many. */
  #top = 0;

  constructor(private readonly max = HEIGHT_MAX) {}

  /** Height of all rows together. */
  get rows_height(): number { return this.#count * this.#row; }
  /** Height that the box gets. */
  get height(): number { return Math.min(this.rows_height, this.max); }
  get scaled(): boolean { return this.rows_height > this.max; }
  get top(): number { return this.#top; }
  get scrolled(): number { return this.#scrolled; }
  get view(): number { return this.#view; }
  get row(): number { return this.#row; }
  get count(): number { return this.#count; }

  #reach(): number { return Math.max(0, this.height - this.#view); }
  #rowsReach(): number { return Math.max(0, this.rows_height - this.#view); }

  /** New measures; the rows that are shown stay where they are. */
  resize(count: number, row: number, view: number): void {
    const first = this.#top / this.#row;
    this.#count = count;
    this.#row = row;
    this.#view = view;
    this.#top = Math.min(first * row, this.#rowsReach());
    this.#scrolled = this.settle();
  }

  /** The box was scrolled. */
  scroll(scrolled: number): void {
    const step = scrolled - this.#scrolled;
    this.#scrolled = scrolled;
    if (!this.scaled) this.#top = scrolled;
    else if (scrolled <= 0) this.#top = 0;
    else if (scrolled >= this.#reach()) this.#top = this.#rowsReach();
    else if (Math.abs(step) <= 2 * this.#view) this.#top = Math.max(0, Math.min(this.#top + step, this.#rowsReach()));
    else this.#top = (scrolled / this.#reach()) * this.#rowsReach();
  }

  /** Goes to a place among the rows; gives where the box is to be scrolled to. */
  moveTo(top: number): number {
    this.#top = Math.max(0, Math.min(top, this.#rowsReach()));
    this.#scrolled = this.settle();
    return this.#scrolled;
  }

  /** Where the scrollbar belongs, which small steps of a scaled box do not keep up with. */
  settle(): number {
    if (!this.scaled) return this.#top;
    const reach = this.#rowsReach();
    return reach ? Math.round((this.#top / reach) * this.#reach()) : 0;
  }

  /** The box was scrolled to where settle() said, or as near as it goes. */
  settled(scrolled: number): void {
    this.#scrolled = scrolled;
    if (!this.scaled) this.#top = scrolled;
  }

  /** Rows to draw: [first, last), with some more on either side. */
  range(more: number): [first: number, last: number] {
    const first = Math.floor(this.#top / this.#row) - more;
    const last = Math.ceil((this.#top + this.#view) / this.#row) + more;
    return [Math.max(0, first), Math.max(0, Math.min(this.#count, last))];
  }

  /** Where row `index` is in the box. */
  place(index: number): number {
    return this.scaled ? index * this.#row - this.#top + this.#scrolled : index * this.#row;
  }

  /** The place to go to for row `index` to be seen; null: it is seen. `margin` rows stay around it. */
  reveal(index: number, margin: number): number | null {
    const top = index * this.#row;
    const space = Math.min(margin * this.#row, Math.max(0, (this.#view - this.#row) / 2));
    if (top < this.#top + space) return top - space;
    if (top + this.#row > this.#top + this.#view - space) return top + this.#row + space - this.#view;
    return null;
  }
}
