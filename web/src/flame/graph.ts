// The flame graph as typed arrays, in the order in which it is drawn: row by row from the root, each
// row from left to right. The children of a node stand next to each other in the next row.

/** What the daemon answers: columns, parents first. */
export interface Columns {
  total: number;
  total_time_ns: number;
  names: string[];
  files: string[];
  file_ids: number[];
  name_module: number[];
  modules: string[];
  module_kinds: string[];
  nodes: {
    parent: ArrayLike<number>;
    name: ArrayLike<number>;
    file: ArrayLike<number>;
    line: ArrayLike<number>;
    folded: ArrayLike<number>;
    self: ArrayLike<number>;
    total: ArrayLike<number>;
    self_time_ns: ArrayLike<number>;
    total_time_ns: ArrayLike<number>;
  };
}

/** Whose code a function is. The first is of what has no code: the root and what was folded. */
export const KINDS = ['none', 'target', 'library', 'runtime', 'jit', 'kernel', 'vdso', 'anonymous', 'unknown'] as const;
export type Kind = (typeof KINDS)[number];

/** As narrow as the numbers allow: with a million nodes it is memory that takes the time. */
export type Counts = Uint32Array | Float64Array;

/** What the whole page needs of a node: columns, by node. Node 0 is the root. */
export interface Graph {
  /** Which answer this is, and to what kind of question. */
  serial: number;
  shape: string;
  count: number;
  rows: number;
  /** By row, and one more: the first node of it. */
  rowFirst: Uint32Array;
  parent: Uint32Array;
  /** The children of a node: [firstChild[node], firstChild[node + 1]). */
  firstChild: Uint32Array;
  /** Where a node begins and how wide it is: time, ns, or samples where there is no time. */
  start: Float64Array;
  width: Float64Array;
  name: Uint32Array;
  /** Two hashes of the names from the root to the node: the node's identity from answer to answer. */
  key: Uint32Array;
  lock: Uint32Array;
  /** By name: as the daemon says it, as it can be shown, in which module, of what kind. */
  names: string[];
  labels: string[];
  nameModule: Uint32Array;
  kinds: Uint8Array;
  modules: string[]; // paths; the first is none
  files: string[];
  fileIds: number[];
  /** The number of a node in the answer, in whose order the columns below stand: see knownOf(). */
  origin: Uint32Array;
  file: Uint32Array;
  line: Uint32Array;
  hits: Counts;
  selfHits: Counts;
  selfTime_ns: Float64Array;
  folded: Uint32Array;
  /** By kind: self time. */
  kindTime_ns: Float64Array;
  totalHits: number;
  totalTime_ns: number;
}

/** What is known of one node. */
export interface Known {
  file: number;
  line: number;
  hits: number;
  selfHits: number;
  time_ns: number;
  selfTime_ns: number;
  /** Of a node that stands for what was too small to be sent: so many nodes next to each other. Else 0. */
  folded: number;
}

export function knownOf(graph: Graph, node: number): Known {
  const at = graph.origin[node]!;
  return {
    file: graph.file[at]!, line: graph.line[at]!, hits: graph.hits[at]!, selfHits: graph.selfHits[at]!,
    time_ns: graph.totalTime_ns > 0 ? graph.width[node]! : 0, selfTime_ns: graph.selfTime_ns[at]!, folded: graph.folded[at]!,
  };
}

/** All buffers of the graph, to be handed from thread to thread without a copy. */
export function buffers(graph: Graph): ArrayBuffer[] {
  return Object.values(graph).filter((value) => ArrayBuffer.isView(value)).map((view) => view.buffer as ArrayBuffer);
}

/** The row of a node: that whose first node is the last one not after it. O(log rows). */
export function rowOf(graph: Graph, node: number): number {
  let low = 0;
  let high = graph.rows - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (graph.rowFirst[middle]! <= node) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Whether `below` is `node`, or stands somewhere below it. */
export function contains(graph: Graph, node: number, below: number): boolean {
  for (;;) {
    if (below === node) return true;
    if (below <= node) return false; // parents come first
    below = graph.parent[below]!;
  }
}
