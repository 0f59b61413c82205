// All functions, with cProfile's columns: self and total.
import { address } from '../api.ts';
import { splitPath } from '../format.ts';
import { Meter, CostTable, costColumns, type Column } from '../parts/cost_table.tsx';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { NothingYet } from '../parts/nothing_yet.tsx';
import { grouped, More, ordered, sortColumn, TableBar, tableOptions, type GroupBy } from '../parts/table_options.tsx';
import { useQuery } from '../query.ts';
import { filters, link, route } from '../state.ts';
import type { FunctionRow, Functions, Sort } from '../types.ts';

function columnsOf(by: Sort): Column<FunctionRow>[] {
  return [
    { id: 'rank', title: '#', className: 'number rank quiet', render: (_row, rank) => rank },
    {
      id: 'function', title: 'Function', className: 'function place mono', order: (row) => row.function,
      render: (row) => (
        <>
          <Meter value={row[`${by}_percent`]} />
          <a data-row href={link({ view: 'flame', options: { center: row.function } })} title={`${row.function}\nShow its callers and callees`}>{row.function}</a>
        </>
      ),
    },
    {
      id: 'place', title: 'Declared at', className: 'declared mono', order: (row) => row.path ?? '',
      render: (row) => row.file && row.path
        ? <a href={link({ view: 'source', file: row.file, options: row.line ? { line: String(row.line) } : {} })} title={row.path}>{splitPath(row.path)[1]}{row.line ? `:${row.line}` : ''}</a>
        : <span class="quiet">–</span>,
    },
    { id: 'module', title: 'Module', className: 'module mono quiet', order: (row) => row.module, render: (row) => <span title={row.module}>{splitPath(row.module)[1]}</span> },
    ...costColumns<FunctionRow>(by),
  ];
}

const NAMES: Record<Exclude<GroupBy, ''>, (row: FunctionRow) => string> = {
  file: (row) => row.path ?? '',
  module: (row) => row.module,
  thread: (row) => (row.tid === undefined ? '' : `${row.thread ?? ''} (${row.tid})`),
};

export function FunctionsView() {
  const { session, by } = route.value;
  const { filter, group, order, ascending, rows } = tableOptions();
  const url = address(`/sessions/${session}/functions`, {
    ...filters.value, sort: by, limit: rows, filter, group: group === 'thread' ? group : null,
  });
  const { data, problem, url: answered } = useQuery<Functions>(url).value;
  const columns = columnsOf(by);
  return (
    <>
      <TableBar title="Functions" />
      {problem && !data ? <ProblemNote problem={problem} /> : !data ? <Empty>Counting…</Empty> : data.total.hits === 0 ? <NothingYet /> : (
        <div class="scroll" aria-busy={answered !== url}>
          <CostTable
            label="Functions"
            columns={columns}
            groups={grouped(ordered(data.functions, columns, order, ascending), group ? NAMES[group] : null)}
            keyOf={(row) => `${row.module}:${row.function}:${row.path}:${row.line}:${row.tid ?? ''}`}
            sortedBy={order || by}
            ascending={order !== '' && ascending}
            sort={sortColumn}
            note={data.functions.length === 0 && filter ? <>No function matches “{filter}”.</> : null}
          />
          <More shown={data.functions.length} all={data.count} />
        </div>
      )}
    </>
  );
}
