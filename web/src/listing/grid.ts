// Very many rows of one height, of which only those in sight exist. They are recycled, and stand in the
// document in their order, so that a selection or a screen reader meets them as they are seen.
import { Extent } from './extent.ts';
import { remPixels } from '../rem.ts';

const MORE = 10; // rows on either side of what is seen
const KEPT_MAX = 3000; // rows that a selection may keep
const SETTLE_MS = 150;

export interface Row {
  element: HTMLElement;
  index: number;
  /** Where it was put. */
  top: number;
}

interface Options<R extends Row> {
  label: string;
  columns: number;
  /** The head: a row, too. */
  head: HTMLElement;
  make: (id: number) => R;
  /** Writes row `row.index`; cheap when nothing of it is new. */
  fill: (row: R) => void;
  /** What is seen has changed. */
  onScroll: () => void;
  onResize: (width: number) => void;
}

export class Grid<R extends Row> {
  readonly element = document.createElement('div');
  readonly extent = new Extent();
  #spacer = document.createElement('div');
  #rows: R[] = [];
  #made = 0;
  #frame = 0;
  #timer = 0;
  #observer: ResizeObserver;
  /** Rows that stay because a selection began there. */
  #kept: [number, number] | null = null;

  constructor(private readonly options: Options<R>) {
    const { element } = this;
    element.className = 'grid';
    element.tabIndex = 0;
    element.setAttribute('role', 'grid');
    element.setAttribute('aria-label', options.label);
    element.setAttribute('aria-colcount', String(options.columns));
    element.setAttribute('aria-readonly', 'true');
    element.setAttribute('aria-multiselectable', 'true');
    this.#spacer.className = 'grid-rows';
    this.#spacer.setAttribute('role', 'rowgroup');
    const head = document.createElement('div');
    head.className = 'grid-head';
    head.setAttribute('role', 'rowgroup');
    head.append(options.head);
    element.append(head, this.#spacer);
    element.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    this.#observer = new ResizeObserver(() => {
      this.resize(this.extent.count);
      options.onResize(element.clientWidth);
    });
    this.#observer.observe(element);
  }

  get headHeight(): number { return (this.#spacer.previousElementSibling as HTMLElement).offsetHeight; }

  /** New number of rows, or new measures of the box. */
  resize(count: number): void {
    const { element, extent } = this;
    const row = remPixels(getComputedStyle(element).getPropertyValue('--row')) || 20;
    extent.resize(count, row, Math.max(0, element.clientHeight - this.headHeight));
    element.setAttribute('aria-rowcount', String(count + 1));
    this.#spacer.style.height = `${extent.height}px`;
    this.#scrollTo(extent.settle());
    this.draw();
  }

  #scrollTo(top: number): void {
    if (Math.round(this.element.scrollTop) !== Math.round(top)) this.element.scrollTop = top;
    this.extent.settled(this.element.scrollTop);
  }

  #scrolled(): void {
    if (this.element.scrollTop !== this.extent.scrolled) this.extent.scroll(this.element.scrollTop);
    this.schedule();
    if (!this.extent.scaled) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#scrollTo(this.extent.settle());
      this.draw();
    }, SETTLE_MS) as unknown as number;
  }

  schedule(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.draw();
    });
  }

  /** Rows from here on stay in the document until release(): a selection is drawn across them. */
  keep(index: number): void { this.#kept = [index, index + 1]; }
  release(): void { this.#kept = null; }

  draw(): void {
    const { extent } = this;
    if (!extent.view) return;
    let [first, last] = extent.range(MORE);
    if (this.#kept) {
      const [from, to] = [Math.min(first, this.#kept[0]), Math.max(last, this.#kept[1])];
      if (to - from <= KEPT_MAX && to <= extent.count) [first, last] = [from, to];
    }
    this.#recycle(first, last);
    for (const row of this.#rows) {
      const top = extent.place(row.index);
      if (row.top !== top) row.element.style.transform = `translateY(${top}px)`;
      row.top = top;
      this.options.fill(row);
    }
    this.options.onScroll();
  }

  /** Makes the rows those of [first, last): what is in both stays, what left goes to the other end. */
  #recycle(first: number, last: number): void {
    const rows = this.#rows;
    const free: R[] = [];
    while (rows.length && rows[0]!.index < first) free.push(rows.shift()!);
    while (rows.length && rows.at(-1)!.index >= last) free.push(rows.pop()!);
    const take = (): R => free.pop() ?? this.options.make(this.#made++);
    const before: R[] = [];
    const begin = rows[0]?.index ?? last;
    for (let index = first; index < begin; index++) before.push(this.#place(take(), index));
    const after: R[] = [];
    for (let index = (rows.at(-1)?.index ?? begin - 1) + 1; index < last; index++) after.push(this.#place(take(), index));
    for (const row of free) row.element.remove();
    this.#spacer.prepend(...before.map((row) => row.element));
    this.#spacer.append(...after.map((row) => row.element));
    this.#rows = [...before, ...rows, ...after];
  }

  #place(row: R, index: number): R {
    row.index = index;
    row.element.setAttribute('aria-rowindex', String(index + 2));
    return row;
  }

  /** The row that an element of the page is in. */
  rowOf(node: Node | null): R | null {
    return this.#rows.find((row) => row.element.contains(node)) ?? null;
  }

  rowAt(index: number): R | null {
    return this.#rows.find((row) => row.index === index) ?? null;
  }

  /** Shows a row: where it is if it is seen, else a third below the top, or at the edge. */
  reveal(index: number, where: 'third' | 'edge'): void {
    const to = this.extent.reveal(index, where === 'edge' ? 2 : 0);
    if (to === null) return this.draw();
    this.jump(where === 'edge' ? to : index * this.extent.row - this.extent.view / 3);
  }

  /** Goes to a place in pixels of all rows. */
  jump(top: number): void {
    this.#scrollTo(this.extent.moveTo(top));
    this.draw();
  }

  close(): void {
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#timer);
  }
}
