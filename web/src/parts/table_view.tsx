// A view that is one table of costs: asked for as the URL says, sorted, filtered, in groups and pages.
import type { ComponentChildren } from 'preact';

import { address } from '../api.ts';
import { useQuery } from '../query.ts';
import { filters, route } from '../state.ts';
import type { Cost, Sort, Total } from '../types.ts';
import { CostTable, costColumns, type Column } from './cost_table.tsx';
import { NothingYet } from './nothing_yet.tsx';
import { Empty, ProblemNote } from './notes.tsx';
import { grouped, More, ordered, sortColumn, TableBar, tableOptions, type GroupBy } from './table_options.tsx';

interface TableRow extends Cost {
  path: string | null;
  module?: string;
  tid?: number;
  thread?: string;
}

interface Props<Row extends TableRow, Answer> {
  title: string;
  /** Its place below a session, in REST. */
  collection: string;
  /** What a row is. */
  one: string;
  rowsOf: (answer: Answer) => Row[];
  /** Between the rank and the numbers. */
  columnsOf: (by: Sort) => Column<Row>[];
  keyOf: (row: Row) => string;
  /** Below the table. */
  noteOf?: (answer: Answer) => ComponentChildren;
}

const NAMES: Record<Exclude<GroupBy, ''>, (row: TableRow) => string> = {
  file: (row) => row.path ?? '',
  module: (row) => row.module ?? '',
  thread: (row) => (row.tid === undefined ? '' : `${row.thread ?? ''} (${row.tid})`),
};

export function TableView<Row extends TableRow, Answer extends { total: Total; count: number }>(
  { title, collection, one, rowsOf, columnsOf, keyOf, noteOf }: Props<Row, Answer>,
) {
  const { session, by } = route.value;
  const { filter, group, order, ascending, rows } = tableOptions();
  const url = address(`/sessions/${session}/${collection}`, {
    ...filters.value, sort: by, limit: rows, filter, group: group === 'thread' ? group : null,
  });
  const { data, problem, url: answered } = useQuery<Answer>(url).value;
  const columns: Column<Row>[] = [
    { id: 'rank', title: '#', className: 'number rank quiet', render: (_row, rank) => rank },
    ...columnsOf(by),
    ...costColumns<Row>(by),
  ];
  const shown = data ? rowsOf(data) : [];
  return (
    <>
      <TableBar title={title} />
      {problem && !data ? <ProblemNote problem={problem} /> : !data ? <Empty>Counting…</Empty> : data.total.hits === 0 ? <NothingYet /> : (
        <div class="scroll" aria-busy={answered !== url}>
          <CostTable
            label={title}
            columns={columns}
            groups={grouped(ordered(shown, columns, order, ascending), group ? NAMES[group] : null)}
            keyOf={keyOf}
            sortedBy={order || by}
            ascending={order !== '' && ascending}
            sort={sortColumn}
            note={shown.length === 0 && filter ? <>No {one} matches “{filter}”.</> : noteOf?.(data)}
          />
          <More shown={shown.length} all={data.count} />
        </div>
      )}
    </>
  );
}
