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

/** The numbers 0..keys.length-1, ordered by key and else as they are. Keys are below `bound`. */
function countingSort(keys: ArrayLike<number>, bound: number): Uint32Array {
  const next = new Uint32Array(bound + 1);
  for (let i = 0; i < keys.length; i++) next[keys[i]! + 1]!++;
  for (let i = 0; i < bound; i++) next[i + 1]! += next[i]!;
  const sorted = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) sorted[next[keys[i]!]!++] = i;
  return sorted;
}

/** The children of each node, in the order of their names: `all` from first[node] to first[node + 1]. */
function findChildren(columns: Columns, folded: number): { first: Uint32Array; all: Uint32Array } {
  const { parent, name } = columns.nodes;
  const count = parent.length;
  const rank = rankNames(columns.names, folded);
  const ranks = new Uint32Array(count);
  for (let i = 0; i < count; i++) ranks[i] = rank[name[i]!]!;
  const first = new Uint32Array(count + 1);
  for (let i = 1; i < count; i++) first[parent[i]! + 1]!++;
  for (let i = 0; i < count; i++) first[i + 1]! += first[i]!;
  const next = first.slice(0, count);
  const all = new Uint32Array(Math.max(0, count - 1));
  for (const node of countingSort(ranks, columns.names.length))
    if (node > 0) all[next[parent[node]!]!++] = node;
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

/** Node by node from the root: where it stands, and what it is called by others. */
export function layOut(columns: Columns): Graph {
  check(columns);
  const { nodes } = columns;
  const count = nodes.parent.length;
  const timed = columns.total_time_ns > 0;
  const source = timed ? nodes.total_time_ns : nodes.total;
  const root = count ? nodes.name[0]! : -1;
  const folded = findFolded(columns);
  const { first, all } = findChildren(columns, folded);
  const graph = emptyGraph(columns, count, root, findKinds(columns, root, folded));
  const from = new Uint32Array(count); // by node of the graph: its number in the answer
  const codes = columns.names.map((name, i) => hashText(name, hashText(String(i === folded))));
  const rowFirst: number[] = count ? [0] : [];
  let placed = Math.min(1, count);
  let rowEnd = placed;
  for (let node = 0; node < count; node++) {
    if (node === rowEnd) {
      rowFirst.push(node);
      rowEnd = placed;
    }
    const origin = from[node]!;
    const parent = graph.parent[node]!;
    const code = codes[nodes.name[origin]!]!;
    graph.name[node] = nodes.name[origin]!;
    graph.file[node] = nodes.file[origin]!;
    graph.line[node] = nodes.line[origin]!;
    graph.folded[node] = nodes.folded[origin]!;
    graph.hits[node] = nodes.total[origin]!;
    graph.selfHits[node] = nodes.self[origin]!;
    graph.time_ns[node] = nodes.total_time_ns[origin]!;
    graph.selfTime_ns[node] = nodes.self_time_ns[origin]!;
    graph.width[node] = source[origin]!;
    graph.kindTime_ns[graph.kinds[graph.name[node]!]!]! += graph.selfTime_ns[node]!;
    graph.key[node] = node ? Math.imul(graph.key[parent]! ^ code, 0x9e3779b1) + 0x7f4a7c15 : 1;
    graph.lock[node] = node ? Math.imul((graph.lock[parent]! << 5 | graph.lock[parent]! >>> 27) ^ code, 0x85ebca6b) + 1 : 1;
    graph.firstChild[node] = placed;
    let x = graph.start[node]!;
    for (let i = first[origin]!; i < first[origin + 1]!; i++) {
      const child = all[i]!;
      from[placed] = child;
      graph.parent[placed] = node;
      graph.start[placed] = x;
      x += source[child]!;
      placed++;
    }
  }
  graph.firstChild[count] = placed;
  graph.rows = rowFirst.length;
  graph.rowFirst = Uint32Array.from([...rowFirst, count]);
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
