// The REST interface as its clients rely on it: fields, tags, problems, paging, events, metrics.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { assertProblem, collectEvents, events } from './helpers/http.mjs';
import { sleep, start, startTarget, until } from './helpers/processes.mjs';
import { needsFiles, needsRoot } from './helpers/programs.mjs';
import { wilson } from './helpers/statistics.mjs';

const rowsOf = (document, key) => (Array.isArray(document) ? document : document[key]);

async function profile(t, name = 'threads', samples = 500) {
  const target = await startTarget(t, name);
  const daemon = await startDaemon(t, ['--backend', 'auto', '--pid', String(target.pid)]);
  await daemon.waitSamples(samples);
  await daemon.waitNames();
  return { target, daemon };
}

test('a session has the documented fields', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, target } = await profile(t);
  const session = await daemon.get('/sessions/current');
  const numbers = (object, names) =>
    names.forEach((name) => assert.equal(typeof object[name], 'number', name));
  numbers(session, ['id', 'pid', 'duration_ns', 'frequency_hz', 'stack_bytes', 'threads']);
  numbers(session, ['knows_since_ns']);
  numbers(session.samples, ['total', 'lost', 'throttled', 'truncated_stacks']);
  numbers(session.samples, ['unwound_to_root', 'unresolved_frames']);
  numbers(session.time, ['sampled_ns', 'accounted_ns']);
  numbers(session.observer, ['daemon_cpu_percent', 'target_overhead_percent', 'rss_bytes']);
  for (const name of ['state', 'command', 'executable', 'backend', 'event'])
    assert.ok(session[name].length > 0, name);
  assert.match(session.started_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  assert.ok(Array.isArray(session.warnings));
  assert.equal(session.threads, 5);
  assert.equal(session.stack_bytes, 16384);

  const status = await daemon.get('/status');
  assert.match(status.version, /^\d+\.\d+/);
  assert.equal(status.pid, daemon.pid);
  assert.ok(status.uptime_ns > 0 && status.daemon.rss_bytes > 1e6);
  assert.deepEqual(status.sessions, [session.id]);
  const { id } = session;
  assert.equal((await daemon.get(`/sessions/${id}`)).pid, target.pid);
  assert.equal(rowsOf(await daemon.get('/sessions'), 'sessions')[0].id, id);
});

test('rows have the documented fields, and the interval is Wilson of the sorted share', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'ratios');
  await daemon.pause();
  const query = '/sessions/current/lines?limit=10000';
  await until('its lines', async () => (await daemon.get(query)).lines.length >= 6);
  for (const sort of ['self', 'total']) {
    const { lines, total } = await daemon.get(`${query}&sort=${sort}`);
    let last = Infinity;
    for (const row of lines) {
      for (const name of ['file', 'line', 'self_time_ns', 'total_time_ns'])
        assert.equal(typeof row[name], 'number', name);
      const hits = row[`${sort}_hits`];
      assert.ok(row.self_hits <= row.total_hits && row.total_hits <= total.hits);
      const near = (actual, expected, name) =>
        assert.ok(Math.abs(actual - expected) < 0.02, `${name}: ${actual}, not ${expected}`);
      // Shares are of time; with one thread they are those of the samples.
      near(row[`${sort}_percent`], (100 * hits) / total.hits, `${sort}_percent`);
      const { low, high } = wilson(hits, total.hits);
      near(row.percent_low, 100 * low, 'percent_low');
      near(row.percent_high, 100 * high, 'percent_high');
      assert.ok(row[`${sort}_time_ns`] <= last, 'rows are sorted');
      last = row[`${sort}_time_ns`];
    }
  }
  const { functions } = await daemon.get('/sessions/current/functions?sort=total');
  const mix = functions.find((row) => row.function === 'mix');
  assert.match(mix.module, /\/ratios$/);
  assert.match(mix.path, /ratios\.c$/);
  assert.ok(mix.line > 0 && mix.total_percent > 90);
});

test('every total adds up: lines, files, functions, threads, timeline, flame graph', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'threads', 2000);
  await daemon.pause();
  await daemon.waitNames();
  const session = await daemon.get('/sessions/current');
  const hits = session.samples.total;
  const sum = (rows, field = 'self_hits') => rows.reduce((total, row) => total + row[field], 0);
  for (const query of ['', '&inlines=called', '&kernel=0', '&sort=total']) {
    const at = (path) => daemon.get(`/sessions/current/${path}?limit=10000${query}`);
    const { lines, unknown, total } = await at('lines');
    assert.equal(total.hits, hits, query);
    assert.equal(sum(lines) + unknown.self_hits, hits, `lines${query}`);
    const { functions } = await at('functions');
    assert.equal(sum(functions), hits, `functions${query}`);
  }
  const threads = rowsOf(await daemon.get('/sessions/current/threads?limit=10000'), 'threads');
  assert.equal(sum(threads), hits);
  const timeline = await daemon.get('/sessions/current/timeline?step_ns=100000000');
  const time = timeline.series.flatMap(({ time_ns }) => time_ns).reduce((a, b) => a + b, 0);
  const { total } = await daemon.get('/sessions/current/lines');
  assert.ok(Math.abs(time - total.time_ns) <= 1000 * timeline.series.length, `${time}`);

  for (const percent of [0, 1, 20]) {
    const graph = await daemon.get(`/sessions/current/flamegraph?min_percent=${percent}`);
    const { parent, self, total: totals, name } = graph.nodes;
    assert.equal(graph.total, hits);
    assert.equal(totals[0], hits);
    assert.equal(self.reduce((a, b) => a + b, 0), hits);
    const below = self.slice();
    for (let i = parent.length - 1; i > 0; i--) {
      assert.ok(parent[i] < i, 'parents come first');
      assert.ok(name[i] < graph.names.length);
      assert.equal(below[i], totals[i], `node ${i}`);
      below[parent[i]] += below[i];
    }
    assert.equal(below[0], hits);
  }
});

test('ranges and threads filter, and parts add up to the whole', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'threads', 2000);
  await daemon.pause();
  await daemon.waitNames();
  const { duration_ns, samples } = await daemon.get('/sessions/current');
  const middle = Math.floor(duration_ns / 2);
  const total = async (query) => (await daemon.get(`/sessions/current/lines?${query}`)).total.hits;
  const [early, late] = [await total(`to_ns=${middle}`), await total(`from_ns=${middle}`)];
  assert.ok(early > 0 && late > 0);
  // The bucket that holds the cut may count on either side, but nowhere twice and nowhere not.
  assert.ok(Math.abs(early + late - samples.total) <= samples.total * 0.2, `${early} + ${late}`);
  const threads = rowsOf(await daemon.get('/sessions/current/threads?limit=100'), 'threads');
  let all = 0;
  for (const { tid } of threads) all += await total(`tid=${tid}`);
  assert.equal(all, samples.total);
  const two = threads.slice(0, 2).map(({ tid }) => tid);
  const both = (await total(`tid=${two[0]}`)) + (await total(`tid=${two[1]}`));
  assert.equal(await total(`tid=${two[0]}&tid=${two[1]}`), both);
  assert.equal(await total('tid=1'), 0);
});

test('pages follow each other without gap or repetition', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'frames');
  await daemon.pause();
  await daemon.waitNames();
  const whole = await daemon.get('/sessions/current/lines?limit=10000');
  const paged = [];
  let cursor = '';
  do {
    const page = await daemon.get(`/sessions/current/lines?limit=3${cursor}`);
    assert.ok(page.lines.length <= 3);
    paged.push(...page.lines);
    cursor = page.next_cursor ? `&cursor=${encodeURIComponent(page.next_cursor)}` : null;
  } while (cursor);
  assert.deepEqual(paged, whole.lines);
});

test('files: list, lines, text, listing', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'ratios');
  const files = rowsOf(await daemon.get('/sessions/current/files'), 'files');
  const file = files.find(({ path }) => path.endsWith('tests/targets/ratios.c'));
  assert.ok(file, JSON.stringify(files));
  assert.match(file.module, /\/ratios$/);
  const base = `/sessions/current/files/${file.id}`;
  const { lines } = await daemon.get(`${base}/lines`);
  assert.ok(lines.length >= 6 && lines.every(({ line }) => line > 0));
  const text = await daemon.request(`/api/v1${base}/text`);
  assert.equal(text.status, 200);
  assert.match(text.headers['content-type'], /^text\/plain/);
  assert.match(text.text, /known: five/);
  assert.match(text.headers.etag, /^"/, 'a strong tag');
  const listing = await daemon.request(`/api/v1${base}/listing`);
  assert.match(listing.headers['content-type'], /^text\/plain/);
  assert.match(listing.text, /^Line #\s+Hits\s+Time\s+Per Hit\s+% Time\s+Line Contents$/m);
  assert.match(listing.text, /^\s*\d+\s+\d+\s+.*WORK\(value, 5 \* unit\)/m);
});

test('answers carry tags, and are packed for who asks', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'frames');
  await daemon.pause();
  await daemon.waitNames();
  const path = '/api/v1/sessions/current/lines?limit=10000';
  const plain = await daemon.request(path);
  assert.equal(plain.headers['content-encoding'], undefined);
  const packed = await daemon.request(path, { headers: { 'accept-encoding': 'gzip' } });
  assert.equal(packed.headers['content-encoding'], 'gzip');
  assert.ok(packed.body.length < plain.body.length / 2);
  assert.deepEqual(packed.json(), plain.json());
  const headers = { 'if-none-match': plain.headers.etag };
  const unchanged = await daemon.request(path, { headers });
  assert.equal(unchanged.status, 304);
  assert.equal(unchanged.body.length, 0);
  await daemon.send('PATCH', '/sessions/current', { state: 'running' });
  await until('another tag', async () => (await daemon.request(path, { headers })).status === 200);
});

test('what is not there or not understood is a problem', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'ratios', 50);
  const at = (path) => daemon.request(`/api/v1${path}`);
  assertProblem(await at('/nothing'), 404);
  assertProblem(await daemon.request('/nothing'), 404);
  assertProblem(await at('/sessions/999'), 404);
  assertProblem(await at('/sessions/newest'), 404);
  assertProblem(await at('/sessions/99999999999999999999'), 404);
  assertProblem(await at('/sessions/current/files/4000000000/text'), 404);
  const bad = [
    'limit=-1',
    'limit=many',
    'limit=99999999999999999999',
    'sort=speed',
    'inlines=both',
    'kernel=2',
    'from_ns=-5',
    'from_ns=5&to_ns=3',
    'metric=sunshine',
    'tid=all',
    'cursor=nonsense',
    'colour=red',
  ];
  for (const query of bad) {
    const problem = assertProblem(await at(`/sessions/current/lines?${query}`), 400);
    assert.match(problem.detail, new RegExp(query.split(/[&=]/)[query.includes('to_ns') ? 2 : 0]));
  }
  for (const query of ['focus=%zz', 'focus=%00', 'focus=%4'])
    assertProblem(await at(`/sessions/current/lines?${query}`), 400);
  const put = await daemon.send('PUT', '/sessions/current', {});
  assertProblem(put, 405);
  assert.match(put.headers.allow, /GET/);
});

test('bodies that cannot be used change nothing', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startDaemon(t);
  const target = await startTarget(t, 'ratios');
  const { pid } = target;
  const post = (body, type = 'application/json') =>
    daemon.request('/api/v1/sessions', { method: 'POST', headers: { 'content-type': type }, body });
  for (const body of ['', '{', '[]', 'null', '{"pid":}', `{"pid":${pid}} x`, '{"pid":"1"}'])
    assertProblem(await post(body), 400);
  for (const document of [
    {},
    { pid: -1 },
    { pid: 1.5 },
    { pid: 1e20 },
    { pid, frequency_hz: 0 },
    { pid, frequency_hz: 1e9 },
    { pid, backend: 'magic' },
    { pid, colour: 'red' },
  ])
    assertProblem(await post(JSON.stringify(document)), 400);
  assertProblem(await post(JSON.stringify({ pid }), 'text/plain'), 415);
  assertProblem(await post(`{"pid":${pid},"backend":"${'a'.repeat(100000)}"}`), 413);
  const deep = await post('['.repeat(5000));
  assert.ok(deep.status >= 400 && deep.status < 500);
  const gone = await daemon.send('POST', '/sessions', { pid: 4194304 });
  assertProblem(gone, gone.status);
  assert.ok([404, 409, 422].includes(gone.status));
  assert.deepEqual((await daemon.get('/status')).sessions, []);

  await daemon.attach({ pid });
  for (const document of [{}, { state: 'flying' }, { state: 5 }, { colour: 'red' }])
    assertProblem(await daemon.send('PATCH', '/sessions/current', document), 400);
  assert.equal((await daemon.get('/sessions/current')).state, 'running');
});

test('events: session, totals and lines come; a stream is resumed where it broke', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'ratios', 100);
  const url = `${daemon.url}/api/v1/sessions/current/events`;
  const first = await collectEvents(url, { seconds: 5 });
  for (const name of ['session', 'totals', 'lines'])
    assert.ok(first.some(({ event }) => event === name), `an event "${name}": ${first.map(({ event }) => event)}`);
  for (const { data } of first) JSON.parse(data);
  const last = first.filter(({ id }) => id).at(-1);
  assert.ok(last, 'events have ids');

  // What a client knows that broke off after `last` and comes again.
  const hits = new Map();
  const learn = ({ event, data }) => {
    if (event !== 'lines') return;
    const { reset, lines } = JSON.parse(data);
    if (reset) hits.clear();
    for (const row of lines) hits.set(`${row.path}:${row.line}`, row.self_hits);
  };
  first.slice(0, first.indexOf(last) + 1).forEach(learn);
  await sleep(1000);
  await daemon.pause();
  await daemon.waitNames();
  const headers = { 'last-event-id': last.id };
  const again = await collectEvents(url, { seconds: 6, headers });
  // Names that became known meanwhile make the server send everything; this time they cannot.
  again.forEach(learn);
  headers['last-event-id'] = again.filter(({ id }) => id).at(-1).id;
  const third = await collectEvents(url, { seconds: 6, headers });
  const delta = JSON.parse(third.find(({ event }) => event === 'lines').data);
  assert.equal(delta.reset, false, 'only what is new comes again');
  third.forEach(learn);
  const { lines } = await daemon.get('/sessions/current/lines?limit=10000');
  for (const row of lines) assert.equal(hits.get(`${row.path}:${row.line}`), row.self_hits);
  assert.equal([...hits.values()].filter(Boolean).length, lines.filter((r) => r.self_hits).length);
});

test('the stream says when the target ended', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, target } = await profile(t, 'ratios', 100);
  setTimeout(() => target.kill('SIGKILL'), 1000);
  const url = `${daemon.url}/api/v1/sessions/current/events`;
  for await (const { event, data } of events(url, { signal: AbortSignal.timeout(60_000) }))
    if (event !== 'lines' && JSON.parse(data).state === 'exited') return;
  assert.fail('the stream ended without a word');
});

test('OpenAPI describes every path of the interface', async (t) => {
  const daemon = await startDaemon(t);
  const response = await daemon.request('/api/v1/openapi.json');
  assert.equal(response.status, 200);
  const description = response.json();
  assert.match(description.openapi, /^3\.1\./);
  const paths = Object.keys(description.paths).map((path) =>
    path.replace(/^\/api\/v1/, '').replace(/\{[^}]*\}/g, '*'),
  );
  const session = '/sessions/*';
  const wanted = ['/status', '/processes', '/sessions', session];
  for (const name of ['threads', 'timeline', 'functions', 'lines', 'files', 'flamegraph', 'events'])
    wanted.push(`${session}/${name}`);
  for (const name of ['lines', 'text', 'listing']) wanted.push(`${session}/files/*/${name}`);
  for (const path of wanted) assert.ok(paths.includes(path), `${path} of ${paths}`);
});

test('health is told, and the metrics pass promtool', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon } = await profile(t, 'ratios', 100);
  assert.equal((await daemon.request('/healthz')).status, 200);
  const metrics = await daemon.request('/metrics');
  assert.match(metrics.headers['content-type'], /^text\/plain; version=0\.0\.4/);
  assert.match(metrics.text, /^lprofd?_.*samples_total.* [1-9]/m);
  if (!needsFiles(t, ['/usr/bin/promtool'], 'prometheus')) return;
  const promtool = start(t, '/usr/bin/promtool', ['check', 'metrics'], { stdio: 'pipe' });
  promtool.child.stdin.end(metrics.text);
  const { code } = await promtool.ended;
  assert.equal(code, 0, promtool.stdout + promtool.stderr);
  assert.equal((promtool.stdout + promtool.stderr).trim(), '');
});

test('HEAD answers like GET, without the body', async (t) => {
  const daemon = await startDaemon(t);
  const head = await daemon.request('/api/v1/status', { method: 'HEAD' });
  assert.equal(head.status, 200);
  assert.equal(head.body.length, 0);
  assert.ok(existsSync(`/proc/${daemon.pid}`));
});
