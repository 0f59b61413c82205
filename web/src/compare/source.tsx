// One file of the comparison: its text with the costs of both sides.
import { fileText } from '../api.ts';
import { useAsync } from '../async.ts';
import { percent, plural, splitPath } from '../format.ts';
import { SourceText } from '../listing/text.ts';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import type { Query } from '../query.ts';
import { link, route } from '../state.ts';
import type { Diff, Sort } from '../types.ts';
import type { Choice } from './choice.ts';
import { Delta } from './delta.tsx';
import { compareLines, foldLines, type ComparedLine } from './listing.ts';
import { choose } from './sides.tsx';

const ROWS_MAX = 4000;

async function textOf(session: number, file: number | null): Promise<SourceText | null> {
  if (!file) return null;
  try {
    const { text, status } = await fileText(session, file);
    return status === 'stale' ? null : new SourceText(text);
  } catch {
    return null; // why stands in the source view
  }
}

function Row({ line, text, by, scale }: { line: ComparedLine; text: string | null; by: Sort; scale: number }) {
  const row = line.row;
  const only = line.only ? `only-${line.only}` : '';
  return (
    <tr class={only}>
      <td class="number quiet">{line.a ?? ''}</td>
      <td class="number quiet">{line.b ?? ''}</td>
      <td class="number">{row ? percent(row.a[`${by}_percent`]) : ''}</td>
      <td class="number">{row ? percent(row.b[`${by}_percent`]) : ''}</td>
      <td class="change">{row && <Delta row={row} scale={scale} />}</td>
      <td class="code mono">{only && <span class="only" title={only === 'only-a' ? 'only in A' : 'only in B'}>{only === 'only-a' ? '−' : '+'}</span>}{text ?? <i class="quiet">{row?.function}</i>}</td>
    </tr>
  );
}

export function CompareSource({ query, choice, scale }: { query: Query<Diff>; choice: Choice; scale: number }) {
  const { data, problem } = query;
  const [aFile, bFile] = [data?.file?.a ?? null, data?.file?.b ?? null];
  const texts = useAsync(
    async () => ({ of: `${aFile}/${bFile}`, a: await textOf(choice.a.session, aFile), b: await textOf(choice.b.session, bFile) }),
    [choice.a.session, choice.b.session, aFile, bFile],
  ).data;
  const by = route.value.by;
  const path = data?.rows.find(({ b }) => b.path)?.b.path ?? '';
  const back = <button type="button" onClick={() => choose({ file: 0 })}>← All lines</button>;
  if (problem && !data) return <><p class="bar-of-view">{back}</p><ProblemNote problem={problem} /></>;
  if (!data?.file || texts?.of !== `${aFile}/${bFile}`) return <Empty>Comparing…</Empty>;
  // Lines beyond a text are shown if they cost: debug information may name the four thousand millionth.
  const lines = foldLines(compareLines(data, texts.a?.count ?? 0, texts.b?.count ?? 0));
  const shown = lines.slice(0, ROWS_MAX);
  return (
    <>
      <div class="bar-of-view">
        {back}
        <h3 class="mono">{splitPath(path)[1]} <span class="quiet">{splitPath(path)[0]}</span></h3>
        <a href={link({ view: 'source', file: choice.file, ...choice.b })}>Listing of B</a>
        {data.file.alignment === 'number' && <span class="quiet">A’s text is not known (any more): lines are matched by their function.</span>}
        {data.file.alignment === 'text' && <span class="quiet">The texts differ: lines are matched by their text.</span>}
        {!texts.b && <span class="quiet">The text of B cannot be read.</span>}
      </div>
      <div class="scroll" tabIndex={0} role="region" aria-label="Both sides">
        <table class="compare-source" aria-label="Lines of both sides">
          <thead>
            <tr>
              <th scope="col" class="number">A</th><th scope="col" class="number">B</th>
              <th scope="col" class="number">A %</th><th scope="col" class="number">B %</th>
              <th scope="col" class="change">Δ points</th><th scope="col" class="code">Line Contents</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((line, i) => 'folded' in line
              ? <tr key={`fold-${i}`} class="fold"><td colSpan={6} class="quiet">{plural(line.folded, 'line')} without cost</td></tr>
              : <Row key={`${line.a}-${line.b}`} line={line} by={by} scale={scale} text={(line.b !== null ? texts.b?.line(line.b) : texts.a?.line(line.a!)) ?? null} />)}
          </tbody>
        </table>
        {shown.length < lines.length && <p class="table-note">The first {plural(shown.length, 'row')} of {plural(lines.length, 'row')}.</p>}
      </div>
    </>
  );
}
