// What can be done with a frame, by pointer, menu or key alike.
import { go as goTo, replace, route, type Route } from '../state.ts';
import { contains, rowOf, type Graph } from './graph.ts';
import { focusOf, pathOf } from './path.ts';

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
  const folded = graph.folded[node]!;
  return folded ? `${folded} more below ${graph.labels[graph.name[graph.parent[node]!]!]!}` : label;
};
export const isFunction = ({ graph, node }: Frame) => node > 0 && !graph.folded[node];
export const sourceOf = ({ graph, node }: Frame) => graph.fileIds[graph.file[node]!] || 0;

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
  if (graph.folded[node]) return drill(frame);
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

/** The frames that a stack must have to be one through this frame, as exactly as filters can say it. */
export function stackFilter(frame: Frame): string[] {
  const { graph, node, direction } = frame;
  if (direction === 'down') return [focusOf(graph, node)];
  let first = node;
  while (rowOf(graph, first) > 1) first = graph.parent[first]!;
  return [...new Set([graph.names[graph.name[first]!]!, nameOf(frame)])];
}

function added(list: string[], more: string[]): string[] {
  return [...new Set([...list, ...more])].slice(-FRAMES_MAX);
}

/** Another filter makes another graph: what was zoomed is not kept, what is searched is. */
function filter(change: { focus?: string[]; hide?: string[] }): void {
  go(() => ({ ...change, options: withOptions({ zoom: '', up: '', drill: '' }) }));
}

export const focusFunction = (frame: Frame) => filter({ focus: added(route.value.focus, [nameOf(frame)]) });
export const focusStack = (frame: Frame) => filter({ focus: added(route.value.focus, stackFilter(frame)) });
export const hideFunction = (frame: Frame) => filter({ hide: added(route.value.hide, [nameOf(frame)]) });

/** The source of the frame's function, of the stacks through this frame alone. */
export function openSource(frame: Frame): void {
  const { graph, node } = frame;
  go(() => ({
    view: 'source', file: sourceOf(frame), focus: added(route.value.focus, stackFilter(frame)),
    options: { line: String(graph.line[node]! || 1) },
  }));
}

/** From the leaves or from the root: another graph, in which a zoom means nothing. */
export function setInverted(inverted: boolean): void {
  go(() => ({ options: withOptions({ inverted: inverted ? '1' : '', zoom: '', drill: '', node: '' }) }));
}

/** What calls a function above it, what it calls below it, wherever it is called. Empty: no more. */
export function sandwich(name: string): void {
  go(() => ({ options: withOptions({ center: name, zoom: '', up: '', drill: '', node: '', inverted: '' }) }));
}

export function copyName(frame: Frame): void {
  void navigator.clipboard?.writeText(nameOf(frame));
}

let pending: { name: string; path: string } | null = null;
let timer = 0;

function write(): void {
  const { name, path } = pending!;
  pending = null;
  if ((route.value.options[name] ?? '') !== path) replace({ options: withOptions({ [name]: path }) });
}

/** Writes what is still to be written, before a step that Back leads back from. */
export function flush(): void {
  clearTimeout(timer);
  timer = 0;
  if (pending) write();
}

/** What is chosen, into the URL, without a step for Back: a key held down must not write it a hundred times. */
export function remember(name: string, path: string): void {
  pending = { name, path };
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
