// The columns of an inverted flame graph of call sites as a tree of callers.

export interface Graph {
  total: number;
  total_time_ns: number;
  names: string[];
  name_module: number[];
  modules: string[];
  files: string[];
  file_ids: number[];
  nodes: { parent: number[]; name: number[]; file: number[]; line: number[]; total: number[]; total_time_ns: number[] };
}

export interface Caller {
  name: string;
  module: string;
  /** Where it calls what stands above it. */
  path: string;
  file: number; // id, 0: unknown
  line: number; // 0: unknown
  hits: number;
  time_ns: number;
  /** Its callers, dearest first. */
  children: Caller[];
}

/** The root stands for the line itself. */
export function callerTree({ nodes, names, name_module, modules, files, file_ids }: Graph): Caller {
  const made: Caller[] = [];
  for (let i = 0; i < nodes.parent.length; i++) {
    const name = nodes.name[i] ?? 0;
    const file = nodes.file[i] ?? 0;
    const node: Caller = {
      name: names[name] ?? '', module: modules[name_module[name] ?? 0] ?? '', path: files[file] ?? '', file: file_ids[file] ?? 0, line: nodes.line[i] ?? 0,
      hits: nodes.total[i] ?? 0, time_ns: nodes.total_time_ns[i] ?? 0, children: [],
    };
    made.push(node);
    // Parents come first; the root is its own.
    if (i > 0) made[nodes.parent[i]!]?.children.push(node);
  }
  for (const node of made) node.children.sort((a, b) => b.time_ns - a.time_ns);
  return made[0] ?? { name: '', module: '', path: '', file: 0, line: 0, hits: 0, time_ns: 0, children: [] };
}
