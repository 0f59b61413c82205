// What the page asks for: down-sampled timelines, pruned and turned graphs, filters, file streams.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { assertProblem, collectEvents } from './helpers/http.mjs';
import { sleep, startTarget } from './helpers/processes.mjs';
import { needsRoot } from './helpers/programs.mjs';

const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);
const at = (path) => `/sessions/current/${path}`;
const say = encodeURIComponent;

/** A daemon with a paused profile, whose numbers no longer change. */
async function paused(t, name, samples = 500) {
  const target = await startTarget(t, name);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(samples);
  await daemon.pause();
  await sleep(500);
  return { daemon, target };
}

/** Parents come first, and each node is its self cost and its children, in hits and in time. */
function assertSums({ nodes, total, total_time_ns }) {
  for (const [selfs, totals] of [
    [nodes.self, nodes.total],
    [nodes.self_time_ns, nodes.total_time_ns],
  ]) {
    const below = selfs.slice();
    for (let i = nodes.parent.length - 1; i > 0; i--) {
      assert.ok(nodes.parent[i] < i);
      below[nodes.parent[i]] += totals[i];
    }
    assert.deepEqual(below, totals);
  }
  assert.equal(nodes.total[0], total);
  assert.equal(nodes.total_time_ns[0], total_time_ns);
}

/** A node's path as focus takes it: from the root or, of an inverted graph, to the leaf. */
function pathOf({ nodes, names }, node, inverted = false) {
  const parts = [];
  for (let i = node; i; i = nodes.parent[i]) parts.push(names[nodes.name[i]].replace(/[\\;]/g, '\\$&'));
  return inverted ? parts.map((name) => `${name};`).join('') : parts.reverse().map((name) => `;${name}`).join('');
}

test('a timeline of so many points and threads adds up', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await paused(t, 'threads', 2000);
  const { total } = await daemon.get(at('lines?limit=1'));
  const all = await daemon.get(at('timeline'));
  assert.ok(all.series.length >= 3);
  for (const points of [1, 7, 100, 5000]) {
    for (const limit of [1, 2, 1000]) {
      const { step_ns, series } = await daemon.get(at(`timeline?points=${points}&limit=${limit}`));
      assert.match(String(step_ns / 1e8), /^[125]0*$/);
      assert.ok(series[0].time_ns.length <= points);
      assert.equal(sum(series.flatMap(({ hits }) => hits)), total.hits);
      assert.equal(sum(series.flatMap(({ time_ns }) => time_ns)), total.time_ns);
      assert.equal(sum(series.map(({ threads }) => threads)), all.series.length);
      assert.equal(series.length, Math.min(limit + 1, all.series.length));
      const last = series.at(-1);
      if (limit >= all.series.length) continue;
      assert.equal(last.tid, 0);
      assert.match(last.name, new RegExp(`^${last.threads} other threads?$`));
    }
  }
});

test('graphs of every shape add up, and say the kind of their modules', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await paused(t, 'recursion');
  const { functions, total } = await daemon.get(at('functions?limit=1000&sort=total'));
  const graph = (query) => daemon.get(at(`flamegraph?min_percent=0&${query}`));
  const whole = await graph('');
  assertSums(whole);
  const { names, name_module: moduleOf, modules, module_kinds: kinds } = whole;
  assert.equal(moduleOf.length, names.length);
  assert.equal(kinds.length, modules.length);
  const kindOf = (name) => kinds[moduleOf[names.indexOf(name)]];
  assert.equal(kindOf('main'), 'target');
  assert.match(modules[moduleOf[names.indexOf('main')]], /\/recursion$/);
  const libc = modules.findIndex((path) => /\/libc\.so\.6$/.test(path));
  assert.equal(kinds[libc], 'runtime');

  const inverted = await graph('inverted=1');
  assertSums(inverted);
  assert.equal(inverted.total, total.hits);
  const selfOf = new Map(); // a leaf's samples are a child's of the root
  inverted.nodes.parent.forEach((parent, i) => {
    if (i && !parent) selfOf.set(inverted.names[inverted.nodes.name[i]], inverted.nodes.total[i]);
  });
  for (const row of functions.filter(({ self_hits }) => self_hits))
    assert.equal(selfOf.get(row.function), row.self_hits, row.function);

  for (const row of functions.slice(0, 20)) {
    const same = functions.filter((other) => other.function === row.function);
    if (same.length > 1) continue;
    for (const direction of ['callees', 'callers']) {
      const half = await graph(`direction=${direction}&center=${say(row.function)}`);
      assertSums(half);
      assert.equal(half.total, row.total_hits, `${direction} of ${row.function}`);
      assert.equal(half.nodes.parent.filter((parent, i) => i && !parent).length, 1);
    }
  }

  const cut = await graph('max_nodes=6');
  assertSums(cut);
  assert.ok(cut.nodes.parent.length <= 6 && cut.nodes.folded.some((count) => count > 0));
  assert.equal(cut.total, total.hits);
  assertProblem(await daemon.request(`/api/v1${at('flamegraph?center=a&inverted=1')}`), 400);
  assertProblem(await daemon.request(`/api/v1${at('flamegraph?center=%3Bmain')}`), 400);
});

test('a path of a graph can be asked for again, and what is hidden is the rest', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await paused(t, 'shapes'); // C++: names with commas, spaces and templates
  for (const inverted of [0, 1]) {
    const graph = await daemon.get(at(`flamegraph?min_percent=1&inverted=${inverted}`));
    const paths = new Map();
    graph.nodes.parent.forEach((parent, i) => {
      if (!i || graph.nodes.folded[i]) return;
      const path = pathOf(graph, i, inverted === 1);
      paths.set(path, (paths.get(path) ?? 0) + graph.nodes.total[i]);
    });
    assert.ok(paths.size > 3);
    for (const [path, hits] of [...paths].slice(0, 25)) {
      const { total } = await daemon.get(at(`lines?limit=1&focus=${say(path)}`));
      const { total: rest } = await daemon.get(at(`lines?limit=1&hide=${say(path)}`));
      assert.equal(total.hits, hits, path);
      assert.equal(total.hits + rest.hits, graph.total, path);
    }
  }
});

test('lines say where they were inlined, and are found by a part of a name', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await paused(t, 'inlines');
  const { functions } = await daemon.get(at('functions?limit=1000'));
  const find = (name) => functions.find((row) => row.function === name);
  assert.equal(find('innermost').inlined_into, 2);
  assert.equal(find('main').inlined_into, 0);
  assert.ok(find('innermost').id > 0);
  const all = await daemon.get(at('lines?limit=1000'));
  assert.ok(all.lines.some((row) => row.function === 'innermost' && row.inlined_into === 2));
  for (const row of all.lines.filter(({ path }) => path.endsWith('/inlines.c')))
    assert.match(row.module, /\/inlines$/);
  for (const text of ['INNER', 'inlines.c', '/Inlines', 'nobody has this']) {
    const some = await daemon.get(at(`lines?limit=1000&filter=${say(text)}`));
    const wanted = all.lines.filter((row) =>
      [row.function, row.path, row.module].some((name) =>
        name.toLowerCase().includes(text.toLowerCase()),
      ),
    );
    assert.deepEqual(some.lines, wanted, text);
    assert.equal(some.count, wanted.length);
    assert.deepEqual(some.total, all.total);
  }
});

test('rows by thread are those of each thread', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await paused(t, 'threads', 1000);
  for (const table of ['lines', 'functions']) {
    const key = (row) => `${row.path}:${row.line}:${row.function}`;
    const { [table]: rows, total } = await daemon.get(at(`${table}?limit=10000&group=thread`));
    const tids = new Set(rows.map(({ tid }) => tid));
    assert.ok(tids.size >= 3);
    for (const tid of tids) {
      const own = await daemon.get(at(`${table}?limit=10000&tid=${tid}`));
      const hits = (list) => new Map(list.map((row) => [key(row), [row.self_hits, row.total_hits]]));
      assert.deepEqual(hits(rows.filter((row) => row.tid === tid)), hits(own[table]), `${tid}`);
      assert.ok(rows.find((row) => row.tid === tid).thread.length > 0);
    }
    if (table === 'functions') assert.equal(sum(rows.map((row) => row.self_hits)), total.hits);
  }
});

test('the functions of a file lie where the source has them', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await paused(t, 'ratios');
  const { lines } = await daemon.get(at('lines?limit=1000'));
  const { file, path } = lines.find((row) => row.path.endsWith('/ratios.c'));
  const source = readFileSync(path, 'utf8').split('\n');
  const { functions } = await daemon.get(at(`files/${file}/functions`));
  const rows = (await daemon.get(at(`files/${file}/lines`))).lines;
  assert.ok(functions.length > 0);
  assert.equal(sum(functions.map((row) => row.self_hits)), sum(rows.map((row) => row.self_hits)));
  for (const row of functions) {
    const own = rows.filter((line) => line.function === row.function).map(({ line }) => line);
    assert.deepEqual([row.first_line, row.last_line], [Math.min(...own), Math.max(...own)]);
    assert.match(source[row.line - 1], new RegExp(`\\b${row.function}\\(`));
    assert.equal(source[row.end_line - 1], '}', row.function);
    assert.ok(row.line <= row.first_line && row.last_line <= row.end_line);
  }
  assertProblem(await daemon.request(`/api/v1${at('files/4000000/functions')}`), 404);
});

test('streams of a file and of functions add up to the tables', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(300);
  const { lines } = await daemon.get(at('lines?limit=1000'));
  const { file } = lines.find((row) => row.path.endsWith('/ratios.c'));
  const url = (query) => `${daemon.url}/api/v1${at(`events?${query}`)}`;
  const learn = (events, name, key) => {
    const known = new Map();
    for (const { event, data } of events) {
      assert.ok(['session', 'totals', name].includes(event), event);
      if (event !== name) continue;
      const delta = JSON.parse(data);
      if (delta.reset) known.clear();
      for (const row of delta[name]) known.set(key(row), row.total_hits);
    }
    return known;
  };
  const streams = [
    collectEvents(url(`file=${file}&limit=1`), { seconds: 4 }),
    collectEvents(url('functions=1&limit=10000'), { seconds: 4 }),
  ];
  await sleep(1500);
  await daemon.pause();
  const [ofFile, ofFunctions] = await Promise.all(streams);
  const rows = (await daemon.get(at(`files/${file}/lines`))).lines;
  const fromFile = learn(ofFile, 'lines', (row) => {
    assert.equal(row.file, file);
    return row.line;
  });
  for (const row of rows) assert.equal(fromFile.get(row.line), row.total_hits);
  assert.equal([...fromFile.values()].filter(Boolean).length, rows.length);
  const { functions } = await daemon.get(at('functions?limit=10000'));
  const fromFunctions = learn(ofFunctions, 'functions', (row) => row.id);
  for (const row of functions) assert.equal(fromFunctions.get(row.id), row.total_hits, row.function);

  await daemon.send('PATCH', '/sessions/current', { state: 'running' });
  const past = await collectEvents(url('to_ns=500000000'), { seconds: 4 });
  const counts = (name) => past.filter(({ event }) => event === name).length;
  const news = past.filter(({ event }) => event === 'lines').map(({ data }) => JSON.parse(data));
  // Times are scaled to the kernel's account, which grows: a change of them may be news once more.
  assert.ok(news.length <= 3 && news.length < counts('totals'), `${news.length} lines events`);
  assert.ok(news.every((delta) => delta.total.hits === news[0].total.hits));
  assertProblem(await daemon.request(`/api/v1${at('events?file=4000000')}`), 404);
});

test('files of the page with a hash in their name are kept for ever, the page is not', async (t) => {
  const daemon = await startDaemon(t);
  const page = await daemon.request('/');
  assert.match(page.headers['cache-control'], /no-cache/);
  assert.match(page.headers['content-security-policy'], /^default-src 'none'/);
  const files = [...page.text.matchAll(/(?:src|href)="([^"#:]+\.\w+)"/g)].map((match) => match[1]);
  assert.ok(files.length > 0);
  for (const file of files) {
    const { status, headers } = await daemon.request(new URL(file, daemon.url).pathname);
    assert.equal(status, 200, file);
    assert.doesNotMatch(headers['content-type'], /octet-stream/);
    const hashed = /-[A-Z2-7]{8}\./.test(file);
    assert.match(headers['cache-control'], hashed ? /immutable/ : /no-cache/, file);
  }
});
