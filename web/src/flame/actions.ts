// What can be done with a frame, by pointer, menu or key alike.
import { go as goTo, replace, route, type Route } from '../state.ts';
import { contains, knownOf, rowOf, type Graph } from './graph.ts';
import { focusOf, pathOf, stackEnd } from './path.ts';

/** From where to where a graph goes. */
export type Direction = 'down' | 'up' | 'callees' | 'callers';

/** Whether self means a function's own time: towards callers it is that of stacks that begin there. */
export const hasSelf = (direction: Direction) => direction === 'down' || direction === 'callees';

/** A frame of a pane. */
export interface Frame {
  graph: Graph;
  node: number;
  direction: Direction;
  /** The option of the URL that holds the zoom of its pane. */
  zoomOption: string;
}

const FRAMES_MAX = 16; // filters that the daemon takes
const REMEMBER_MS = 250;

export const nameOf = ({ graph, node }: Frame) => graph.names[graph.name[node]!]!;
export const labelOf = ({ graph, node }: Frame) => {
  const label = graph.labels[graph.name[node]!]!;
  const { folded } = knownOf(graph, node);
  return folded ? `${folded} more below ${graph.labels[graph.name[graph.parent[node]!]!]!}` : label;
};
export const isFunction = ({ graph, node }: Frame) => node > 0 && !knownOf(graph, node).folded;
export const sourceOf = ({ graph, node }: Frame) => graph.fileIds[knownOf(graph, node).file] || 0;

/** As go(): Back leads to what is chosen now. */
function go(change: () => Partial<Route>): void {
  flush();
  goTo(change());
}

function withOptions(change: Record<string, string>): Record<string, string> {
  return { ...route.value.options, ...change };
}

/** Makes a frame as wide as the window. One that was folded is asked for in detail instead. */
export function zoomTo(frame: Frame): void {
  const { graph, node, zoomOption } = frame;
  if (knownOf(graph, node).folded) return drill(frame);
  const path = pathOf(graph, node);
  go(() => ({ options: withOptions({ [zoomOption]: path, drill: path ? route.value.options.drill ?? '' : '' }) }));
}

/** Zooms to the caller of what was folded, and asks for all that is below it. */
function drill({ graph, node, zoomOption }: Frame): void {
  const path = pathOf(graph, graph.parent[node]!);
  const { options } = route.value;
  const deeper = (options[zoomOption] ?? '') === path ? Number(options.drill ?? 0) : 0;
  go(() => ({ options: withOptions({ [zoomOption]: path, drill: String(Math.min(9, deeper + 1)) }) }));
}

export function zoomOut(zoomOption: string): void {
  go(() => ({ options: withOptions({ [zoomOption]: '', drill: '' }) }));
}

/** What a stack must have to be one through a frame, as exactly as filters can say it; and how people would. */
export interface StackFilter {
  frames: string[];
  says: string;
}

export function stackFilter(frame: Frame): StackFilter {
  const { graph, node, direction } = frame;
  const path = focusOf(graph, node);
  const isPath = path.startsWith(';');
  if (direction === 'down') return { frames: [path], says: isPath ? 'stacks through this frame' : `stacks with ${labelOf(frame)}` };
  if (direction === 'up' && isPath) return { frames: [stackEnd(path)], says: rowOf(graph, node) > 1 ? 'stacks that end with this path' : `stacks that end in ${labelOf(frame)}` };
  let first = node;
  while (rowOf(graph, first) > 1) first = graph.parent[first]!;
  if (first === node) return { frames: [nameOf(frame)], says: `stacks with ${labelOf(frame)}` };
  return { frames: [...new Set([graph.names[graph.name[first]!]!, nameOf(frame)])], says: `stacks with both ${labelOf({ ...frame, node: first })} and ${labelOf(frame)}` };
}

/** The focus of the URL and the frame's stacks. */
export const focusWith = (frame: Frame) => added(route.value.focus, stackFilter(frame).frames);

function added(list: string[], more: string[]): string[] {
  return [...new Set([...list, ...more])].slice(-FRAMES_MAX);
}

/** Another filter makes another graph: what was zoomed is not kept, what is searched is. */
function filter(change: { focus?: string[]; hide?: string[] }): void {
  go(() => ({ ...change, options: withOptions({ zoom: '', up: '', drill: '' }) }));
}

export const focusFunction = (frame: Frame) => filter({ focus: added(route.value.focus, [nameOf(frame)]) });
export const focusStack = (frame: Frame) => filter({ focus: focusWith(frame) });
export const hideFunction = (frame: Frame) => filter({ hide: added(route.value.hide, [nameOf(frame)]) });

/** Where the source of the frame's function is shown alone, of the stacks through this frame. */
export function sourceRoute(frame: Frame): Partial<Route> {
  const { graph, node } = frame;
  const by = route.value.options.cost === 'self' ? 'self' : 'total';
  return { view: 'source', file: sourceOf(frame), by, focus: focusWith(frame), options: { line: String(knownOf(graph, node).line || 1) } };
}

export const openSource = (frame: Frame) => go(() => sourceRoute(frame));

/** Whether the source of the chosen frame is shown with the graph. */
export const hasSource = () => route.value.options.source === '1';

export function showSource(isShown: boolean): void {
  if (isShown !== hasSource()) go(() => ({ options: withOptions({ source: isShown ? '1' : '' }) }));
}

/** From the leaves or from the root: another graph, in which a zoom means nothing. */
export function setInverted(inverted: boolean): void {
  go(() => ({ options: withOptions({ inverted: inverted ? '1' : '', zoom: '', drill: '', node: '', above: '' }) }));
}

/** What calls a function above it, what it calls below it, wherever it is called. Empty: no more. */
export function sandwich(name: string): void {
  go(() => ({ options: withOptions({ center: name, zoom: '', up: '', drill: '', node: '', above: '', inverted: '' }) }));
}

export function copyName(frame: Frame): void {
  void navigator.clipboard?.writeText(nameOf(frame));
}

let pending: Record<string, string> | null = null;
let timer = 0;

function write(): void {
  const options = withOptions(pending!);
  pending = null;
  replace({ options });
}

/** Writes what is still to be written, before a step that Back leads back from. */
export function flush(): void {
  clearTimeout(timer);
  timer = 0;
  if (pending) write();
}

/** What is chosen, into the URL, without a step for Back: a key held down must not write it a hundred times. */
export function remember(options: Record<string, string>): void {
  pending = options;
  timer ||= setTimeout(flush, REMEMBER_MS) as unknown as number;
}

/** The view is left: the URL is another one's. */
export function forget(): void {
  clearTimeout(timer);
  timer = 0;
  pending = null;
}

/** The frame that a key leads to, within the zoom; the same one when there is none. */
export function neighbour(graph: Graph, node: number, key: string, zoom: number, flip: boolean): number {
  const first = graph.firstChild[node]!;
  const end = graph.firstChild[node + 1]!;
  const down = flip ? 'ArrowUp' : 'ArrowDown';
  if (key === 'ArrowLeft' || key === 'ArrowRight') {
    const next = key === 'ArrowLeft' ? node - 1 : node + 1;
    const sameRow = next >= 0 && next < graph.count && rowOf(graph, next) === rowOf(graph, node);
    return sameRow && (contains(graph, zoom, next) || !contains(graph, zoom, node)) ? next : node;
  }
  if (key !== down) return graph.parent[node]!;
  if (contains(graph, node, zoom) && node !== zoom) { // on the way to the zoom: only one child is seen
    let below = zoom;
    while (graph.parent[below] !== node) below = graph.parent[below]!;
    return below;
  }
  let widest = node;
  for (let child = first; child < end; child++) if (widest === node || graph.width[child]! > graph.width[widest]!) widest = child;
  return widest;
}
