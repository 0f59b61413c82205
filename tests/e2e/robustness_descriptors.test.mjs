// Without file descriptors: what can go on goes on, what cannot says why, and all recovers.
import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { isAlive, openFiles, run, sleep, startTarget, until } from './helpers/processes.mjs';
import { LPROFD, needsRoot } from './helpers/programs.mjs';

test('started with hardly any descriptors, lprofd samples or says what is missing', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  let worked = 0;
  for (const count of [4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 20, 32]) {
    const args = ['--pid', String(target.pid), '--duration', '0.3', '--no-http'];
    const result = await run(t, 'prlimit', [`--nofile=${count}:${count}`, LPROFD, ...args]);
    if (result.code === 0) {
      assert.match(result.stdout, /samples/);
      worked++;
    } else {
      assert.equal(result.code, 1, `${count}: ${result.signal} ${result.stderr}`);
      assert.match(result.stderr, /^lprofd: [^\n]*open files[^\n]*; raise `ulimit -n`\n$/);
    }
  }
  assert.ok(worked > 0, '32 are enough for a small program');
  assert.ok(isAlive(target.pid));
});

/** A client that keeps its connection: no new descriptor is needed to answer it. */
function keepAlive(t, daemon) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  return (method, path, document) =>
    new Promise((resolve, reject) => {
      const headers = { 'content-type': 'application/json' };
      const call = http.request(`${daemon.url}/api/v1${path}`, { method, agent, headers }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode, document: JSON.parse(text) }));
      });
      call.on('error', reject);
      call.end(document && JSON.stringify(document));
    });
}

test('when descriptors run out, sessions go on and say so; given some again, all works', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'briefthreads');
  const other = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t);
  const ask = keepAlive(t, daemon);
  const { status, document } = await ask('POST', '/sessions', { pid: target.pid, backend: 'perf-thread' });
  assert.equal(status, 201);
  const session = `/sessions/${document.id}`;
  await until('samples', async () => (await ask('GET', session)).document.samples.total > 50);
  const limit = async (count) => {
    const result = await run(t, 'prlimit', ['--pid', String(daemon.pid), `--nofile=${count}:`]);
    assert.equal(result.code, 0, result.stderr);
  };
  await limit(openFiles(daemon.pid).length - 3);
  const starved = await until('it is said', async () => {
    const { document: now } = await ask('GET', session);
    return now.warnings.some((text) => /no file descriptor left/.test(text)) && now;
  });
  assert.equal(starved.state, 'running');
  assert.ok(starved.observer.rss_bytes > 1e6, `${starved.observer.rss_bytes}`);
  const refused = await ask('POST', '/sessions', { pid: other.pid });
  assert.equal(refused.status, 503, JSON.stringify(refused.document));
  assert.match(refused.document.detail, /open files/);
  await sleep(1000);
  await limit(4096);
  const first = await daemon.waitSamples(1, { session });
  assert.equal(first.state, 'running');
  await daemon.waitSamples(first.samples.total + 100, { session });
  const again = await daemon.attach({ pid: other.pid });
  await daemon.waitSamples(100, { session: again });
});
