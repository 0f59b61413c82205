// The path of a node: the names from below the root, each after a ';', as the daemon's focus has them:
// a ';' or a backslash of a name has a backslash in front. One that is too long for a URL is the hash
// of its names instead.
import { knownOf, type Graph } from './graph.ts';

const PATH_LENGTH = 1500; // characters of a readable path
export const FOCUS_BYTES = 4096; // what the daemon takes

const hex = (value: number) => value.toString(16).padStart(8, '0');

const escape = (name: string) => name.replace(/[;\\]/g, '\\$&');

/** The path; null when it is longer than `limit` characters. */
export function namePath(graph: Graph, node: number, limit: number): string | null {
  const names: string[] = [];
  let length = 0;
  for (let at = node; at > 0; at = graph.parent[at]!) {
    const name = escape(graph.names[graph.name[at]!]!);
    length += name.length + 1;
    if (length > limit) return null;
    names.push(`;${name}`);
  }
  return names.reverse().join('');
}

/** What the URL says of a node. Empty: the root. */
export function pathOf(graph: Graph, node: number): string {
  return namePath(graph, node, PATH_LENGTH) ?? `~${hex(graph.key[node]!)}${hex(graph.lock[node]!)}`;
}

/** The node with this identity, or -1. */
export function findKey(graph: Graph, key: number, lock: number): number {
  for (let node = graph.key.indexOf(key); node >= 0; node = graph.key.indexOf(key, node + 1))
    if (graph.lock[node] === lock) return node;
  return -1;
}

/**
 * The node of a path: of one that is gone, the last node on the way that there is. `whole` says
 * whether it is the node itself.
 */
export function findPath(graph: Graph, path: string): { node: number; whole: boolean } {
  const hash = /^~([0-9a-f]{8})([0-9a-f]{8})$/.exec(path);
  if (hash) {
    const found = findKey(graph, Number.parseInt(hash[1]!, 16), Number.parseInt(hash[2]!, 16));
    return { node: Math.max(0, found), whole: found >= 0 };
  }
  let node = 0;
  for (const name of split(path)) {
    const child = childNamed(graph, node, name);
    if (child < 0) return { node, whole: false };
    node = child;
  }
  return { node, whole: true };
}

const ELEMENT = /;((?:[^;\\]|\\.)*)/gs;

function split(path: string): string[] {
  return [...path.matchAll(ELEMENT)].map(([, name]) => name!.replace(/\\(.)/gs, '$1'));
}

function childNamed(graph: Graph, node: number, name: string): number {
  for (let child = graph.firstChild[node]!; child < graph.firstChild[node + 1]!; child++)
    if (graph.names[graph.name[child]!] === name && !knownOf(graph, child).folded) return child;
  return -1;
}

/** A path from a leaf to a caller (";leaf;caller") as the daemon's focus says how a stack ends ("caller;leaf;"). */
export function stackEnd(path: string): string {
  return [...path.matchAll(ELEMENT)].reverse().map(([, name]) => `${name};`).join('');
}

/** A frame of the daemon's focus: the path, or the function alone where the path is too long. */
export function focusOf(graph: Graph, node: number): string {
  const path = namePath(graph, node, FOCUS_BYTES);
  if (path !== null && new TextEncoder().encode(path).length <= FOCUS_BYTES) return path;
  return graph.names[graph.name[node]!]!;
}
