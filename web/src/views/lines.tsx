// The hottest lines of all files.
import { splitPath } from '../format.ts';
import { Meter, type Column } from '../parts/cost_table.tsx';
import { UnknownNote } from '../parts/table_options.tsx';
import { TableView } from '../parts/table_view.tsx';
import { link } from '../state.ts';
import type { LineRow, Lines, Sort } from '../types.ts';

function columnsOf(by: Sort): Column<LineRow>[] {
  return [
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
  ];
}

export function LinesView() {
  return (
    <TableView<LineRow, Lines>
      title="Hot lines"
      collection="lines"
      one="line"
      rowsOf={({ lines }) => lines}
      columnsOf={columnsOf}
      keyOf={(row) => `${row.file}:${row.line}:${row.tid ?? ''}`}
      noteOf={({ unknown, total }) => <UnknownNote unknown={unknown} hits={total.hits} />}
    />
  );
}
