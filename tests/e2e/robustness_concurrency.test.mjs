// Everything at once: what a race, a lost wake-up or a leak would show in. CI runs this under
// ThreadSanitizer, too.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { collectEvents } from './helpers/http.mjs';
import { openFiles, sleep, startTarget, until } from './helpers/processes.mjs';
import { SANITIZED, needsRoot, targetPath } from './helpers/programs.mjs';

const SECONDS = 15;
const QUERIES = ['', '/lines?limit=50', '/functions', '/threads', '/timeline', '/flamegraph', '/files'];

/** Calls `body` over and over for `SECONDS`, and gives how often. */
async function repeat(body) {
  let count = 0;
  for (const deadline = Date.now() + SECONDS * 1000; Date.now() < deadline; count++) await body(count);
  return count;
}

async function readAll(daemon, session) {
  for (const query of QUERIES) await daemon.get(session + query);
  const files = await daemon.get(`${session}/files`);
  for (const { id } of (files.files ?? files).slice(0, 3)) {
    await daemon.get(`${session}/files/${id}/lines`);
    await daemon.request(`/api/v1${session}/files/${id}/text`);
    await daemon.request(`/api/v1${session}/files/${id}/listing`);
  }
}

/** A GET whose answer may also be that nothing changed since the last, as a browser's cache asks. */
async function getTagged(daemon, path, tags) {
  const answer = await daemon.request(`/api/v1${path}`, { headers: { 'if-none-match': tags[path] ?? '"none"' } });
  assert.ok([200, 304].includes(answer.status), `${path}: ${answer.status} ${answer.text}`);
  tags[path] = answer.headers.etag ?? tags[path];
}

/** What the page of a person asks who looks at the last seconds, then at a thread, then at a function. */
async function lookAround(daemon, session, tags) {
  const { duration_ns } = await daemon.get(session);
  const range = `from_ns=${Math.max(0, duration_ns - 3e9)}&to_ns=${duration_ns + 1}`;
  const [thread] = await daemon.get(`${session}/threads?limit=1`);
  const [row] = (await daemon.get(`${session}/functions?limit=1&sort=total`)).functions;
  const focus = row ? `&focus=${encodeURIComponent(row.function)}` : '';
  for (const path of [
    `/timeline?step_ns=100000000&${range}`,
    `/timeline?step_ns=50000000${focus}`,
    `/flamegraph?min_percent=0.5${focus}`,
    `/lines?limit=20&inlines=called&${range}`,
    ...(thread ? [`/functions?limit=20&tid=${thread.tid}&kernel=0`] : []),
    '/timeline', // the same document for all that look
    '/flamegraph',
  ])
    await getTagged(daemon, session + path, tags);
  const file = row?.file;
  if (!file) return;
  await daemon.request(`/api/v1${session}/files/${file}/listing?${range}${focus}`);
  await daemon.request(`/api/v1${session}/files/${file}/text`);
}

/** Follows a session's events as a browser does: each stream goes on where the last one broke. */
async function follow(daemon, session, reader) {
  const headers = reader.last ? { 'last-event-id': reader.last } : {};
  const path = `${daemon.url}/api/v1${session}/events?limit=${20 + reader.number}`;
  const events = await collectEvents(path, { seconds: 2 + reader.number, headers });
  reader.last = events.findLast(({ id }) => id)?.id ?? reader.last;
  reader.count += events.length;
}

/** Two of them quarrel over one session: each is answered, whoever wins. */
async function toggle(daemon, session, turn) {
  const state = turn % 2 ? 'running' : 'paused';
  const answer = await daemon.send('PATCH', session, { state });
  assert.equal(answer.status, 200, answer.text);
}

async function attachAndForget(daemon, pid, backend) {
  const answer = await daemon.send('POST', '/sessions', { pid, backend });
  assert.equal(answer.status, 201, answer.text);
  const session = `/sessions/${answer.json().id}`;
  const stream = collectEvents(`${daemon.url}/api/v1${session}/events`, { seconds: 20 });
  await sleep(100);
  await readAll(daemon, session);
  const gone = await daemon.request(`/api/v1${session}?forget=1`, { method: 'DELETE' });
  assert.equal(gone.status, 204, gone.text);
  await stream; // ends with the session, before its time is over
}

test('readers, streams, pauses and attaching at the same time disturb nobody', async (t) => {
  if (!needsRoot(t)) return;
  const reload = await startTarget(t, 'reload', { args: ['300', targetPath('plugin.so')] });
  const targets = [await startTarget(t, 'threads'), await startTarget(t, 'briefthreads'), reload];
  const children = await startTarget(t, 'children');
  const brief = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t);
  const sessions = [];
  for (const [i, backend] of ['perf-cpu', 'ptrace', 'perf-task'].entries())
    sessions.push(await daemon.attach({ pid: targets[i].pid, backend }));
  sessions.push(await daemon.attach({ pid: children.pid, follow: true }));
  const turns = await Promise.all([
    ...sessions.map((session) => repeat(() => readAll(daemon, session))),
    ...sessions.map((session) =>
      repeat(() => collectEvents(`${daemon.url}/api/v1${session}/events`, { seconds: 2 })),
    ),
    ...[0, 1].map((first) => repeat((turn) => toggle(daemon, sessions[0], first + turn))),
    repeat((turn) => attachAndForget(daemon, brief.pid, turn % 2 ? 'perf-thread' : 'perf-cpu')),
    repeat(() => daemon.request('/metrics').then(() => daemon.request('/healthz'))),
  ]);
  assert.ok(turns.every((count) => count > 0));
  for (const session of sessions) {
    await daemon.pause(session);
    const { lines, unknown, total } = await daemon.get(`${session}/lines?limit=10000`);
    assert.equal(lines.reduce((sum, row) => sum + row.self_hits, unknown.self_hits), total.hits);
    assert.ok(total.hits > 0);
  }
  assert.equal((await daemon.request('/healthz')).status, 200);
});

test('several pages look at ranges, threads and functions of sessions that begin and end', async (t) => {
  if (!needsRoot(t)) return;
  const targets = [await startTarget(t, 'threads'), await startTarget(t, 'inlines')];
  const brief = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t);
  const sessions = [];
  for (const { pid } of targets) sessions.push(await daemon.attach({ pid }));
  const readers = sessions.flatMap((session) =>
    [0, 1, 2].map((number) => ({ session, number, count: 0, tags: {} })),
  );
  const turns = await Promise.all([
    ...readers.map((reader) => repeat(() => lookAround(daemon, reader.session, reader.tags))),
    ...readers.map((reader) => repeat(() => follow(daemon, reader.session, reader))),
    repeat((turn) => attachAndForget(daemon, brief.pid, turn % 2 ? 'ptrace' : 'perf-task')),
    repeat(() => daemon.get('/processes').then(() => daemon.get('/status'))),
    repeat(() => daemon.get('/sessions').then(() => daemon.request('/'))),
  ]);
  assert.ok(turns.every((count) => count > 0));
  assert.ok(readers.every(({ count }) => count > 0));
  for (const session of sessions) {
    const gone = await daemon.request(`/api/v1${session}`, { method: 'DELETE' });
    assert.equal(gone.status, 204, gone.text);
    await daemon.waitState('detached', { session });
    const { lines, unknown, total } = await daemon.get(`${session}/lines?limit=10000`);
    assert.equal(lines.reduce((sum, row) => sum + row.self_hits, unknown.self_hits), total.hits);
    assert.ok(total.hits > 0);
  }
});

test('64 sessions that came and went leave no memory, file or thread behind', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'threads');
  const daemon = await startDaemon(t);
  const rss = () => Number(readFileSync(`/proc/${daemon.pid}/statm`, 'utf8').split(' ')[1]) * 4096;
  const files = () => openFiles(daemon.pid).length;
  const threads = () => readdirSync(`/proc/${daemon.pid}/task`).length;
  /** The least memory of some seconds, in which the last session is still being taken down. */
  const settled = async () => {
    let least = rss();
    for (let i = 0; i < 30; i++, await sleep(100)) least = Math.min(least, rss());
    return least;
  };
  const comeAndGo = async (turns) => {
    for (let turn = 0; turn < turns; turn++)
      await attachAndForget(daemon, target.pid, ['perf-cpu', 'perf-task', 'perf-thread', 'ptrace'][turn % 4]);
  };
  const before = { files: files(), threads: threads() };
  const rounds = [];
  for (let round = 0; round < 4; round++) {
    await comeAndGo(16);
    rounds.push(await settled());
  }
  const isClosed = () => files() <= before.files + 2 && threads() <= before.threads;
  await until('files and threads of the last one are gone', isClosed);
  // Freed memory that a heap cannot give back yet comes and goes; a leak of what each of 32 sessions
  // holds, some hundred kilobytes, would show in both of the later rounds.
  const growth = Math.min(...rounds.slice(2)) - Math.min(...rounds.slice(0, 2));
  if (!SANITIZED) assert.ok(growth < 4 * 2 ** 20, rounds.join(' '));
});
