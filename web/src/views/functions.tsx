// All functions, with cProfile's columns: self and total.
import { splitPath } from '../format.ts';
import { Meter, type Column } from '../parts/cost_table.tsx';
import { TableView } from '../parts/table_view.tsx';
import { link } from '../state.ts';
import type { FunctionRow, Functions, Sort } from '../types.ts';

function columnsOf(by: Sort): Column<FunctionRow>[] {
  return [
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
  ];
}

export function FunctionsView() {
  return (
    <TableView<FunctionRow, Functions>
      title="Functions"
      collection="functions"
      one="function"
      rowsOf={({ functions }) => functions}
      columnsOf={columnsOf}
      keyOf={(row) => `${row.module}:${row.function}:${row.path}:${row.line}:${row.tid ?? ''}`}
    />
  );
}
