// From the daemon's columns to a graph that can be drawn. Linear in the nodes, whatever their order.
import { KINDS, type Columns, type Graph, type Kind } from './graph.ts';
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

/** The children of each node, in the order of their names: `all` from first[node] to first[node + 1]. */
function findChildren(columns: Columns, folded: number): { first: Uint32Array; all: Uint32Array } {
  const { parent, name } = columns.nodes;
  const count = parent.length;
  const rank = rankNames(columns.names, folded);
  const first = new Uint32Array(count + 1);
  for (let node = 1; node < count; node++) first[parent[node]! + 1]!++;
  for (let node = 0; node < count; node++) first[node + 1]! += first[node]!;
  const next = first.slice(0, count);
  const all = new Uint32Array(Math.max(0, count - 1));
  const ranks = new Uint32Array(all.length);
  for (let node = 1; node < count; node++) {
    const at = next[parent[node]!]!++;
    all[at] = node;
    ranks[at] = rank[name[node]!]!;
  }
  for (let node = 0; node < count; node++)
    if (first[node + 1]! - first[node]! > 1) sortChildren(all, ranks, first[node]!, first[node + 1]!);
  return { first, all };
}

/** A damaged answer would be drawn as nonsense, or for ever. */
function check(columns: Columns): void {
  const { nodes, names, files } = columns;
  const count = nodes.parent.length;
  for (const column of [nodes.name, nodes.file, nodes.line, nodes.folded, nodes.self, nodes.total, nodes.self_time_ns, nodes.total_time_ns])
    if (column.length !== count) throw new Error('the columns of the flame graph differ in length');
  for (let i = 0; i < count; i++) {
    if (i > 0 && !(nodes.parent[i]! < i)) throw new Error('the flame graph has a child before its parent');
    if (!(nodes.name[i]! < names.length && nodes.file[i]! < files.length)) throw new Error('the flame graph has a node without a name');
  }
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

/** Node by node from the root, row by row: where each stands, and in `from` its number in the answer. */
function place(graph: Graph, columns: Columns, source: ArrayLike<number>, folded: number): Uint32Array {
  const { count, parent, firstChild, start } = graph;
  const { first, all } = findChildren(columns, folded);
  const from = new Uint32Array(count);
  const rowFirst: number[] = count ? [0] : [];
  let placed = Math.min(1, count);
  let rowEnd = placed;
  for (let node = 0; node < count; node++) {
    if (node === rowEnd) {
      rowFirst.push(node);
      rowEnd = placed;
    }
    const origin = from[node]!;
    const end = first[origin + 1]!;
    firstChild[node] = placed;
    let x = start[node]!;
    for (let i = first[origin]!; i < end; i++) {
      const child = all[i]!;
      from[placed] = child;
      parent[placed] = node;
      start[placed] = x;
      x += source[child]!;
      placed++;
    }
  }
  firstChild[count] = placed;
  graph.rows = rowFirst.length;
  graph.rowFirst = Uint32Array.from([...rowFirst, count]);
  return from;
}

/** What is known of each node, in the order of the graph. */
function fill(graph: Graph, columns: Columns, source: ArrayLike<number>, from: Uint32Array): void {
  const { count, name, file, line, folded, hits, selfHits, time_ns, selfTime_ns, width, kinds, kindTime_ns } = graph;
  const { nodes } = columns;
  const { name: names, file: files, line: lines, folded: foldeds, total, self, total_time_ns: totalTimes, self_time_ns: selfTimes } = nodes;
  for (let node = 0; node < count; node++) {
    const origin = from[node]!;
    const ofName = names[origin]!;
    const ownTime = selfTimes[origin]!;
    name[node] = ofName;
    file[node] = files[origin]!;
    line[node] = lines[origin]!;
    folded[node] = foldeds[origin]!;
    hits[node] = total[origin]!;
    selfHits[node] = self[origin]!;
    time_ns[node] = totalTimes[origin]!;
    selfTime_ns[node] = ownTime;
    width[node] = source[origin]!;
    kindTime_ns[kinds[ofName]!]! += ownTime;
  }
}

/** Hashes of the names from the root: what a node is called in the next answer, too. */
function identify(graph: Graph, folded: number): void {
  const { count, parent, name, key, lock, names } = graph;
  const codes = Uint32Array.from(names, (one, i) => hashText(one, hashText(String(i === folded))));
  if (count) key[0] = lock[0] = 1;
  for (let node = 1; node < count; node++) {
    const above = parent[node]!;
    const code = codes[name[node]!]!;
    key[node] = Math.imul(key[above]! ^ code, 0x9e3779b1) + 0x7f4a7c15;
    lock[node] = Math.imul((lock[above]! << 5 | lock[above]! >>> 27) ^ code, 0x85ebca6b) + 1;
  }
}

/** The graph of an answer. O(nodes + names * log names). */
export function layOut(columns: Columns): Graph {
  check(columns);
  const { nodes } = columns;
  const count = nodes.parent.length;
  const root = count ? nodes.name[0]! : -1;
  const folded = findFolded(columns);
  const source = columns.total_time_ns > 0 ? nodes.total_time_ns : nodes.total;
  const graph = emptyGraph(columns, count, root, findKinds(columns, root, folded));
  fill(graph, columns, source, place(graph, columns, source, folded));
  identify(graph, folded);
  return graph;
}

/** The name of what was folded, or -1. A function may be called so, too, but its name is one of its own. */
function findFolded({ nodes }: Columns): number {
  for (let i = 0; i < nodes.folded.length; i++) if (nodes.folded[i]) return nodes.name[i]!;
  return -1;
}

function emptyGraph(columns: Columns, count: number, root: number, kinds: Uint8Array): Graph {
  const integers = (length = count) => new Uint32Array(length);
  const numbers = () => new Float64Array(count);
  return {
    serial: 0, shape: '', count, rows: 0, rowFirst: integers(0), parent: integers(), firstChild: integers(count + 1),
    start: numbers(), width: numbers(), name: integers(), file: integers(), line: integers(),
    hits: numbers(), selfHits: numbers(), time_ns: numbers(), selfTime_ns: numbers(), key: integers(), lock: integers(),
    names: columns.names, labels: columns.names.map((name, i) => i === root && name === ROOT_NAME ? 'all samples' : visible(name)),
    nameModule: Uint32Array.from(columns.name_module), kinds, modules: columns.modules, files: columns.files, fileIds: columns.file_ids,
    folded: integers(), kindTime_ns: new Float64Array(KINDS.length), totalHits: columns.total, totalTime_ns: columns.total_time_ns,
  };
}
