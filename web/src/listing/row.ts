// A row of the listing: made once, filled often; what is as it was is not touched.
import { count, interval, percent, time } from '../format.ts';
import type { Sort } from '../types.ts';
import type { CostRow, Costs, Share } from './costs.ts';
import type { Fold } from './folds.ts';
import type { Row } from './grid.ts';

export const COLUMNS = ['line', 'hits', 'time', 'total', 'self', 'inlined', 'code'] as const;
export type Column = (typeof COLUMNS)[number];

export interface ListingRow extends Row {
  cells: Record<Column, HTMLElement>;
  bar: HTMLElement;
  /** What the code cell shows: line and everything else that its look depends on. */
  shown: string;
  wide: number;
}

function span(name: string, role: string): HTMLElement {
  const element = document.createElement('span');
  element.className = name;
  element.setAttribute('role', role);
  return element;
}

/** The gutter with the numbers, and a cell for the code, as head or as row. */
function frame(role: string): { gutter: HTMLElement; cells: Record<Column, HTMLElement> } {
  const cells = {} as Record<Column, HTMLElement>;
  const gutter = span('gutter', 'presentation');
  COLUMNS.forEach((name, i) => {
    cells[name] = span(name === 'code' ? name : `number ${name}`, role);
    cells[name].setAttribute('aria-colindex', String(i + 1));
    if (name !== 'code') gutter.append(cells[name]);
  });
  return { gutter, cells };
}

export function makeRow(id: number): ListingRow {
  const element = document.createElement('div');
  element.className = 'row';
  element.id = `listing-row-${id}`;
  element.setAttribute('role', 'row');
  const { gutter, cells } = frame('gridcell');
  const bar = span('bar', 'presentation');
  bar.setAttribute('aria-hidden', 'true');
  element.append(gutter, bar, cells.code);
  return { element, index: -1, top: -1, cells, bar, shown: '', wide: -1 };
}

const HEADS: Record<Column, [text: string, title: string]> = {
  line: ['Line', 'Line number; click to select, Shift and click to extend'],
  hits: ['Hits', 'Samples with this line. How often the line was executed is not counted, so there is no time per hit.'],
  time: ['Time', 'CPU time of the samples'],
  total: ['% Total', 'Share of the time with this line and what it calls. Click: bars and order follow it.'],
  self: ['% Self', 'Share of the time of this line alone. Click: bars and order follow it.'],
  inlined: ['Inl.', 'Functions that the compiler inlined this line into'],
  code: ['Source', 'Bars are as long as the cost, the dearest line\u2019s over the whole width'],
};

export interface Head {
  element: HTMLElement;
  show: (by: Sort, share: Share, missing: boolean) => void;
}

export function makeHead(choose: (by: Sort) => void): Head {
  const element = document.createElement('div');
  element.className = 'row';
  element.setAttribute('role', 'row');
  element.setAttribute('aria-rowindex', '1');
  const { gutter, cells } = frame('columnheader');
  for (const name of COLUMNS) {
    cells[name].title = HEADS[name][1];
    if (name === 'total' || name === 'self') {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = HEADS[name][0];
      button.addEventListener('click', () => choose(name));
      cells[name].append(button);
    } else cells[name].textContent = HEADS[name][0];
  }
  element.append(gutter, cells.code);
  const show: Head['show'] = (by, share, missing) => {
    for (const name of ['total', 'self'] as const) {
      cells[name].firstElementChild!.setAttribute('aria-pressed', String(name === by));
      cells[name].title = `${HEADS[name][1]} ${{ program: 'Of the program.', file: 'Of this file.', function: 'Of the line\u2019s function.' }[share]}`;
    }
    const what = by === 'total' ? 'with what the line calls' : 'of the line alone';
    cells.hits.title = `${HEADS.hits[1]} Here: ${what}.`;
    cells.time.title = `${HEADS.time[1]}, ${what}`;
    setText(cells.code, missing ? 'Function' : HEADS.code[0]);
  };
  return { element, show };
}

export function setText(element: HTMLElement, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

function setTitle(element: HTMLElement, text: string): void {
  if (element.title !== text) element.title = text;
}

export interface Look {
  costs: Costs;
  by: Sort;
  share: Share;
  /** Share of the dearest line, of the same whole. */
  heat: number;
  /** Pixels that the longest bar takes. */
  width: number;
}

/** The numbers of a row. */
export function fillNumbers(row: ListingRow, line: number, fold: Fold | null, cost: CostRow | undefined, look: Look): void {
  const { cells, element, bar } = row;
  const { costs, by, share } = look;
  const shown = !fold && cost && (cost.self_hits > 0 || cost.total_hits > 0) ? cost : null;
  setText(cells.line, fold ? '\u22ef' : String(line));
  const hits = shown?.[`${by}_hits`] ?? 0;
  setText(cells.hits, shown && hits ? count(hits) : '');
  setText(cells.time, shown && hits ? time(shown[`${by}_time_ns`]) : '');
  let wide = false;
  let part = 0;
  for (const kind of ['total', 'self'] as const) {
    const found = shown?.[`${kind}_hits`] ? costs.percent(shown, kind, share) : null;
    setText(cells[kind], found ? percent(found.percent) : '');
    const about = found && interval(found);
    setTitle(cells[kind], about ? `${about.text}${about.wide ? ': too few samples to rank' : ''}\nClick: callers of this line` : '');
    cells[kind].classList.toggle('wide', Boolean(about?.wide));
    if (kind === by && shown) {
      wide = Boolean(about?.wide);
      const whole = costs.total.time_ns;
      part = whole ? shown[`${by}_time_ns`] / whole : 0;
    }
  }
  setText(cells.inlined, shown?.inlined_into ? `\u00d7${count(shown.inlined_into)}` : '');
  setTitle(cells.inlined, shown?.inlined_into ? `Inlined into ${shown.inlined_into} ${shown.inlined_into === 1 ? 'function' : 'functions'}` : '');
  element.classList.toggle('costs', Boolean(shown));
  element.classList.toggle('hot', hits > 0);
  element.classList.toggle('wide', wide);
  element.classList.toggle('folded', Boolean(fold));
  const width = look.heat ? Math.round((part / look.heat) * look.width) : 0;
  if (row.wide !== width) {
    row.wide = width;
    bar.style.setProperty('--bar', `${width}px`);
    bar.classList.toggle('drawn', width > 0);
  }
}
