// Who calls a line: its callers as a tree, a row for each line that calls, dearest first, opened on demand.
import { useState } from 'preact/hooks';

import { address } from '../api.ts';
import { count, percent, splitPath, time } from '../format.ts';
import { useQuery } from '../query.ts';
import { filters, go, link, route } from '../state.ts';
import { callerTree, type Caller, type Graph } from './caller_tree.ts';

const PAUSE_MS = 1500;
const ROWS_MAX = 50; // of one parent
const OPEN_DEPTH = 4;
const OPEN_PERCENT = 5;

/** The same caller in the next answer, wherever it then stands. */
function keyOf({ module, name, path, line }: Caller): string {
  return `${module}:${name}:${path}:${line}`;
}

function Branch({ node, whole, depth }: { node: Caller; whole: number; depth: number }) {
  const share = whole ? (100 * node.time_ns) / whole : 0;
  // A single caller is no choice: the way up is shown as far as it is one, and the first choices.
  const [open, setOpen] = useState(depth < OPEN_DEPTH && share >= OPEN_PERCENT);
  const shown = open || node.children.length === 1;
  const [, name] = splitPath(node.path);
  return (
    <li>
      <div class="caller">
        <span class="meter" style={{ width: `${Math.min(100, share)}%` }} />
        <span class="number share" title={`${time(node.time_ns)}, ${count(node.hits)} samples`}>{percent(share)}</span>
        {node.children.length > 1 ? (
          <button type="button" class="twist" aria-expanded={open} aria-label={open ? `Hide callers of ${node.name}` : `Show callers of ${node.name}`} onClick={() => setOpen(!open)}>{open ? '▾' : '▸'}</button>
        ) : <span class="twist" aria-hidden="true">{node.children.length ? '↑' : ''}</span>}
        <span class="who mono" title={`${node.name}\n${node.module}`}>{node.name}</span>
        {node.file > 0 && node.line > 0 && (
          <a class="mono" title={`${node.path}:${node.line}${depth ? '\nThe line of the call' : ''}`} href={link({ view: 'source', file: node.file, options: { ...(node.file === route.value.file ? route.value.options : {}), line: String(node.line) } })}>
            {name}:{node.line}
          </a>
        )}
      </div>
      {shown && node.children.length > 0 && (
        <ul class={node.children.length === 1 ? 'chain' : ''}>
          {node.children.slice(0, ROWS_MAX).map((child) => <Branch key={keyOf(child)} node={child} whole={whole} depth={depth + 1} />)}
          {node.children.length > ROWS_MAX && <li class="quiet">and {count(node.children.length - ROWS_MAX)} more</li>}
        </ul>
      )}
    </li>
  );
}

export function Callers({ path, line, close }: { path: string; line: number; close: () => void }) {
  const { session } = route.value;
  const center = `${path}:${line}`;
  const { data, problem } = useQuery<Graph>(address(`/sessions/${session}/flamegraph`, { ...filters.value, center, direction: 'callers', sites: 1, min_percent: 0.1 }), { pause_ms: PAUSE_MS }).value;
  const tree = data && callerTree(data);
  const [, name] = splitPath(path);
  return (
    <aside class="callers" aria-label={`Callers of ${name}:${line}`}>
      <header>
        <h2>Callers of <span class="mono">{name}:{line}</span></h2>
        <button type="button" class="icon" aria-label="Close the callers" title="Esc" onClick={close}>×</button>
      </header>
      {problem && !data ? <p class="quiet">{problem.message}</p> : !tree ? <p class="quiet">Counting…</p> : tree.hits === 0 ? (
        <p class="quiet">No sample has this line on its stack.</p>
      ) : (
        <>
          <p class="quiet summary">{time(tree.time_ns)} in {count(tree.hits)} samples. Shares are of this.</p>
          <ul>{tree.children.map((child) => <Branch key={keyOf(child)} node={child} whole={tree.time_ns} depth={0} />)}</ul>
          <p class="more-ways">
            <button type="button" onClick={() => go({ focus: [...route.value.focus.filter((one) => one !== center), center] })}>Count only stacks with this line</button>
            <a class="button" href={link({ view: 'flame', focus: [...route.value.focus.filter((one) => one !== center), center] })}>Flame graph of them</a>
          </p>
        </>
      )}
    </aside>
  );
}
