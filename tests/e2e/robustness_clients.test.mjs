// Clients that are many, slow, stuck or gone: the others are served and sampling goes on.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import net from 'node:net';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { request } from './helpers/http.mjs';
import { atEnd, openFiles, sleep, startTarget, until } from './helpers/processes.mjs';
import { SANITIZED, needsRoot } from './helpers/programs.mjs';

const PATHS = ['/lines', '/functions', '/flamegraph', '/timeline', '/threads', '/files', ''];

/** Resident bytes of a process. */
const resident = (pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;

/** A connection that has asked for `path`; what comes back is counted, and the end noted. */
function connect(t, url, path) {
  const { host, hostname, port } = new URL(url);
  const text = path ? `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n` : '';
  const socket = net.connect(Number(port), hostname, () => socket.write(text));
  const client = { socket, bytes: 0, head: '', closed: false };
  socket.on('data', (part) => {
    client.bytes += part.length;
    if (client.head.length < 4096) client.head += part.toString('latin1');
  });
  socket.on('error', () => {});
  socket.on('close', () => (client.closed = true));
  atEnd(t, () => socket.destroy());
  return client;
}

/** An HTTP response as text: its status and body. */
function parseAnswer(text) {
  const [head, body] = text.split('\r\n\r\n');
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body };
}

const EVENTS = '/api/v1/sessions/current/events';

async function startProfile(t) {
  const target = await startTarget(t, 'threads');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(200);
  return daemon;
}

/** Asserts that sampling went on since `before`, with as many samples as the CPU time asks for. */
async function assertSampling(daemon, before) {
  const after = await daemon.waitSamples(before.samples.total + 100);
  assert.equal(after.state, 'running');
  const lost = after.samples.lost - before.samples.lost;
  const taken = after.samples.total - before.samples.total;
  assert.ok(lost <= 0.01 * taken, `${lost} lost, ${taken} taken`);
  return after;
}

test('500 clients at once are all answered, and sampling goes on', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startProfile(t);
  const before = await daemon.get('/sessions/current');
  const base = resident(daemon.pid);
  const streams = Array.from({ length: 250 }, () => connect(t, daemon.url, EVENTS));
  const answers = await Promise.all(
    Array.from({ length: 250 }, (_, i) =>
      request(`${daemon.url}/api/v1/sessions/current${PATHS[i % PATHS.length]}`, { seconds: 120 }),
    ),
  );
  assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  await until('each stream has events', () => streams.every(({ bytes }) => bytes > 300));
  for (const { head } of streams) assert.match(head, /^HTTP\/1\.1 200 /);
  await sleep(3000);
  if (!SANITIZED) {
    const grown = resident(daemon.pid) - base;
    assert.ok(grown < 128 * 2 ** 20, `${grown} bytes more`);
  }
  await assertSampling(daemon, before);
  assert.ok(streams.every(({ closed }) => !closed));
});

test('clients that vanish in the middle of their events leave nothing behind', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startProfile(t);
  const before = openFiles(daemon.pid).length;
  for (let turn = 0; turn < 3; turn++) {
    const streams = Array.from({ length: 100 }, () => connect(t, daemon.url, EVENTS));
    await until('each stream has events', () => streams.every(({ bytes }) => bytes > 300));
    for (const { socket } of streams) socket.resetAndDestroy();
  }
  // A wave that met a full queue of connections may be noticed with the next heartbeat only.
  await until('their descriptors are closed', () => openFiles(daemon.pid).length <= before + 2);
  const metrics = (await daemon.request('/metrics')).text;
  assert.match(metrics, /^lprofd_http_event_streams 0$/m);
});

test('clients that do not read hold nobody up', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startProfile(t);
  const before = await daemon.get('/sessions/current');
  const base = resident(daemon.pid);
  const stuck = Array.from({ length: 50 }, (_, i) => connect(t, daemon.url, i % 2 ? EVENTS : '/api/v1/openapi.json'));
  for (const { socket } of stuck) socket.pause();
  const openapi = await daemon.request('/api/v1/openapi.json');
  assert.equal(openapi.status, 200);
  const slow = connect(t, daemon.url, '/api/v1/openapi.json');
  slow.socket.pause();
  for (let i = 0; i < 8; i++) {
    slow.socket.read(1);
    const begun = performance.now();
    await daemon.get('/sessions/current/lines');
    assert.ok(performance.now() - begun < 5000);
    await sleep(1000);
  }
  if (!SANITIZED) assert.ok(resident(daemon.pid) - base < 64 * 2 ** 20);
  await assertSampling(daemon, before);
});

test('clients beyond what the descriptors allow are refused and told so', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const options = { under: ['prlimit', '--nofile=256:256'] };
  const daemon = await startDaemon(t, ['--pid', String(target.pid)], options);
  const before = await daemon.waitSamples(100);
  const streams = Array.from({ length: 100 }, () => connect(t, daemon.url, EVENTS));
  const answered = () => streams.filter(({ bytes }) => bytes > 0);
  await until('all are answered', () => answered().length === 100);
  const answers = answered().map(({ head }) => parseAnswer(head));
  const refused = answers.filter(({ status }) => status !== 200);
  // Room is for 96, three quarters of half of all descriptors; a request of ours may just be ending.
  assert.ok(refused.length >= 4 && refused.length <= 8, `${refused.length} refused`);
  for (const { status, head, body } of refused) {
    assert.equal(status, 503);
    assert.match(head, /^Retry-After: \d+\r?$/im);
    assert.equal(JSON.parse(body).title, 'Too many clients');
  }
  const gone = () => streams.filter(({ closed }) => closed);
  await until('the refused are disconnected', () => gone().length === refused.length);
  for (let more = refused.length; more > 4; more--) connect(t, daemon.url, EVENTS); // now it is full
  await sleep(500);
  const busy = await daemon.request('/api/v1/status');
  assert.equal(busy.status, 503, busy.text);
  for (const { socket } of streams) socket.destroy();
  await until('others are served again', async () => (await daemon.request('/healthz')).status === 200);
  await assertSampling(daemon, before);
});

test('clients that leave while they wait for a place do not keep it from others', async (t) => {
  const daemon = await startDaemon(t, [], { under: ['prlimit', '--nofile=200:200'] });
  const before = openFiles(daemon.pid).length;
  const clients = Array.from({ length: 300 }, () => connect(t, daemon.url, ''));
  for (const { socket } of clients) socket.write('GET /');
  // Room is for 100, half of all descriptors; the kernel answers the others, and keeps what they say.
  await until('there is no room', () => openFiles(daemon.pid).length >= before + 100);
  await until('all are connected', () => clients.every(({ socket }) => socket.readyState === 'open'));
  await sleep(500);
  for (const { socket } of clients) socket.destroy();
  const left = performance.now();
  await until('another is served', async () => {
    const answer = await daemon.request('/healthz', { seconds: 20 }).catch((error) => error);
    return answer.status === 200;
  });
  const seconds = (performance.now() - left) / 1000;
  assert.ok(seconds < 15, `it takes ${seconds} s, about as long as connections may be idle`);
  await until('all descriptors are closed', () => openFiles(daemon.pid).length <= before + 2);
});

test('a client that ends its half of the connection at once is answered', async (t) => {
  const daemon = await startDaemon(t);
  const clients = Array.from({ length: 50 }, () => connect(t, daemon.url, '/api/v1/status'));
  for (const { socket } of clients) socket.once('connect', () => socket.end());
  await until('all are over', () => clients.every(({ closed }) => closed));
  for (const { head } of clients) assert.match(head, /^HTTP\/1\.1 200 /);
});

test('clients that send or read a byte now and then are cut off, in time', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startProfile(t);
  const texts = ['GET /api/v1/status HTTP/1.1\r\n', 'POST /api/v1/sessions HTTP/1.1\r\nHost: '];
  const begun = performance.now();
  const slow = texts.map((text) => {
    const client = connect(t, daemon.url, '');
    client.text = text + 'x'.repeat(300);
    return client;
  });
  const { host } = new URL(daemon.url);
  const body = connect(t, daemon.url, '');
  body.text = '1'.repeat(300);
  body.socket.write(
    `POST /api/v1/sessions HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n`,
  );
  slow.push(body);
  const stream = connect(t, daemon.url, EVENTS);
  for (let at = 0; slow.some(({ closed }) => !closed); at++) {
    assert.ok(performance.now() - begun < 150_000, 'they are cut off');
    for (const { socket, text, closed } of slow) if (!closed) socket.write(text[at]);
    await daemon.get('/sessions/current');
    await sleep(1000);
  }
  assert.ok(performance.now() - begun > 50_000, 'slow is not bad as such');
  assert.ok(!stream.closed, 'a stream may take as long as it likes');
});
