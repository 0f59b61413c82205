// Which frames a text is found in, and how much of the time they are part of.
import { contains, rowOf, type Graph } from './graph.ts';

export interface Found {
  /** By name: 1 where the text is found. */
  names: Uint8Array;
  /** Nodes with such a name. */
  nodes: number;
  /** Time (or samples) of the stacks with such a frame: each counts once, however often it is found. */
  width: number;
}

/** What can be searched of a graph; the rest may have gone to another thread. */
export type Searchable = Pick<Graph, 'names' | 'name' | 'parent' | 'width' | 'origin' | 'file' | 'files' | 'nameModule' | 'modules' | 'kinds'>;

function matchNames(graph: Searchable, text: string): Uint8Array {
  const wanted = text.toLowerCase();
  const has = (one: string | undefined) => one !== undefined && one.toLowerCase().includes(wanted);
  const files = graph.files.map(has);
  const modules = graph.modules.map(has);
  const names = new Uint8Array(graph.names.length);
  for (let i = 0; i < names.length; i++) names[i] = has(graph.names[i]) || modules[graph.nameModule[i]!] ? 1 : 0;
  if (files.includes(true)) for (let node = 1; node < graph.name.length; node++) if (files[graph.file[graph.origin[node]!]!]) names[graph.name[node]!] = 1;
  graph.kinds.forEach((kind, i) => { if (kind === 0) names[i] = 0; }); // neither the root nor what was folded is a function
  return names;
}

/** Searches names, files and modules, whatever their case, below the node `within`. */
export function search(graph: Searchable, text: string, within = 0): Found {
  const names = matchNames(graph, text);
  const { name, parent, width } = graph;
  const inside = new Uint8Array(name.length);
  const covered = new Uint8Array(name.length);
  let nodes = 0;
  let sum = 0;
  for (let node = within; node < name.length; node++) {
    const above = parent[node]!;
    if (node === within) inside[node] = 1;
    else if (!inside[above]) continue;
    else inside[node] = 1;
    covered[node] = covered[above]!;
    if (!names[name[node]!]) continue;
    nodes++;
    if (!covered[node]) sum += width[node]!;
    covered[node] = 1;
  }
  return { names, nodes, width: sum };
}

/** The next node (or the one before) that is found and stands below `within`; -1: there is none. */
export function nextFound(graph: Graph, names: Uint8Array, from: number, within: number, back = false): number {
  const step = back ? -1 : 1;
  const first = within > 0 ? graph.rowFirst[rowOf(graph, within)]! : 0;
  const length = graph.count - first;
  for (let i = 1; i <= length; i++) {
    const node = first + (((from - first + i * step) % length) + length) % length;
    if (names[graph.name[node]!] && contains(graph, within, node)) return node;
  }
  return -1;
}
