// The keys of the flame graph.
import type { RefObject } from 'preact';

import { useKeys, type Key } from '../keys.ts';
import { route, setOption } from '../state.ts';
import {
  copyName, focusFunction, focusStack, hasSource, hideFunction, isFunction, nameOf, neighbour, openSource, sandwich, setInverted, showSource,
  sourceOf, zoomOut, zoomTo, type Frame,
} from './actions.ts';
import type { Graph } from './graph.ts';
import { nextFound } from './search.ts';
import type { PaneState } from '../views/flame.tsx';

interface KeyState {
  panes: PaneState[];
  active: PaneState;
  selected: number;
  frame: Frame | null;
  search: RefObject<HTMLInputElement>;
  choose: (pane: PaneState, node: number) => void;
  openMenu: () => void;
  closeSource: () => void;
}

/** The widest frame of a row; -1: the row does not exist. */
function widestOf(graph: Graph, row: number): number {
  if (row >= graph.rows) return -1;
  let widest = graph.rowFirst[row]!;
  for (let node = widest; node < graph.rowFirst[row + 1]!; node++) if (graph.width[node]! > graph.width[widest]!) widest = node;
  return widest;
}

/** Keys that buttons and links have a use for are left to them. */
const isFree = ({ target }: Event) => !(target instanceof Element) || !target.closest('button, a, summary, [role="menu"], [role="grid"], .timeline');

export function useFlameKeys({ panes, active, selected, frame, search, choose, openMenu, closeSource }: KeyState): void {
  const { shown, flip, zoomOption } = active;
  const { options } = route.value;
  const move = (key: string) => () => {
    if (!shown) return;
    const { graph, zoom } = shown;
    const first = graph.rowFirst[active.firstRow] ?? 0;
    const next = selected < 0 ? Math.max(zoom, first) : neighbour(graph, selected, key, zoom, flip);
    if (next >= first && next < graph.count) {
      choose(active, next);
      return;
    }
    // Past the function in the middle: the other pane's frame next to it.
    const other = panes.find((pane) => pane !== active);
    const there = other?.shown && widestOf(other.shown.graph, other.firstRow);
    if (other && there !== undefined && there !== null && there >= 0) choose(other, there);
  };
  const ofFunction = (work: (frame: Frame) => void) => () => { if (frame && isFunction(frame)) work(frame); };
  const find = (back: boolean) => () => {
    if (!shown?.found) return;
    const node = nextFound(shown.graph, shown.found.names, selected < 0 ? shown.zoom : selected, shown.zoom, back);
    if (node >= 0) choose(active, node);
  };
  const keys: Key[] = [
    { key: 'ArrowDown', title: 'The widest frame below', run: move('ArrowDown'), when: isFree },
    { key: 'ArrowUp', title: 'The frame above', run: move('ArrowUp'), when: isFree },
    { key: 'ArrowLeft', title: 'The frame to the left', run: move('ArrowLeft'), when: isFree },
    { key: 'ArrowRight', title: 'The frame to the right', run: move('ArrowRight'), when: isFree },
    { key: 'Enter', title: 'Zoom: as wide as the window', run: () => { if (frame) zoomTo(frame); }, when: (event) => isFree(event) && frame !== null },
    {
      key: 'Escape', title: 'Close the source; then zoom out; then show all stacks again', when: () => !document.querySelector('dialog[open]'),
      run: () => { if (hasSource()) closeSource(); else if (options[zoomOption] || options.drill) zoomOut(zoomOption); else if (options.center) sandwich(''); else choose(active, -1); },
    },
    { key: 's', title: 'Source of the frame, with the graph', run: () => { if (hasSource()) closeSource(); else showSource(true); } },
    { key: 'o', title: 'Source of the frame, alone', run: ofFunction((one) => { if (sourceOf(one)) openSource(one); }) },
    { key: 'c', title: 'Callers and callees of the function', run: ofFunction((one) => sandwich(nameOf(one))) },
    { key: 'f', title: 'Count only stacks with the function', run: ofFunction(focusFunction) },
    { key: 'F', title: 'Count only stacks through the frame', run: ofFunction(focusStack) },
    { key: 'h', title: 'Count no stacks with the function', run: ofFunction(hideFunction) },
    { key: 'y', title: 'Copy the name', run: ofFunction(copyName) },
    { key: 'm', title: 'Menu of the frame', run: () => { if (frame) openMenu(); } },
    { key: '/', title: 'Search', run: () => search.current?.select() },
    { key: 'n', title: 'Next frame found', run: find(false) },
    { key: 'N', title: 'Frame found before', run: find(true) },
    { key: 'v', title: 'Flip: the root below or above', run: () => setOption('flip', options.flip === '1' ? '' : '1') },
    { key: 'b', title: 'From the leaves, or from the root', run: () => setInverted(options.inverted !== '1') },
  ];
  useKeys('Flame graph', keys);
}
