// The listing: rows, cursor, selection and the map of a file's lines. It is told what to show, and tells
// what people do; it holds no state of its own that the URL does not give back.
import { plural } from '../format.ts';
import type { Sort } from '../types.ts';
import type { Costs, Share } from './costs.ts';
import { copied } from './copy.ts';
import type { Search } from './find.ts';
import { Rows, type Fold } from './folds.ts';
import { Grid } from './grid.ts';
import { Highlighter } from './highlight.ts';
import type { Language } from './languages.ts';
import { HotMap } from './map.ts';
import { paint } from './paint.ts';
import { COLUMNS, fillNumbers, makeHead, makeRow, setText, type Head, type ListingRow } from './row.ts';
import { CLIP } from './display.ts';
import type { SourceText } from './text.ts';

const SLICE_MS = 6; // of work between two frames
const NUMBERS = '.hits, .time, .total, .self';

export interface Told {
  /** The cursor, and the other end of the selection, were moved. */
  onCursor: (cursor: number, anchor: number) => void;
  onCallers: (line: number) => void;
  onUnfold: (fold: Fold) => void;
  onSort: (by: Sort) => void;
}

export class Listing {
  readonly element = document.createElement('div');
  readonly grid: Grid<ListingRow>;
  rows = new Rows(0);
  text: SourceText | null = null;
  cursor = 0;
  anchor = 0;
  #by: Sort = 'total';
  #share: Share = 'program';
  #head: Head;
  #map: HotMap;
  #highlighter: Highlighter | null = null;
  #search: Search | null = null;
  /** Where in the text the match is that was gone to; -1: none. */
  #match = -1;
  /** Line whose callers are shown. */
  #asked = 0;
  /** Grow when code or numbers look different. */
  #code = 0;
  #numbers = 0;
  #width = 0;
  #idle = 0;
  /** The line numbers are being dragged over. */
  #dragged = false;

  constructor(private readonly costs: Costs, private readonly told: Told) {
    this.#head = makeHead((by) => told.onSort(by));
    this.grid = new Grid<ListingRow>({
      label: 'Annotated source',
      columns: COLUMNS.length,
      head: this.#head.element,
      make: makeRow,
      fill: (row) => this.#fill(row),
      onScroll: () => this.#placeMap(),
      onResize: () => {
        this.#measure();
        this.#map.measure();
        this.#placeMap();
      },
    });
    this.#map = new HotMap((share) => this.grid.jump(share * this.rows.count * this.grid.extent.row - this.grid.extent.view / 2));
    this.element.className = 'listing';
    this.element.append(this.grid.element, this.#map.element);
    this.#listen();
  }

  // What is shown

  setText(text: SourceText | null, language: Language): void {
    this.text = text;
    this.#highlighter = text && new Highlighter(text, language);
    const tab = ['c', 'assembly', 'plain'].includes(language.name) ? 8 : 4;
    this.grid.element.style.setProperty('--tab', String(tab));
    this.grid.element.style.setProperty('--columns', String(text ? text.longest(CLIP, tab) + 4 : 60));
    this.#code++;
    cancelIdle(this.#idle);
    this.#colour();
  }

  /** The costs have changed. */
  recount(): void {
    this.#numbers++;
    let inlined = false;
    for (const row of this.costs.rows.values()) inlined ||= Boolean(row.inlined_into);
    if (inlined) this.grid.element.classList.add('has-inlined'); // and stays: nothing jumps
  }

  setRows(folds: readonly Fold[]): void {
    const lines = this.text?.count ?? 0;
    const beyond = [...this.costs.rows.keys()].filter((line) => line > lines).sort((a, b) => a - b);
    // The line at the top stays there, whatever is folded above it.
    const { extent } = this.grid;
    const top = this.rows.lineAt(Math.floor(extent.top / extent.row));
    const within = extent.top % extent.row;
    this.rows = new Rows(lines, folds, beyond);
    this.grid.element.style.setProperty('--digits', String(String(beyond.at(-1) ?? lines).length));
    this.#code++;
    this.#numbers++;
    this.grid.resize(this.rows.count);
    if (top) this.grid.jump(this.rows.rowOf(top) * extent.row + within);
  }

  setOptions(by: Sort, share: Share, asked: number): void {
    if (by !== this.#by || share !== this.#share || asked !== this.#asked) this.#numbers++;
    this.#by = by;
    this.#share = share;
    this.#asked = asked;
    this.grid.element.dataset.by = by;
    this.#head.show(by, share, !this.text);
  }

  setSearch(search: Search | null): void {
    this.#search = search;
    this.#match = -1;
    this.#code++;
  }

  /** Goes to a match, also sideways. */
  goToMatch(offset: number): void {
    this.#match = offset;
    this.#code++;
    this.goTo(this.text!.lineAt(offset));
    this.grid.draw();
    this.grid.element.querySelector('.current')?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  /** Draws what was set. */
  update(): void {
    this.#measure(); // before anything is written: the layout is made once
    this.#map.measure();
    this.grid.draw();
    this.grid.element.classList.toggle('no-cursor', !this.cursor);
    const { extent } = this.grid;
    this.#map.draw(this.costs.rows.values(), this.rows, this.#by, extent.view ? extent.rows_height / extent.view : 1, `${this.#numbers}`);
    this.#placeMap();
  }

  /** Puts the cursor on a line and shows it. */
  goTo(cursor: number, anchor = cursor, where: 'third' | 'edge' = 'third'): void {
    this.cursor = cursor;
    this.anchor = anchor;
    this.grid.element.classList.remove('no-cursor');
    this.grid.element.scrollLeft = 0; // a match far to the right was shown before
    this.grid.reveal(this.rows.rowOf(cursor), where);
    this.#placeMap();
  }

  get selection(): [from: number, to: number] {
    return [Math.min(this.cursor, this.anchor), Math.max(this.cursor, this.anchor)];
  }

  /** The first line that is seen as a whole. */
  get firstSeen(): number {
    return this.rows.lineAt(Math.ceil(this.grid.extent.top / this.grid.extent.row));
  }

  close(): void {
    cancelIdle(this.#idle);
    removeEventListener('pointerup', this.#onRelease);
    document.removeEventListener('selectionchange', this.#onSelection);
    this.grid.close();
  }

  // Drawing

  #measure(): void {
    const gutter = this.#head.element.firstElementChild as HTMLElement;
    const width = Math.max(0, this.grid.element.clientWidth - gutter.offsetWidth);
    if (width === this.#width) return;
    this.#width = width;
    this.grid.schedule();
  }

  #fill(row: ListingRow): void {
    const line = this.rows.lineAt(row.index);
    const fold = this.rows.foldAt(row.index);
    const by = this.#by;
    const whole = this.costs.total.time_ns;
    fillNumbers(row, line, fold, this.costs.rows.get(line), {
      costs: this.costs, by, share: this.#share, width: this.#width,
      heat: whole ? this.costs.dearest_ns[by] / whole : 0,
    });
    const [from, to] = this.selection;
    const { element } = row;
    element.classList.toggle('cursor', row.index === this.rows.rowOf(this.cursor));
    element.classList.toggle('selected', from !== to && line >= from && line <= to);
    element.classList.toggle('asked', line === this.#asked && !fold);
    element.setAttribute('aria-selected', String(line >= from && line <= to));
    if (element.classList.contains('cursor')) this.grid.element.setAttribute('aria-activedescendant', element.id);
    this.#fillCode(row, line, fold);
  }

  #fillCode(row: ListingRow, line: number, fold: Fold | null): void {
    const hasText = this.text !== null && line <= this.text.count;
    const name = this.costs.rows.get(line)?.function ?? '';
    const shown = `${line}/${this.#code}/${fold ? `${fold.last}+${fold.hits}` : ''}${hasText ? '' : name}`;
    if (row.shown === shown) return;
    row.shown = shown;
    const { code } = row.cells;
    code.classList.toggle('absent', !hasText || Boolean(fold));
    if (fold) setText(code, `\u25b8 ${plural(fold.last - fold.first + 1, 'line')} of cold code, ${fold.hits ? plural(fold.hits, 'sample') : 'no samples'}`);
    else if (!hasText) setText(code, this.text ? `${name} \u2014 the file has no such line` : name);
    else paint(code, this.text!.line(line), this.#highlighter!.tokens(line), this.#search?.inLine(line) ?? [], this.#match - this.text!.start(line));
  }

  #placeMap(): void {
    const { extent } = this.grid;
    const all = Math.max(1, extent.rows_height);
    this.#map.place(extent.top / all, Math.min(1, (extent.top + extent.view) / all), this.cursor ? this.rows.rowOf(this.cursor) / Math.max(1, this.rows.count) : null);
  }

  /** Looks for the checkpoints of colours while nothing else is to be done. */
  #colour(): void {
    const highlighter = this.#highlighter;
    if (!highlighter || highlighter.done) return;
    this.#idle = idle(() => {
      const until = performance.now() + SLICE_MS;
      const last = this.rows.lineAt(this.grid.extent.range(0)[1] - 1);
      const guessed = highlighter.known < last;
      highlighter.run(() => performance.now() > until);
      if (guessed && highlighter.known >= last) {
        highlighter.forget();
        this.#code++;
        this.grid.schedule();
      }
      this.#colour();
    });
  }

  // What people do

  #move(cursor: number, extend: boolean): void {
    this.cursor = cursor;
    if (!extend) this.anchor = cursor;
    this.grid.reveal(this.rows.rowOf(cursor), 'edge');
    this.told.onCursor(this.cursor, this.anchor);
  }

  /** Moves the cursor by so many rows. */
  step(rows: number, extend = false): void {
    const row = this.cursor ? this.rows.rowOf(this.cursor) + rows : this.rows.rowOf(this.firstSeen);
    const line = this.rows.lineAt(Math.max(0, Math.min(this.rows.count - 1, row)));
    if (line) this.#move(line, extend);
  }

  #key(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor(this.grid.extent.view / this.grid.extent.row) - 1);
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const isCommand = event.ctrlKey || event.metaKey;
    if (isCommand && event.key === 'a' && this.rows.count) {
      event.preventDefault();
      getSelection()?.removeAllRanges();
      this.anchor = 1;
      this.cursor = this.text?.count ?? this.rows.lineAt(this.rows.count - 1);
      this.grid.draw();
      this.told.onCursor(this.cursor, this.anchor);
      return;
    }
    const step = steps[event.key];
    if (event.altKey || (isCommand && !['Home', 'End'].includes(event.key))) return;
    if (step !== undefined) {
      event.preventDefault();
      this.step(step, event.shiftKey);
    } else if (event.key === 'Enter' && this.cursor) {
      event.preventDefault();
      const fold = this.rows.foldOf(this.cursor);
      if (fold) this.told.onUnfold(fold);
      else this.told.onCallers(this.cursor);
    }
  }

  #listen(): void {
    const { element } = this.grid;
    element.addEventListener('keydown', (event) => event.target === element && this.#key(event));
    element.addEventListener('pointerdown', (event) => {
      const target = event.target as HTMLElement;
      const row = event.button === 0 ? this.grid.rowOf(target) : null;
      const line = row && this.rows.lineAt(row.index);
      if (!row || !line) return;
      const fold = this.rows.foldAt(row.index);
      if (fold) this.told.onUnfold(fold);
      else if (target.closest('.line')) {
        event.preventDefault();
        element.focus({ preventScroll: true });
        this.#dragged = true;
        getSelection()?.removeAllRanges();
        this.#move(line, event.shiftKey);
      } else if (target.closest('.code')) {
        if (!event.shiftKey) this.#move(line, false);
        this.grid.keep(row.index);
      }
    });
    element.addEventListener('pointermove', (event) => {
      const row = this.#dragged && event.buttons === 1 ? this.grid.rowOf(event.target as Node) : null;
      if (row) this.#move(this.rows.lineAt(row.index), true);
    });
    addEventListener('pointerup', this.#onRelease, { passive: true });
    element.addEventListener('click', (event) => {
      const target = event.target as HTMLElement;
      const row = target.closest(NUMBERS) ? this.grid.rowOf(target) : null;
      const line = row && row.element.classList.contains('costs') ? this.rows.lineAt(row.index) : 0;
      if (!line) return;
      this.#move(line, false);
      this.told.onCallers(line);
    });
    document.addEventListener('selectionchange', this.#onSelection);
    element.addEventListener('copy', (event) => {
      const text = copied(this);
      if (text === null || !event.clipboardData) return;
      event.clipboardData.setData('text/plain', text);
      event.preventDefault();
    });
  }

  readonly #onRelease = (): void => { this.#dragged = false; };

  readonly #onSelection = (): void => {
    if (getSelection()?.isCollapsed !== false) this.grid.release();
  };
}

// Safari has no requestIdleCallback.
function idle(run: () => void): number {
  return typeof requestIdleCallback === 'function' ? requestIdleCallback(run, { timeout: 500 }) : (setTimeout(run, 16) as unknown as number);
}

function cancelIdle(id: number): void {
  if (typeof cancelIdleCallback === 'function') cancelIdleCallback(id);
  else clearTimeout(id);
}
