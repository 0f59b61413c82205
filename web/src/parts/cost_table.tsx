// A table of rows that cost: sortable columns, a meter behind the place, groups on demand.
import type { ComponentChildren, JSX } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';

import { interval, percent, time, count } from '../format.ts';
import { useKeys } from '../keys.ts';
import type { Cost, Sort } from '../types.ts';

export interface Column<Row> {
  id: string;
  title: string;
  className: string;
  hint?: string;
  render: (row: Row, rank: number) => ComponentChildren;
  /** Larger first when it is a number. Without it the column does not sort. */
  order?: (row: Row) => number | string;
}

/** The columns of the numbers that all rows have: those of the sort that counts come first. */
export function costColumns<Row extends Cost>(by: Sort): Column<Row>[] {
  const share = (kind: Sort): Column<Row> => ({
    id: `${kind}_percent`,
    title: kind === by ? '% Time' : '%',
    className: `number percent${kind === by ? '' : ' other'}`,
    hint: 'Share of the CPU time that is counted',
    render: (row) => {
      if (kind !== by) return percent(row[`${kind}_percent`]);
      const { text, wide } = interval(row);
      return <span class={wide ? 'wide' : undefined} title={text}>{percent(row[`${kind}_percent`])}</span>;
    },
  });
  const took = (kind: Sort): Column<Row> => ({
    id: kind,
    title: kind === 'self' ? 'Self' : 'Total',
    className: `number time${kind === by ? '' : ' other'}`,
    hint: kind === 'self' ? 'CPU time here, without callees' : 'CPU time here and in callees',
    render: (row) => time(row[`${kind}_time_ns`]),
    order: (row) => row[`${kind}_time_ns`],
  });
  const hits: Column<Row> = {
    id: 'hits', title: 'Hits', className: 'number hits', hint: 'Samples that were taken here',
    render: (row) => count(row[`${by}_hits`]),
  };
  const second: Sort = by === 'self' ? 'total' : 'self';
  return [hits, took(by), share(by), took(second), share(second)];
}

export interface Group<Row> {
  key: string;
  title: ComponentChildren;
  rows: Row[];
}

interface Props<Row> {
  label: string;
  columns: Column<Row>[];
  groups: Group<Row>[];
  keyOf: (row: Row) => string;
  sortedBy: string;
  ascending: boolean;
  sort: (column: string) => void;
  note?: ComponentChildren;
}

/** A row that moves in the document loses the focus: it is given back. */
function useFocusKept(table: { current: HTMLElement | null }): void {
  const active = document.activeElement as HTMLElement | null;
  const focused = table.current?.contains(active) ? active : null;
  useLayoutEffect(() => {
    if (focused?.isConnected && document.activeElement === document.body) focused.focus({ preventScroll: true });
  });
}

/** Moves the focus among the links of the rows. */
function useRowKeys() {
  const body = useRef<HTMLTableElement>(null);
  const move = (step: number) => {
    const links = [...(body.current?.querySelectorAll<HTMLElement>('tbody [data-row]') ?? [])];
    if (links.length === 0) return;
    const at = links.indexOf(document.activeElement as HTMLElement);
    links[at < 0 ? (step > 0 ? 0 : links.length - 1) : Math.min(Math.max(at + step, 0), links.length - 1)]!.focus();
  };
  useKeys('Table', [
    { key: 'ArrowDown', title: 'Next row', run: () => move(1) },
    { key: 'ArrowUp', title: 'Row before', run: () => move(-1) },
    { key: 'j', title: 'Next row', run: () => move(1) },
    { key: 'k', title: 'Row before', run: () => move(-1) },
  ]);
  return body;
}

export function Meter({ value }: { value: number }): JSX.Element | null {
  return value <= 0 ? null : <span class="meter" aria-hidden="true" style={{ width: `${Math.min(100, Math.max(0, value))}%` }} />;
}

export function CostTable<Row>({ label, columns, groups, keyOf, sortedBy, ascending, sort, note }: Props<Row>) {
  const body = useRowKeys();
  useFocusKept(body);
  let rank = 0;
  return (
    <>
      <table class="cost" ref={body} aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ id, title, className, hint, order }) => (
              <th key={id} scope="col" class={className} title={hint} aria-sort={sortedBy === id ? (ascending ? 'ascending' : 'descending') : undefined}>
                {order ? <button type="button" onClick={() => sort(id)}>{title}</button> : title}
              </th>
            ))}
          </tr>
        </thead>
        {groups.map(({ key, title, rows }) => (
          <tbody key={key}>
            {title && <tr class="group"><th scope="rowgroup" colSpan={2}>{title}</th></tr>}
            {rows.map((row) => {
              rank++;
              return (
                <tr key={keyOf(row)}>
                  {columns.map(({ id, className, render }) => <td key={id} class={className}>{render(row, rank)}</td>)}
                </tr>
              );
            })}
          </tbody>
        ))}
      </table>
      {note && <p class="table-note">{note}</p>}
    </>
  );
}
