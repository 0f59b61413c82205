// Two ranges of a session, or two sessions: both numbers, their difference, and whether it is chance.
import { address, listSessions } from '../api.ts';
import { useAsync } from '../async.ts';
import { count, percent, plural, splitPath } from '../format.ts';
import { useKeys } from '../keys.ts';
import { choiceOf, isChosen, parametersOf } from '../compare/choice.ts';
import { Delta } from '../compare/delta.tsx';
import { choose, halves, Sides, swap } from '../compare/sides.tsx';
import { CompareSource } from '../compare/source.tsx';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { sortColumn, SortToggle } from '../parts/table_options.tsx';
import { useQuery } from '../query.ts';
import { filters, route, setOption } from '../state.ts';
import type { Diff, DiffRow, Sort } from '../types.ts';

const ROWS = 200;
const SESSIONS_MS = 5000;
const ORDERS: ['delta' | 'a' | 'b', string][] = [['delta', 'largest change first'], ['a', 'A’s hottest first'], ['b', 'B’s hottest first']];

/** The largest change: the bars are drawn in proportion to it. */
function scaleOf(rows: DiffRow[]): number {
  return rows.reduce((most, row) => Math.max(most, Math.abs(row.delta_percent)), 0);
}

function Place({ row }: { row: DiffRow }) {
  const place = row.b.file ? row.b : row.a;
  const where = place.path ? `${splitPath(place.path)[1]}:${place.line ?? '?'}` : '–';
  const moved = row.alignment && row.a.line !== null && row.b.line !== null && row.a.line !== row.b.line;
  return (
    <>
      {row.b.file && row.alignment
        ? <button type="button" class="link" data-row onClick={() => choose({ file: row.b.file! })}>{where}</button>
        : <span>{where}</span>}
      {moved && <span class="quiet"> (A: {row.a.line})</span>}
      {row.presence !== 'both' && <span class="quiet"> only in {row.presence.toUpperCase()}</span>}
      {row.alignment === 'number' && <span class="quiet" title="Neither text nor function is known on both sides: lines are matched by their number"> by number</span>}
    </>
  );
}

function Rows({ diff, by, isOld }: { diff: Diff; by: Sort; isOld: boolean }) {
  const scale = scaleOf(diff.rows);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label="Both sides" aria-busy={isOld}>
      <table class="compare" aria-label="Differences">
        <thead>
          <tr>
            <th scope="col" class="function">Function</th>
            <th scope="col" class="where">{diff.kind === 'lines' ? 'Line' : 'Declared at'}</th>
            <th scope="col" class="number percent">A %</th>
            <th scope="col" class="number percent">B %</th>
            <th scope="col" class="change" title="Percentage points that B has more (+) or less (−) than A">Δ points</th>
            <th scope="col" class="number hits">A hits</th>
            <th scope="col" class="number hits">B hits</th>
          </tr>
        </thead>
        <tbody>
          {diff.rows.map((row, i) => (
            <tr key={`${row.module}:${row.function}:${row.a.file}:${row.a.line}:${row.b.file}:${row.b.line}:${row.function ? '' : i}`}>
              <td class="function mono" title={`${row.function}\n${row.module}`}>{row.function || 'unknown'}</td>
              <td class="where mono"><Place row={row} /></td>
              <td class="number percent">{percent(row.a[`${by}_percent`])}</td>
              <td class="number percent">{percent(row.b[`${by}_percent`])}</td>
              <td class="change"><Delta row={row} scale={scale} /></td>
              <td class="number hits">{count(row.a[`${by}_hits`])}</td>
              <td class="number hits">{count(row.b[`${by}_hits`])}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="table-note">
        {plural(diff.significant, 'row')} of {plural(diff.count, 'row')} differ by more than chance (●): two-proportion tests, with a false discovery
        rate of 5 % over all rows. Orange and + : B spends a larger share. Blue and − : a smaller one.
      </p>
    </div>
  );
}

export function CompareView() {
  const choice = choiceOf(route.value);
  const by = route.value.by;
  const chosen = isChosen(choice);
  const known = useAsync(listSessions, [choice.a.session, choice.b.session], SESSIONS_MS).data;
  const missing = known && [choice.a, choice.b].find(({ session }) => !known.some(({ id }) => id === session));
  const { inlines, kernel, focus, hide } = filters.value;
  const url = chosen && known && !missing ? address('/diff', {
    ...parametersOf(choice), share: by, inlines, kernel, focus, hide, limit: choice.file ? null : ROWS,
  }) : null;
  const query = useQuery<Diff>(url, { pause_ms: 1000 }).value;
  useKeys('Compare', [
    { key: 'x', title: 'Exchange A and B', run: swap },
    { key: 't', title: 'Self or total', run: () => sortColumn(route.value.by === 'self' ? 'total' : 'self') },
  ]);
  const { problem } = query;
  // Numbers of one session never stand under the name of another.
  const data = query.data?.a.session === choice.a.session && query.data.b.session === choice.b.session ? query.data : null;
  return (
    <>
      <div class="bar-of-view">
        <h2>Compare</h2>
        <SortToggle by={by} />
        <span class="toggles" role="group" aria-label="Rows">
          <button type="button" aria-pressed={choice.kind === 'lines'} onClick={() => choose({ kind: 'lines', file: 0 })}>Lines</button>
          <button type="button" aria-pressed={choice.kind === 'functions'} onClick={() => choose({ kind: 'functions', file: 0 })}>Functions</button>
        </span>
        <select aria-label="Order" value={choice.order} onChange={(event) => setOption('order', event.currentTarget.value === 'delta' ? '' : event.currentTarget.value)}>
          {ORDERS.map(([name, title]) => <option key={name} value={name}>{title}</option>)}
        </select>
        <button type="button" onClick={halves}>First half against second</button>
      </div>
      <Sides choice={choice} known={known} a={data?.a} b={data?.b} />
      {missing ? <Empty title={`There is no session ${missing.session}`}>lprofd has it no longer, or never had it: choose another one.</Empty> : !chosen ? (
        <Empty title="Compare what with what?">
          Two ranges of this session: select one on the timeline and put it into A, then another into B. Or other threads on one side, or another
          session: another run, perhaps of a rebuilt program.
        </Empty>
      ) : choice.file ? <CompareSource key={`${choice.a.session}/${choice.b.session}/${choice.file}`} query={{ ...query, data }} choice={choice} scale={data ? scaleOf(data.rows) : 0} />
        : problem && !data ? <ProblemNote problem={problem} />
          : !data ? <Empty>Comparing…</Empty>
            : data.a.total.hits === 0 || data.b.total.hits === 0 ? (
              <Empty title={`No samples in ${data.a.total.hits === 0 ? 'A' : 'B'}`}>The program used no CPU time there: choose another range.</Empty>
            ) : <Rows diff={data} by={by} isOld={query.url !== url} />}
    </>
  );
}
