// What the tables of lines and of functions have in common: filter, groups, order, number of rows.
import type { ComponentChildren } from 'preact';
import { useRef } from 'preact/hooks';

import { FILTER_BYTES, whole } from '../checks.ts';
import { percent, plural } from '../format.ts';
import { useKeys } from '../keys.ts';
import { go, replace, route, setOption } from '../state.ts';
import type { Cost, Sort, Unknown } from '../types.ts';
import type { Column, Group } from './cost_table.tsx';

export type GroupBy = '' | 'file' | 'module' | 'thread';

const ROWS = 100;
const ROWS_MAX = 10_000;
const GROUPS: [GroupBy, string][] = [['', 'no groups'], ['file', 'by file'], ['module', 'by module'], ['thread', 'by thread']];

export function tableOptions() {
  const { options } = route.value;
  const group = (GROUPS.some(([name]) => name === options.group) ? options.group : '') as GroupBy;
  return {
    filter: options.filter ?? '',
    group,
    order: options.order ?? '',
    ascending: options.dir === 'up',
    rows: Math.min(whole(options.rows) || ROWS, ROWS_MAX),
  };
}

/** Self and Total are sorted by lprofd; the other columns sort the rows that are shown. */
export function sortColumn(id: string): void {
  const { options, by } = route.value;
  if (id === 'self' || id === 'total') {
    const { order: _order, dir: _dir, ...rest } = options;
    go({ by: id, options: rest });
    return;
  }
  const up = (options.order ?? by) === id && options.dir !== 'up' ? 'up' : '';
  go({ options: { ...options, order: id, dir: (options.order ?? '') === id ? up : 'up' } });
}

export function ordered<Row>(rows: Row[], columns: Column<Row>[], order: string, ascending: boolean): Row[] {
  const by = columns.find(({ id }) => id === order)?.order;
  if (!by) return rows;
  const sign = ascending ? 1 : -1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    return sign * (typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y)));
  });
}

/** Rows in groups, the most expensive first; only self times of different rows add up. */
export function grouped<Row extends Cost>(rows: Row[], nameOf: ((row: Row) => string) | null): Group<Row>[] {
  if (!nameOf) return [{ key: '', title: null, rows }];
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const name = nameOf(row);
    const known = groups.get(name);
    if (known) known.push(row);
    else groups.set(name, [row]);
  }
  const sum = (list: Row[]) => list.reduce((total, row) => total + row.self_percent, 0);
  return [...groups]
    .map(([name, list]) => ({ name, list, self: sum(list) }))
    .sort((a, b) => b.self - a.self)
    .map(({ name, list, self }) => ({
      key: name,
      title: <>{name || 'unknown'} <span class="quiet">{percent(self)} % self in {plural(list.length, 'row')}</span></>,
      rows: list,
    }));
}

export function SortToggle({ by }: { by: Sort }) {
  return (
    <span class="toggles" role="group" aria-label="Count">
      <button type="button" aria-pressed={by === 'self'} title="Only what was spent here" onClick={() => sortColumn('self')}>Self</button>
      <button type="button" aria-pressed={by === 'total'} title="With what it called" onClick={() => sortColumn('total')}>Total</button>
    </span>
  );
}

export function TableBar({ title, children }: { title: string; children?: ComponentChildren }) {
  const { filter, group } = tableOptions();
  const { by, kernel } = route.value;
  const input = useRef<HTMLInputElement>(null);
  useKeys('Table', [
    { key: '/', title: 'Filter the rows', run: () => input.current?.focus() },
    { key: 't', title: 'Self or total', run: () => sortColumn(route.value.by === 'self' ? 'total' : 'self') },
  ]);
  return (
    <div class="bar-of-view">
      <h2>{title}</h2>
      <SortToggle by={by} />
      <select aria-label="Groups" value={group} onChange={(event) => setOption('group', event.currentTarget.value)}>
        {GROUPS.map(([name, text]) => <option key={name} value={name}>{text}</option>)}
      </select>
      <button type="button" aria-pressed={!kernel} title="Count kernel time at the line that called the kernel" onClick={() => go({ kernel: !kernel })}>Kernel at caller</button>
      {children}
      <span class="grow" />
      <input
        ref={input}
        type="search"
        placeholder="Filter: function, file, module"
        aria-label="Filter the rows by function, file or module"
        value={filter}
        maxLength={FILTER_BYTES}
        onInput={(event) => setOption('filter', event.currentTarget.value, replace)}
        onKeyDown={(event) => { if (event.key === 'Escape') event.currentTarget.blur(); }}
      />
    </div>
  );
}

export function More({ shown, all }: { shown: number; all: number }) {
  if (shown >= all) return null;
  return (
    <p class="more">
      <button type="button" onClick={() => setOption('rows', String(tableOptions().rows * 4), replace)}>Show more</button>{' '}
      <span class="quiet">{plural(shown, 'row')} of {plural(all, 'row')}</span>
    </p>
  );
}

const REASONS: Record<string, string> = {
  pending: 'not looked up yet',
  name_only: 'lines still being read',
  no_debug_info: 'no debug information (install the -dbg or -dbgsym package, or build with -g; files that are not ELF have none)',
  no_line: 'debug information says nothing about them',
  no_module: 'outside any file (JIT code, ended stacks)',
  kernel: 'in the kernel (counted with the line that called it, in Total)',
  unreadable: 'file could not be read',
  damaged: 'debug information is damaged or too large for this machine',
};

/** The samples without a line, so that all adds up. */
export function UnknownNote({ unknown, hits }: { unknown: Unknown; hits: number }) {
  if (!unknown.self_hits) return null;
  const reasons = Object.entries(unknown.reasons)
    .filter(([, samples]) => samples > 0)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, samples]) => `${percent(hits ? (100 * samples) / hits : 0)} % ${REASONS[reason] ?? reason}`);
  return <>{percent(unknown.self_percent)} % of the time has no line: {reasons.join(' · ')}</>;
}
