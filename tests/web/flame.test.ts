// The flame graph's arithmetic: layout, merging, search, paths.
import assert from 'node:assert/strict';
import test from 'node:test';

import { buffers, contains, knownOf, rowOf, type Columns, type Graph } from '../../web/src/flame/graph.ts';
import { layOut } from '../../web/src/flame/layout.ts';
import { visible } from '../../web/src/flame/names.ts';
import { findKey, findPath, focusOf, namePath, pathOf, stackEnd } from '../../web/src/flame/path.ts';
import { nodeAt, visitRow } from '../../web/src/flame/rows.ts';
import { nextFound, search } from '../../web/src/flame/search.ts';

interface Tree {
  name: string;
  self?: number;
  folded?: number;
  children?: Tree[];
}

/** What the daemon would answer about a tree, depth first. */
function columnsOf(root: Tree, files: Record<string, string> = {}): Columns {
  const columns = {
    total: 0, total_time_ns: 0, names: [] as string[], files: [''], file_ids: [0], modules: ['', '/bin/app'], module_kinds: ['unknown', 'target'],
    name_module: [] as number[],
    nodes: { parent: [] as number[], name: [] as number[], file: [] as number[], line: [] as number[], folded: [] as number[], self: [] as number[], total: [] as number[], self_time_ns: [] as number[], total_time_ns: [] as number[] },
  };
  const { nodes } = columns;
  const pending: [Tree, number][] = [[root, 0]];
  while (pending.length) {
    const [tree, parent] = pending.pop()!;
    let name = columns.names.indexOf(tree.name);
    if (name < 0) {
      name = columns.names.push(tree.name) - 1;
      columns.name_module.push(1);
    }
    const path = files[tree.name] ?? '';
    if (!columns.files.includes(path)) columns.file_ids.push(columns.files.push(path));
    const node = nodes.parent.push(parent) - 1;
    nodes.name.push(name);
    nodes.file.push(columns.files.indexOf(path));
    nodes.line.push(node);
    nodes.folded.push(tree.folded ?? 0);
    nodes.self.push(tree.self ?? 0);
    nodes.total.push(tree.self ?? 0);
    for (const child of tree.children ?? []) pending.push([child, node]);
  }
  for (let node = nodes.parent.length - 1; node > 0; node--) nodes.total[nodes.parent[node]!]! += nodes.total[node]!;
  nodes.self_time_ns = nodes.self.map((hits) => hits * 1000);
  nodes.total_time_ns = nodes.total.map((hits) => hits * 1000);
  columns.total = nodes.total[0]!;
  columns.total_time_ns = nodes.total_time_ns[0]!;
  return columns;
}

const sample: Tree = {
  name: 'all', children: [
    { name: 'main', self: 1, children: [
      { name: 'work', self: 4, children: [{ name: 'malloc', self: 3 }, { name: 'work', self: 2, children: [{ name: 'malloc', self: 5 }] }] },
      { name: 'alpha', self: 10 },
      { name: 'other', self: 5, folded: 3 },
    ] },
  ],
};

const nameOf = (graph: Graph, node: number) => graph.names[graph.name[node]!]!;
const at = (graph: Graph, ...names: string[]) => findPath(graph, names.map((name) => `;${name}`).join('')).node;

test('every child stands within its parent, next to its siblings, which are ordered by name, folded ones last', () => {
  const graph = layOut(columnsOf(sample));
  assert.equal(graph.count, 8);
  assert.equal(graph.rows, 5);
  assert.equal(graph.width[0], 30_000);
  const main = at(graph, 'main');
  const children = Array.from({ length: 3 }, (_, i) => graph.firstChild[main]! + i);
  assert.deepEqual(children.map((node) => nameOf(graph, node)), ['alpha', 'work', 'other']);
  assert.deepEqual(children.map((node) => [graph.start[node], graph.width[node]]), [[0, 10_000], [10_000, 14_000], [24_000, 5_000]]);
  for (let node = 1; node < graph.count; node++) {
    const parent = graph.parent[node]!;
    assert.equal(rowOf(graph, node), rowOf(graph, parent) + 1);
    assert.ok(graph.start[node]! >= graph.start[parent]!);
    assert.ok(graph.start[node]! + graph.width[node]! <= graph.start[parent]! + graph.width[parent]!);
  }
  assert.deepEqual(children.map((node) => knownOf(graph, node).folded), [0, 0, 3]);
  assert.equal(graph.kinds[graph.name[children[2]!]!], 0);
});

test('a graph of random shape keeps all its time, in rows that do not overlap', () => {
  let seed = 7;
  const random = (bound: number) => { seed = (Math.imul(seed, 1103515245) + 12345) >>> 0; return (seed >>> 8) % bound; };
  const grow = (depth: number): Tree => ({
    name: `f${random(30)}`, self: random(5),
    children: depth ? [...new Set(Array.from({ length: random(5) }, () => random(30)))].map((n) => ({ ...grow(depth - 1), name: `f${n}` })) : [],
  });
  const columns = columnsOf({ name: 'all', self: 1, children: Array.from({ length: 12 }, (_, i) => ({ ...grow(7), name: `t${i}` })) });
  const graph = layOut(columns);
  assert.equal(graph.count, columns.nodes.parent.length);
  assert.equal(graph.selfTime_ns.reduce((sum, one) => sum + one, 0), columns.total_time_ns);
  for (let row = 0; row < graph.rows; row++)
    for (let node = graph.rowFirst[row]! + 1; node < graph.rowFirst[row + 1]!; node++)
      assert.ok(graph.start[node]! >= graph.start[node - 1]! + graph.width[node - 1]!);
});

test('what is drawn of a row covers every frame, and never with more rectangles than pixels', () => {
  const many: Tree = { name: 'all', children: Array.from({ length: 5000 }, (_, i) => ({ name: `f${i}`, self: i === 2500 ? 3000 : 1 })) };
  const graph = layOut(columnsOf(many));
  const span = { from: 0, to: graph.width[0]! };
  let frames = 0;
  let rectangles = 0;
  let last = 0;
  let wide = 0;
  visitRow(graph, 1, span, 800, (node, left, right, merged) => {
    frames += merged;
    rectangles++;
    assert.ok(left >= last - 1e-6 && right <= 800);
    last = right;
    if (merged === 1 && right - left > 100) wide = node;
  });
  assert.equal(frames, 5000);
  assert.ok(rectangles <= 800, `${rectangles}`);
  assert.equal(nameOf(graph, wide), 'f2500');
  assert.ok(Math.abs(last - 800) < 1e-6);
});

test('a row is drawn from the first frame in sight to the last', () => {
  const graph = layOut(columnsOf({ name: 'all', children: ['a', 'b', 'c', 'd'].map((name) => ({ name, self: 10 })) }));
  const seen: [string, number, number][] = [];
  visitRow(graph, 1, { from: 15_000, to: 30_000 }, 150, (node, left, right) => seen.push([nameOf(graph, node), left, right]));
  assert.deepEqual(seen, [['b', 0, 50], ['c', 50, 150]]);
  assert.equal(nameOf(graph, nodeAt(graph, 1, 15_000)), 'b');
  assert.equal(nodeAt(graph, 1, 40_000), -1);
  assert.equal(nodeAt(graph, 2, 0), -1);
});

test('a search counts each sample once, however often it is found on the stack', () => {
  const graph = layOut(columnsOf(sample, { alpha: '/src/heap/alpha.c' }));
  const malloc = search(graph, 'MALLOC');
  assert.equal(malloc.nodes, 2);
  assert.equal(malloc.width, 8_000);
  const work = search(graph, 'work');
  assert.equal(work.nodes, 2); // one below the other
  assert.equal(work.width, 14_000);
  assert.equal(search(graph, 'heap/').width, 10_000);
  assert.equal(search(graph, '/bin/app').width, 30_000);
  assert.equal(search(graph, 'all').nodes, 2); // malloc, not the root
  assert.equal(search(graph, 'other').nodes, 0);
  const inner = at(graph, 'main', 'work', 'work');
  assert.deepEqual([search(graph, 'malloc', inner).nodes, search(graph, 'malloc', inner).width], [1, 5_000]);
  const first = nextFound(graph, malloc.names, 0, 0);
  const second = nextFound(graph, malloc.names, first, 0);
  assert.notEqual(first, second);
  assert.equal(nextFound(graph, malloc.names, second, 0), first);
  assert.equal(nextFound(graph, malloc.names, first, 0, true), second);
  assert.ok(contains(graph, at(graph, 'main', 'work'), first));
});

test('a zoom finds its frame in the next answer, whatever is new or in another order', () => {
  const before = layOut(columnsOf(sample));
  const node = at(before, 'main', 'work', 'work', 'malloc');
  const path = pathOf(before, node);
  assert.equal(path, ';main;work;work;malloc');
  const grown: Tree = { name: 'all', children: [{ name: 'idle', self: 99 }, { ...sample.children![0]!, children: [{ name: 'abc', self: 1 }, ...sample.children![0]!.children!] }] };
  const after = layOut(columnsOf(grown));
  const found = findPath(after, path);
  assert.equal(found.whole, true);
  assert.equal(pathOf(after, found.node), path);
  assert.equal(findKey(after, before.key[node]!, before.lock[node]!), found.node);
  assert.deepEqual(findPath(after, ';main;work;gone;malloc'), { node: at(after, 'main', 'work'), whole: false });
  assert.equal(pathOf(after, 0), '');
});

test('names with separators are told apart, and a path too long for a URL is found by its hash', () => {
  const odd = layOut(columnsOf({ name: 'all', children: [{ name: 'a;b\\', self: 1, children: [{ name: 'c', self: 2 }] }, { name: 'a', children: [{ name: 'b\\', self: 1 }] }] }));
  const node = odd.firstChild[at(odd, 'a\\;b\\\\')]!;
  assert.equal(nameOf(odd, node), 'c');
  assert.equal(pathOf(odd, node), ';a\\;b\\\\;c');
  assert.equal(findPath(odd, pathOf(odd, node)).node, node);

  let deep: Tree = { name: 'leaf', self: 1 };
  for (let i = 0; i < 20_000; i++) deep = { name: 'recurse', self: i % 7 ? 0 : 1, children: [deep] };
  const graph = layOut(columnsOf({ name: 'all', children: [deep] }));
  assert.equal(graph.rows, 20_002);
  const leaf = graph.count - 1;
  assert.match(pathOf(graph, leaf), /^~[0-9a-f]{16}$/);
  assert.deepEqual(findPath(graph, pathOf(graph, leaf)), { node: leaf, whole: true });
  assert.equal(namePath(graph, leaf, 4096), null);
  assert.equal(focusOf(graph, leaf), 'leaf');
  assert.equal(findPath(graph, '~0123456789abcdef').whole, false);
});

test('what is handed to another thread is all of the numbers', () => {
  const graph = layOut(columnsOf(sample));
  const copy = structuredClone(graph, { transfer: buffers(graph) });
  assert.equal(graph.width.length, 0);
  assert.equal(copy.width[0], 30_000);
});

test('an answer that makes no sense is refused', () => {
  const broken = (change: (nodes: Record<string, number[]>) => void) => {
    const columns = columnsOf(sample);
    change(columns.nodes as unknown as Record<string, number[]>);
    return () => layOut(columns);
  };
  assert.throws(broken((nodes) => { nodes.parent![3] = 3; }), /child before its parent/);
  assert.throws(broken((nodes) => { nodes.name![3] = 99; }), /without a name/);
  assert.throws(broken((nodes) => { nodes.self!.pop(); }), /differ in length/);
  assert.equal(layOut({ ...columnsOf(sample), nodes: { parent: [], name: [], file: [], line: [], folded: [], self: [], total: [], self_time_ns: [], total_time_ns: [] } }).count, 0);
});

test('a name cannot hide, turn or break the text around it', () => {
  assert.equal(visible('a\u202eb\u0000c\nd'), 'a\\u{202e}b␀c␊d');
  assert.equal(visible('<script>alert(1)</script>'), '<script>alert(1)</script>');
  assert.equal(visible('\ud800x\u200b'), '\\u{d800}x\\u{200b}');
  assert.equal(visible(''), '(no name)');
  assert.equal(visible('größe 数 😀'), 'größe 数 😀');
  assert.ok(visible('x'.repeat(1 << 20)).length < 5000);
});

test('a path from a leaf is, the other way round, how a stack ends', () => {
  assert.equal(stackEnd(';leaf'), 'leaf;');
  assert.equal(stackEnd(';leaf;inner;main'), 'main;inner;leaf;');
  assert.equal(stackEnd(';a\\;b;c\\\\;d'), 'd;c\\\\;a\\;b;');
  assert.equal(stackEnd(''), '');
});
