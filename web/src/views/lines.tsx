// The hottest lines of all files.
import { address } from '../api.ts';
import { splitPath } from '../format.ts';
import { Meter, CostTable, costColumns, type Column } from '../parts/cost_table.tsx';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { NothingYet } from '../parts/nothing_yet.tsx';
import { grouped, More, ordered, sortColumn, TableBar, tableOptions, UnknownNote, type GroupBy } from '../parts/table_options.tsx';
import { useQuery } from '../query.ts';
import { filters, link, route } from '../state.ts';
import type { LineRow, Lines, Sort } from '../types.ts';

function columnsOf(by: Sort): Column<LineRow>[] {
  return [
    { id: 'rank', title: '#', className: 'number rank quiet', render: (_row, rank) => rank },
    {
      id: 'place', title: 'Line', className: 'place mono',
      order: (row) => `${splitPath(row.path)[1]}:${String(row.line).padStart(9, '0')}`,
      render: (row) => {
        const [folder, name] = splitPath(row.path);
        return (
          <>
            <Meter value={row[`${by}_percent`]} />
            <a data-row href={link({ view: 'source', file: row.file, by, options: { line: String(row.line) } })} title={`${row.path}:${row.line}`}>
              {name}:{row.line}
            </a>{' '}
            <span class="where folder">{folder}</span>
          </>
        );
      },
    },
    { id: 'function', title: 'Function', className: 'function mono', order: (row) => row.function, render: (row) => <span title={row.function}>{row.function}</span> },
    ...costColumns<LineRow>(by),
  ];
}

const NAMES: Record<Exclude<GroupBy, ''>, (row: LineRow) => string> = {
  file: (row) => row.path,
  module: (row) => row.module ?? '',
  thread: (row) => (row.tid === undefined ? '' : `${row.thread ?? ''} (${row.tid})`),
};

export function LinesView() {
  const { session, by } = route.value;
  const { filter, group, order, ascending, rows } = tableOptions();
  const url = address(`/sessions/${session}/lines`, {
    ...filters.value, sort: by, limit: rows, filter, group: group === 'thread' ? group : null,
  });
  const { data, problem, url: answered } = useQuery<Lines>(url).value;
  const columns = columnsOf(by);
  return (
    <>
      <TableBar title="Hot lines" />
      {problem && !data ? <ProblemNote problem={problem} /> : !data ? <Empty>Counting…</Empty> : data.total.hits === 0 ? <NothingYet /> : (
        <div class="scroll" aria-busy={answered !== url}>
          <CostTable
            label="Hot lines"
            columns={columns}
            groups={grouped(ordered(data.lines, columns, order, ascending), group ? NAMES[group] : null)}
            keyOf={(row) => `${row.file}:${row.line}:${row.tid ?? ''}`}
            sortedBy={order || by}
            ascending={order !== '' && ascending}
            sort={sortColumn}
            note={data.lines.length === 0 && filter ? <>No line matches “{filter}”.</> : <UnknownNote unknown={data.unknown} hits={data.total.hits} />}
          />
          <More shown={data.lines.length} all={data.count} />
        </div>
      )}
    </>
  );
}
