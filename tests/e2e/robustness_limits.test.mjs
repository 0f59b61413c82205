// With less locked memory than rings would like, for everybody but root; and with few open files.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { NOBODY, publicCopy } from './helpers/nobody.mjs';
import { run, startTarget, until } from './helpers/processes.mjs';
import { LPROFD, needsRoot, targetPath } from './helpers/programs.mjs';

/** What a user may lock by default is one large ring per CPU, or 7 of the smallest for 16 KiB of stack. */
const FEW = cpus().length * 4;
const MANY = cpus().length * 10;
const LITTLE = ['prlimit', '--memlock=0:0'];

/** The kernel does not count locked memory below. */
const IS_LIMITED = Number(readFileSync('/proc/sys/kernel/perf_event_paranoid', 'utf8')) >= 0;

/** lprofd as nobody, with perf-thread. */
const startLimited = (t, args) =>
  startDaemon(t, ['--backend', 'perf-thread', ...args], {
    ...NOBODY,
    program: publicCopy(t, LPROFD),
    under: LITTLE,
  });

/** Waits until as many threads have samples, and gives the session. */
async function allSampled(daemon, count) {
  const sampled = async () => {
    const threads = await daemon.get('/sessions/current/threads?limit=10000');
    return threads.filter((thread) => thread.self_hits > 0).length;
  };
  await until(`samples of ${count} threads`, async () => (await sampled()) >= count);
  return daemon.get('/sessions/current');
}

test('many threads get smaller rings where little memory may be locked', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'crowd', { ...NOBODY, args: [String(FEW), '300'] });
  const daemon = await startLimited(t, ['--pid', String(target.pid)]);
  const session = await allSampled(daemon, FEW);
  assert.equal(session.backend, 'perf-thread');
  assert.equal(session.stack_bytes, 16384);
  assert.ok(!session.warnings.some((text) => /locked/.test(text)), session.warnings.join('\n'));
});

test('still more threads get smaller stacks, too, and the session says so', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'crowd', { ...NOBODY, args: [String(MANY), '300'] });
  const daemon = await startLimited(t, ['--pid', String(target.pid)]);
  const session = await allSampled(daemon, MANY);
  if (!IS_LIMITED) return;
  assert.ok(session.stack_bytes < 16384, String(session.stack_bytes));
  const warning = new RegExp(`locked .* ${session.stack_bytes} bytes .*ulimit -l`);
  assert.ok(session.warnings.some((text) => warning.test(text)), session.warnings.join('\n'));
});

test('threads that start later make the rings of the others smaller', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startLimited(t, ['--', publicCopy(t, targetPath('crowd')), String(FEW)]);
  const session = await allSampled(daemon, FEW);
  assert.equal(session.state, 'running');
  assert.ok(!session.warnings.some((text) => /locked/.test(text)), session.warnings.join('\n'));
});

test('threads that find no room at all are left out, and the session says so', async (t) => {
  if (!needsRoot(t) || !IS_LIMITED) return;
  const daemon = await startLimited(t, ['--', publicCopy(t, targetPath('crowd')), String(MANY)]);
  const session = await until('it is said', async () => {
    const document = await daemon.get('/sessions/current');
    return document.warnings.some((text) => /new threads .*locked.*ulimit -l/.test(text)) && document;
  });
  assert.equal(session.state, 'running');
});

test('perf-task works with few descriptors for a program of few threads', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios', NOBODY);
  const limit = cpus().length * 4 + 40;
  const args = [`--nofile=${limit}:${limit}`, publicCopy(t, LPROFD), '--pid', String(target.pid)];
  const result = await run(t, 'prlimit', [...args, '--duration', '1', '--no-http'], NOBODY);
  assert.equal(result.code, 0, result.stderr);
  assert.match(result.stdout, /by perf-task/);
});

test('too few descriptors for perf-task are the reason for perf-thread', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'crowd', { ...NOBODY, args: ['100', '300'] });
  const program = publicCopy(t, LPROFD);
  const options = { ...NOBODY, program, under: ['prlimit', '--nofile=190:190'] };
  const daemon = await startDaemon(t, ['--pid', String(target.pid)], options);
  const { backend, backend_reason } = await daemon.get('/sessions/current');
  assert.equal(backend, 'perf-thread');
  assert.match(backend_reason, /^too few files may be open for an event per thread and CPU: /);
});
