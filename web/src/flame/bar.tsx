// Above the graph: search, what the colours mean, and which graph it is.
import type { RefObject } from 'preact';

import { percent, plural, time } from '../format.ts';
import { replace, route, setOption } from '../state.ts';
import type { PaneState } from '../views/flame.tsx';
import { sandwich, setInverted, zoomOut, type Direction } from './actions.ts';
import { KINDS, knownOf, type Graph } from './graph.ts';
import { visible } from './names.ts';
import { nextFound, type Found } from './search.ts';
import { KIND_NAMES, Swatch } from './tip.tsx';

interface BarProps {
  /** The pane that has the chosen frame, and the one that is always there. */
  pane: PaneState;
  main: PaneState;
  search: RefObject<HTMLInputElement>;
  selected: number;
  choose: (node: number) => void;
}

function FoundNote({ graph, found, zoom }: { graph: Graph; found: Found | null; zoom: number }) {
  if (!found) return null;
  const of = zoom ? graph.labels[graph.name[zoom]!]!.slice(0, 60) : 'all';
  if (!found.nodes) return <span class="quiet">not found{zoom ? ` in ${of}` : ''}</span>;
  return (
    <span title={`In ${plural(found.nodes, 'frame')}. A sample counts once, however often it is found on its stack.`}>
      <b>{percent((100 * found.width) / (graph.width[zoom]! || 1))} %</b> of {of}
    </span>
  );
}

function Search({ pane, search, selected, choose }: BarProps) {
  const { find = '' } = route.value.options;
  const { shown } = pane;
  const step = (back: boolean) => {
    if (!shown?.found) return;
    const node = nextFound(shown.graph, shown.found.names, selected < 0 ? shown.zoom : selected, shown.zoom, back);
    if (node >= 0) choose(node);
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter') step(event.shiftKey);
    else if (event.key === 'Escape' && !find) (event.currentTarget as HTMLInputElement).blur();
    else if (event.key === 'Escape') setOption('find', '', replace);
    else return;
    event.preventDefault();
  };
  return (
    <div class="flame-search">
      <input
        ref={search} type="search" value={find} placeholder="Search functions, files, modules" aria-label="Search functions, files and modules" aria-describedby="flame-found"
        spellcheck={false} autocomplete="off" onInput={(event) => setOption('find', event.currentTarget.value, replace)} onKeyDown={onKey}
      />
      <span id="flame-found" class="flame-found">{find && shown && <FoundNote graph={shown.graph} found={shown.found} zoom={shown.zoom} />}</span>
      {find && shown?.found && shown.found.nodes > 0 && (
        <span class="toggles">
          <button type="button" title="Frame found before (N)" aria-label="Frame found before" onClick={() => step(true)}>‹</button>
          <button type="button" title="Next frame found (n)" aria-label="Next frame found" onClick={() => step(false)}>›</button>
        </span>
      )}
    </div>
  );
}

function Chip({ text, name, title, remove }: { text: string; name: string; title: string; remove: () => void }) {
  return (
    <span class="chip" title={title}>
      <span>{text} <code><bdi>{name}</bdi></code></span>
      <button type="button" aria-label={`Remove: ${text} ${name}`} onClick={remove}>×</button>
    </span>
  );
}

export function FlameBar(props: BarProps) {
  const { options } = route.value;
  const { center, inverted, flip } = options;
  const { main } = props;
  const { shown } = main;
  return (
    <div class="bar-of-view flame-bar">
      <h1 class="visually-hidden">Flame graph</h1>
      <Search {...props} />
      {center && <Chip text="around" name={visible(center)} title={`Stacks with ${visible(center)}: callers above, callees below`} remove={() => sandwich('')} />}
      {center && shown && <span class="quiet flame-found">{time(shown.graph.totalTime_ns)} = 100 %</span>}
      {shown && shown.zoom > 0 && (
        <Chip text="zoom" name={shown.graph.labels[shown.graph.name[shown.zoom]!]!} title="As wide as the window (Esc: zoom out)" remove={() => zoomOut('zoom')} />
      )}
      {shown && !shown.zoomIsWhole && <span class="quiet">The zoomed frame is not among the samples shown.</span>}
      {shown ? <Legend graph={shown.graph} direction={main.direction} /> : <span class="flame-legend" />}
      {!center && (
        <>
          <span class="toggles" role="group" aria-label="Direction">
            <button type="button" aria-pressed={inverted !== '1'} title="From the root to what it calls (b)" onClick={() => setInverted(false)}>Top-down</button>
            <button type="button" aria-pressed={inverted === '1'} title="From where the time is spent to its callers (b)" onClick={() => setInverted(true)}>Bottom-up</button>
          </span>
          <button type="button" aria-pressed={flip === '1'} title="The root below, as flames stand (v)" onClick={() => setOption('flip', flip === '1' ? '' : '1')}>Flip</button>
        </>
      )}
    </div>
  );
}

/** By kind: the time spent in such code itself. From the leaves, that is the first row. */
function timeByKind(graph: Graph, direction: Direction): Float64Array {
  if (direction !== 'up') return graph.kindTime_ns;
  const times = new Float64Array(KINDS.length);
  for (let node = 1; node < (graph.rowFirst[2] ?? 0); node++) times[graph.kinds[graph.name[node]!]!]! += knownOf(graph, node).time_ns;
  return times;
}

/** The kinds of modules that are there, each with its share of the time. */
function Legend({ graph, direction }: { graph: Graph; direction: Direction }) {
  const times = timeByKind(graph, direction);
  const whole = times.reduce((sum, time_ns) => sum + time_ns, 0) || 1;
  return (
    <ul class="flame-legend" aria-label="Colours, and the share of the time spent in that kind of code itself">
      {KINDS.map((kind, i) => kind !== 'none' && times[i]! > 0 && (
        <li key={kind}><Swatch kind={kind} />{KIND_NAMES[kind]} <span class="quiet">{percent((100 * times[i]!) / whole)} %</span></li>
      ))}
    </ul>
  );
}
