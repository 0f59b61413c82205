// The flame graph: where the time goes, by who called whom. From the root (an icicle, or flipped), from
// the leaves, or around one function: its callers above, its callees below.
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { address } from '../api.ts';
import { forget, hasSource, remember, showSource, type Direction, type Frame } from '../flame/actions.ts';
import { FlameBar } from '../flame/bar.tsx';
import type { FlameCanvas } from '../flame/canvas.ts';
import { useFlameKeys } from '../flame/flame_keys.ts';
import { Menu } from '../flame/menu.tsx';
import { visible } from '../flame/names.ts';
import { Pane } from '../flame/pane.tsx';
import { FOCUS_BYTES, findKey, findPath, pathOf, stackEnd } from '../flame/path.ts';
import { SourcePanel } from '../flame/source.tsx';
import { useSubject } from '../flame/subject.ts';
import { Detail } from '../flame/tip.tsx';
import { useFlame, type Shown } from '../flame/use.ts';
import { NothingYet } from '../parts/nothing_yet.tsx';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { filters, link, route, setOption } from '../state.ts';

const MIN_PERCENT = 0.02; // less than half a pixel of a window
const MAX_NODES = 50_000;
const DOUBLE_CLICK_MS = 300; // until then nothing moves below the pointer

/** Who is chosen: in which pane, and which node, by what it is called. */
interface Choice {
  pane: string;
  key: number;
  lock: number;
}

export interface PaneState {
  name: string;
  label: string;
  direction: Direction;
  zoomOption: string;
  flip: boolean;
  /** Around a function the rows before it, or up to it, are not shown: it is there once. */
  firstRow: number;
  shown: Shown | null;
  canvas: FlameCanvas | null;
}

/** What to ask for: finer the deeper somebody drills, of the stacks through the zoom alone where a filter can say so. */
function urlOf(direction: Direction): string {
  const { session, options, focus } = route.value;
  const drill = Math.min(9, Number(options.drill) || 0);
  const zoom = options.zoom ?? '';
  const byPath = drill > 0 && (direction === 'down' || direction === 'up') && zoom.startsWith(';') && zoom.length <= FOCUS_BYTES;
  return address(`/sessions/${session}/flamegraph`, {
    ...filters.value,
    focus: byPath ? [...focus, direction === 'up' ? stackEnd(zoom) : zoom].slice(-16) : focus,
    min_percent: String(MIN_PERCENT / 10 ** Math.max(0, drill - (byPath ? 1 : 0))),
    max_nodes: MAX_NODES,
    inverted: direction === 'up' ? 1 : null,
    center: direction === 'callers' || direction === 'callees' ? options.center : null,
    direction: direction === 'callers' || direction === 'callees' ? direction : null,
  });
}

/** The panes of the route: one, or the callers above the callees. */
function usePanes(): { panes: PaneState[]; problem: ReturnType<typeof useFlame>['problem'] } {
  const { options } = route.value;
  const { center, find = '' } = options;
  const canvases = useRef<Record<string, FlameCanvas | null>>({});
  const main: Direction = center ? 'callees' : options.inverted === '1' ? 'up' : 'down';
  const lower = useFlame('main', urlOf(main), `${main} ${center ?? ''}`, find, options.zoom ?? '');
  const upper = useFlame('callers', center ? urlOf('callers') : null, `callers ${center ?? ''}`, find, options.up ?? '');
  const pane = (name: string, label: string, direction: Direction, zoomOption: string, flip: boolean, firstRow: number, shown: Shown | null): PaneState => ({
    name, label, direction, zoomOption, flip, firstRow, shown,
    get canvas() { return canvases.current[name] ?? null; },
    set canvas(canvas) { canvases.current[name] = canvas; },
  });
  if (!center) {
    const label = main === 'up' ? 'Flame graph, from the leaves' : 'Flame graph';
    return { panes: [pane('main', label, main, 'zoom', options.flip === '1', 0, lower.shown)], problem: lower.problem };
  }
  const name = visible(center).slice(0, 80);
  return {
    panes: [
      pane('callers', `Callers of ${name}`, 'callers', 'up', true, 2, upper.shown),
      pane('main', `Callees of ${name}`, 'callees', 'zoom', false, 1, lower.shown),
    ],
    problem: lower.problem ?? upper.problem,
  };
}

/** The frame that is chosen, kept from answer to answer, and in the URL. */
function useChoice(panes: PaneState[]): { chosen: (pane: PaneState) => number; choose: (pane: PaneState, node: number) => void } {
  const [choice, setChoice] = useState<Choice | null>(null);
  const written = useRef(''); // what we wrote, or are about to
  const seen = useRef(''); // what the URL had
  const { node: ofMain = '', above = '' } = route.value.options;
  const asked = above ? `^${above}` : ofMain;
  const named = above ? panes.find(({ name }) => name === 'callers') : panes.at(-1)!;
  const graph = named?.shown?.graph;
  useLayoutEffect(() => { // before the next click or key: what we wrote is not to be taken for what somebody went to
    if (!graph || asked === seen.current) return;
    seen.current = asked;
    if (asked === written.current) return;
    written.current = asked;
    const { node, whole } = findPath(graph, above || ofMain);
    setChoice(asked && whole ? { pane: named!.name, key: graph.key[node]!, lock: graph.lock[node]! } : null);
  }, [asked, graph]);
  useEffect(() => forget, []);
  return {
    chosen: ({ name, shown }) => (choice?.pane === name && shown ? findKey(shown.graph, choice.key, choice.lock) : -1),
    choose: (pane, node) => {
      const { graph: of } = pane.shown!;
      setChoice(node < 0 ? null : { pane: pane.name, key: of.key[node]!, lock: of.lock[node]! });
      if (node >= 0) pane.canvas?.reveal(node);
      const path = node < 0 ? '' : pathOf(of, node);
      const isMain = pane.name === 'main';
      written.current = isMain || !path ? path : `^${path}`;
      remember({ node: isMain ? path : '', above: isMain ? '' : path });
    },
  };
}

function Nothing() {
  const { center } = route.value.options;
  if (!center) return <NothingYet />;
  return (
    <Empty title="No stack has this function">
      No sample was taken in <code>{visible(center)}</code> or in what it calls. <button type="button" onClick={() => setOption('center', '')}>Show all stacks</button>
    </Empty>
  );
}

export function FlameView() {
  const { panes, problem } = usePanes();
  const { chosen, choose } = useChoice(panes);
  const [menu, setMenu] = useState<{ frame: Frame; x: number; y: number } | null>(null);
  const search = useRef<HTMLInputElement>(null);
  const main = panes.at(-1)!;
  const nodes = new Map(panes.map((pane) => [pane, chosen(pane)]));
  const active = panes.find((pane) => nodes.get(pane)! >= 0) ?? main;
  const selected = nodes.get(active)!;
  const frame = (pane: PaneState, node: number): Frame => ({ graph: pane.shown!.graph, node, direction: pane.direction, zoomOption: pane.zoomOption });
  const chosenFrame = selected >= 0 ? frame(active, selected) : null;
  const subject = useSubject(chosenFrame);
  const opening = useRef(0);
  const pick = (pane: PaneState, node: number, clicks: number) => {
    clearTimeout(opening.current);
    choose(pane, node);
    if (node > 0 && clicks < 2 && !hasSource()) opening.current = setTimeout(() => showSource(true), DOUBLE_CLICK_MS) as unknown as number;
  };
  useEffect(() => () => clearTimeout(opening.current), []);
  const closeSource = () => {
    showSource(false);
    document.querySelector<HTMLElement>('.flame-scroll')?.focus();
  };
  useFlameKeys({
    panes, active, selected, search, choose, closeSource, frame: chosenFrame,
    openMenu: () => {
      const at = active.canvas?.place(selected);
      if (at) setMenu({ frame: frame(active, selected), ...at });
    },
  });
  useEffect(() => setMenu(null), [link({ options: { ...route.value.options, node: '', above: '', source: '' } })]); // it is of the graph that was

  const empty = panes.every(({ shown }) => shown && shown.graph.totalHits === 0);
  const waiting = panes.some(({ shown }) => !shown);
  return (
    <div class="flame">
      <FlameBar pane={active} main={main} search={search} choose={(node) => choose(active, node)} selected={selected} />
      {problem && (waiting ? <ProblemNote problem={problem} /> : <p class="flame-note" role="alert">{problem.message}</p>)}
      {waiting && !problem && <Empty>Asking for the stacks…</Empty>}
      {!waiting && empty && <Nothing />}
      {!waiting && !empty && (
        <div class="flame-body">
          <div class="flame-graph">
            <div class="flame-panes">
              {panes.map((pane) => (
                <Pane
                  key={`${pane.name} ${pane.firstRow}`} {...pane} shown={pane.shown!} selected={nodes.get(pane)!} select={(node) => choose(pane, node)}
                  pick={(node, clicks) => pick(pane, node, clicks)}
                  openMenu={(node, x, y) => setMenu({ frame: frame(pane, node), x, y })} attach={(canvas) => { pane.canvas = canvas; }}
                >
                  {panes.length > 1 && <h2>{pane.direction === 'callers' ? 'Callers' : 'Callees'}</h2>}
                </Pane>
              ))}
            </div>
            <Detail frame={chosenFrame} zoom={active.shown!.zoom} openMenu={(x, y) => setMenu({ frame: frame(active, selected), x, y })} />
          </div>
          {hasSource() && <SourcePanel subject={subject} close={closeSource} />}
        </div>
      )}
      {menu && <Menu key={`${menu.x} ${menu.y}`} {...menu} close={() => setMenu(null)} />}
    </div>
  );
}
