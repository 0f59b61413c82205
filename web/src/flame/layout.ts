// From the daemon's columns to a graph that can be drawn. Linear in the nodes, whatever their order.
import { KINDS, type Columns, type Counts, type Graph, type Kind } from './graph.ts';
import { hashText, visible } from './names.ts';

const ROOT_NAME = 'all';

/** How children are ordered: by name, so that nothing changes places while numbers grow; what was folded is last. */
function rankNames(names: string[], folded: number): Uint32Array {
  const order = names.map((_, i) => i).sort((a, b) => {
    if (a === folded || b === folded) return a === folded ? 1 : -1;
    const left = names[a]!;
    const right = names[b]!;
    return left < right ? -1 : left > right ? 1 : a - b;
  });
  const rank = new Uint32Array(names.length);
  order.forEach((name, i) => { rank[name] = i; });
  return rank;
}

const FEW = 24; // up to so many are sorted by insertion
const POSITIONS = 2 ** 32;

/** Sorts all[from, to) by the ranks beside it. Equal ones stay as they are. */
function sortChildren(all: Uint32Array, ranks: Uint32Array, from: number, to: number): void {
  if (to - from > FEW) {
    const both = Float64Array.from(all.subarray(from, to), (node, i) => ranks[from + i]! * POSITIONS + node).sort();
    both.forEach((value, i) => { all[from + i] = value % POSITIONS; });
    return;
  }
  for (let i = from + 1; i < to; i++) {
    const node = all[i]!;
    const rank = ranks[i]!;
    let at = i;
    for (; at > from && ranks[at - 1]! > rank; at--) {
      all[at] = all[at - 1]!;
      ranks[at] = ranks[at - 1]!;
    }
    all[at] = node;
    ranks[at] = rank;
  }
}

/** The children of each node, in the order of the answer: `all` from first[node] to first[node + 1], with their ranks. */
interface Children {
  first: Uint32Array;
  all: Uint32Array;
  ranks: Uint32Array;
  /** The name of what was folded, or -1. A function may be called so, too, but its name is one of its own. */
  folded: number;
}

/** Counts the children of node in first[node + 2]. A damaged answer would be drawn as nonsense, or for ever. */
function countChildren(columns: Columns): { first: Uint32Array; folded: number } {
  const { nodes, names, files } = columns;
  const { parent, name, file, folded } = nodes;
  const nodeCount = parent.length;
  const [nameCount, fileCount] = [names.length, files.length];
  for (const column of [name, file, nodes.line, folded, nodes.self, nodes.total, nodes.self_time_ns, nodes.total_time_ns])
    if (column.length !== nodeCount) throw new Error('the columns of the flame graph differ in length');
  const first = new Uint32Array(nodeCount + 2);
  let foldedNode = -1;
  for (let node = 0; node < nodeCount; node++) {
    if (!(name[node]! < nameCount && file[node]! < fileCount)) throw new Error('the flame graph has a node without a name');
    if (foldedNode < 0 && folded[node]) foldedNode = node;
    if (node === 0) continue;
    const above = parent[node]!;
    if (!(above < node)) throw new Error('the flame graph has a child before its parent');
    first[above + 2]!++;
  }
  return { first, folded: foldedNode < 0 ? -1 : name[foldedNode]! };
}

function findChildren(columns: Columns): Children {
  const { parent, name } = columns.nodes;
  const nodeCount = parent.length;
  const { first, folded } = countChildren(columns);
  const rank = rankNames(columns.names, folded);
  for (let node = 0; node < nodeCount; node++) first[node + 2]! += first[node + 1]!;
  const all = new Uint32Array(Math.max(0, nodeCount - 1));
  const ranks = new Uint32Array(all.length);
  for (let node = 1; node < nodeCount; node++) {
    const at = first[parent[node]! + 1]!++; // where the next child goes; in the end, where those of the next node begin
    all[at] = node;
    ranks[at] = rank[name[node]!]!;
  }
  return { first, all, ranks, folded };
}

/** What the daemon calls kinds of modules, told apart here. */
function kindOf(text: string): number {
  const kind = KINDS.indexOf(text as Kind);
  return kind < 0 ? KINDS.indexOf('unknown') : kind;
}

/** The kind of each name; the root and what was folded have none. */
function findKinds(columns: Columns, root: number, folded: number): Uint8Array {
  const kinds = columns.module_kinds.map(kindOf);
  return Uint8Array.from(columns.names, (_, i) => i === root || i === folded ? 0 : kinds[columns.name_module[i]!] ?? kindOf('unknown'));
}

/** Node by node from the root, row by row: where each stands, and its number in the answer. */
function place(graph: Graph, { first, all, ranks }: Children): void {
  const { count, parent, firstChild, origin } = graph;
  const rowFirst: number[] = [];
  let placed = Math.min(1, count);
  let rowEnd = 0;
  for (let node = 0; node < count; node++) {
    if (node === rowEnd) {
      rowFirst.push(node);
      rowEnd = placed;
    }
    const begin = first[origin[node]!]!;
    const end = first[origin[node]! + 1]!;
    firstChild[node] = placed;
    if (end - begin > 1) sortChildren(all, ranks, begin, end);
    for (let i = begin; i < end; i++) {
      origin[placed] = all[i]!;
      parent[placed++] = node;
    }
  }
  firstChild[count] = placed;
  graph.rows = rowFirst.length;
  graph.rowFirst = Uint32Array.from([...rowFirst, count]);
}

/** A column of the answer in the order of the graph. Each alone: memory is what takes the time. */
function gather(to: Uint32Array | Float64Array, column: ArrayLike<number>, origin: Uint32Array): void {
  for (let node = 0; node < to.length; node++) to[node] = column[origin[node]!]!;
}

/** Where nodes begin, and hashes of the names from the root: what a node is called in the next answer, too. */
function identify(graph: Graph, folded: number): void {
  const { count, parent, name, key, lock, names, start, width } = graph;
  const codes = Uint32Array.from(names, (one, i) => hashText(one, hashText(String(i === folded))));
  if (count) key[0] = lock[0] = 1;
  let last = -1;
  let x = 0;
  for (let node = 1; node < count; node++) {
    const above = parent[node]!;
    if (above !== last) x = start[last = above]!;
    start[node] = x;
    x += width[node]!;
    const code = codes[name[node]!]!;
    key[node] = Math.imul(key[above]! ^ code, 0x9e3779b1) + 0x7f4a7c15;
    lock[node] = Math.imul((lock[above]! << 5 | lock[above]! >>> 27) ^ code, 0x85ebca6b) + 1;
  }
}

function timeByKind({ nodes }: Columns, kinds: Uint8Array): Float64Array {
  const times = new Float64Array(KINDS.length);
  for (let node = 0; node < nodes.name.length; node++) times[kinds[nodes.name[node]!]!]! += nodes.self_time_ns[node]!;
  return times;
}

/** The graph of an answer. O(nodes + names * log names). */
export function layOut(columns: Columns): Graph {
  const { nodes } = columns;
  const children = findChildren(columns);
  const graph = emptyGraph(columns, findKinds(columns, nodes.name.length ? nodes.name[0]! : -1, children.folded));
  place(graph, children);
  gather(graph.name, nodes.name, graph.origin);
  gather(graph.width, columns.total_time_ns > 0 ? nodes.total_time_ns : nodes.total, graph.origin);
  identify(graph, children.folded);
  return graph;
}

const countsOf = ({ total }: Columns, column: ArrayLike<number>): Counts => (total < 2 ** 32 ? new Uint32Array(column) : new Float64Array(column));

function emptyGraph(columns: Columns, kinds: Uint8Array): Graph {
  const { nodes } = columns;
  const count = nodes.parent.length;
  const integers = (length = count) => new Uint32Array(length);
  return {
    serial: 0, shape: '', count, rows: 0, rowFirst: integers(0), parent: integers(), firstChild: integers(count + 1), origin: integers(),
    start: new Float64Array(count), width: new Float64Array(count), name: integers(), key: integers(), lock: integers(),
    names: columns.names, labels: columns.names.map((name, i) => i === nodes.name[0] && name === ROOT_NAME ? 'all samples' : visible(name)),
    nameModule: Uint32Array.from(columns.name_module), kinds, modules: columns.modules, files: columns.files, fileIds: columns.file_ids,
    file: new Uint32Array(nodes.file), line: new Uint32Array(nodes.line), folded: new Uint32Array(nodes.folded),
    hits: countsOf(columns, nodes.total), selfHits: countsOf(columns, nodes.self), selfTime_ns: new Float64Array(nodes.self_time_ns),
    kindTime_ns: timeByKind(columns, kinds), totalHits: columns.total, totalTime_ns: columns.total_time_ns,
  };
}
