// lprofd is told to end while it attaches, which takes long with many threads.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { isAlive, isStopped, openFiles, start, startTarget, until } from './helpers/processes.mjs';
import { LPROFD, needsRoot, targetPath, toolPath } from './helpers/programs.mjs';

const BACKENDS = ['perf-task', 'perf-thread', 'ptrace']; // which attach to each thread

const THREADS = 100;
const ATTACH_MS = 200;
const ATTACHING_MS = THREADS * ATTACH_MS;

const env = {
  ...process.env,
  LD_PRELOAD: toolPath('slow_attach.so'),
  ATTACH_MS: String(ATTACH_MS),
  ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`, // it comes before ASan
};

const startCrowd = (t) => startTarget(t, 'crowd', { args: [String(THREADS), '300'] });

const tracedThreads = (pid) =>
  readdirSync(`/proc/${pid}/task`).filter(
    (tid) => !/^TracerPid:\t0$/m.test(readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8')),
  );

/** Waits until the first threads are attached to. */
const attaching = (lprofd, target) =>
  until(
    'it attaches',
    () =>
      openFiles(lprofd).filter((link) => link.includes('perf_event')).length > 3 ||
      tracedThreads(target).length > 3,
  );

/** Asserts that what `end` waits for comes long before all threads would have been attached to. */
async function assertPrompt(end) {
  const began = performance.now();
  await end();
  const ms = performance.now() - began;
  assert.ok(ms < ATTACHING_MS / 3, `${ms} ms`);
}

function assertUnharmed(target) {
  assert.ok(isAlive(target.pid));
  assert.ok(!isStopped(target.pid));
  assert.deepEqual(tracedThreads(target.pid), []);
}

for (const backend of BACKENDS) {
  const args = (target) => ['--backend', backend, '--symbol-cache', 'off', '--pid', String(target.pid)];

  test(`${backend}: a signal that comes while lprofd attaches ends it at once, and with success`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startCrowd(t);
    const lprofd = start(t, LPROFD, ['--listen', '127.0.0.1:0', ...args(target)], { env });
    await attaching(lprofd.pid, target.pid);
    await assertPrompt(async () => {
      lprofd.kill('SIGTERM');
      const { code, signal } = await lprofd.ended;
      const { stdout, stderr } = lprofd;
      assert.deepEqual({ code, signal, stdout, stderr }, { code: 0, signal: null, stdout: '', stderr: '' });
    });
    assertUnharmed(target);
  });

  test(`${backend}: so does one that comes while it attaches by REST`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startCrowd(t);
    const daemon = await startDaemon(t, ['--backend', backend], { env });
    const answer = daemon.send('POST', '/sessions', { pid: target.pid }).catch(() => null);
    await attaching(daemon.pid, target.pid);
    await assertPrompt(() => daemon.stop());
    assert.ok([undefined, 503].includes((await answer)?.status));
    assertUnharmed(target);
  });
}

/** The status of an answer on the one connection of `agent`, and how long it took. */
const ask = (daemon, agent) =>
  new Promise((resolve, reject) => {
    const began = performance.now();
    get(`${daemon.url}/api/v1/status`, { agent }, (response) =>
      response.resume().on('end', () => resolve({ status: response.statusCode, ms: performance.now() - began })),
    ).on('error', reject);
  });

test('while REST attaches, and others wait for that, every connection is answered', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startCrowd(t);
  const daemon = await startDaemon(t, ['--backend', 'ptrace'], { env });
  const agents = Array.from({ length: 16 }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  t.after(() => agents.forEach((agent) => agent.destroy()));
  for (const agent of agents) await ask(daemon, agent);
  const attaches = Array.from({ length: 8 }, () => daemon.send('POST', '/sessions', { pid: target.pid }));
  await attaching(daemon.pid, target.pid);
  for (const { status, ms } of await Promise.all(agents.map((agent) => ask(daemon, agent)))) {
    assert.equal(status, 200);
    assert.ok(ms < ATTACHING_MS / 3, `${ms} ms`);
  }
  const statuses = (await Promise.all(attaches)).map(({ status }) => status);
  assert.deepEqual(statuses.sort(), [201, ...Array(7).fill(409)]);
});

test('a report that a signal prevents is a failure', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startCrowd(t);
  const args = ['--no-http', '--backend', 'perf-thread', '--pid', String(target.pid)];
  const lprofd = start(t, LPROFD, args, { env });
  await attaching(lprofd.pid, target.pid);
  lprofd.kill('SIGINT');
  const { code } = await lprofd.ended;
  assert.equal(code, 1);
  assert.match(lprofd.stderr, /^lprofd: /);
});

test('a command that lprofd was about to start is not started any more', async (t) => {
  if (!needsRoot(t)) return;
  const args = ['--listen', '127.0.0.1:0', '--backend', 'ptrace', '--', targetPath('ratios'), '300'];
  const lprofd = start(t, LPROFD, args, { env: { ...env, ATTACH_MS: '5000' } });
  const child = await until('its child', () =>
    readFileSync(`/proc/${lprofd.pid}/task/${lprofd.pid}/children`, 'utf8').trim(),
  );
  lprofd.kill('SIGTERM');
  const { code } = await lprofd.ended;
  assert.equal(code, 0, lprofd.stderr);
  assert.equal(lprofd.stdout, '', 'neither a URL nor what the command says');
  assert.ok(!existsSync(`/proc/${child}`));
});
