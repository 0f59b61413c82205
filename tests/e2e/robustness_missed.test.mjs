// What no record tells, in a pause or when they are lost: threads, children and libraries are known after it.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { startTarget, threadTimes, until } from './helpers/processes.mjs';
import { needsRoot, targetPath } from './helpers/programs.mjs';

const FOLLOWING = ['perf-cpu', 'perf-task'];
const BACKENDS = [...FOLLOWING, 'perf-thread', 'ptrace'];

const start = (t) => startTarget(t, 'late', { args: ['300', targetPath('plugin.so')] });

/** The process and its children. */
const family = (pid) => [
  pid,
  ...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number),
];

/** CPU time of every thread of a family, by tid. */
const timesOf = (pid) => new Map(family(pid).flatMap(threadTimes).map(({ tid, ns }) => [tid, ns]));

const sumOf = (times) => [...times.values()].reduce((sum, ns) => sum + ns, 0);

function usedMore(pid, seconds) {
  const before = sumOf(timesOf(pid));
  return until('CPU time was used', () => sumOf(timesOf(pid)) - before > seconds * 1e9);
}

async function beginTheRest(target) {
  target.kill('SIGUSR1');
  await until('all are at work', () => target.stdout.includes('at work'));
}

/** Waits until so many threads that are alive have their hits. */
async function waitWorkers(daemon, pid, count) {
  await until('every worker is sampled', async () => {
    const threads = await daemon.get('/sessions/current/threads');
    const late = threads.filter(({ tid, self_hits }) => timesOf(pid).has(tid) && self_hits > 100);
    return late.length === count;
  });
}

/** Functions of a paused session, and their hits. */
async function hitsByFunction(daemon) {
  await daemon.waitNames();
  const { functions } = await daemon.get('/sessions/current/functions?limit=10000');
  return new Map(functions.map((row) => [row.function, row.self_hits]));
}

function assertNames(hits, follows) {
  assert.ok(hits.get('plugin_work') > 50, JSON.stringify([...hits]));
  if (follows) assert.ok(hits.get('late_work') > 50, JSON.stringify([...hits]));
  const unmapped = hits.get('[unmapped address]') ?? 0;
  assert.ok(unmapped < 0.02 * [...hits.values()].reduce((sum, one) => sum + one, 0), `${unmapped} unmapped`);
}

for (const backend of BACKENDS)
  test(`${backend}: what began while sampling was paused is sampled after it, without the time before`, async (t) => {
    if (!needsRoot(t)) return;
    const follows = FOLLOWING.includes(backend);
    const target = await start(t);
    const args = ['--backend', backend, ...(follows ? ['--follow'] : []), '--pid', String(target.pid)];
    const daemon = await startDaemon(t, args);
    if (follows) await daemon.waitSamples(100);
    await daemon.pause();
    const first = await daemon.get('/sessions/current');
    await beginTheRest(target);
    await usedMore(target.pid, 3);
    const before = timesOf(target.pid);
    await daemon.send('PATCH', '/sessions/current', { state: 'running' });
    await waitWorkers(daemon, target.pid, follows ? 3 : 1);
    const last = await daemon.pause();
    const after = timesOf(target.pid);
    assertNames(await hitsByFunction(daemon), follows);
    assert.equal(last.processes, follows ? 3 : 1);
    const used = sumOf(after) - sumOf(before);
    const accounted = last.time.accounted_ns - first.time.accounted_ns;
    assert.ok(accounted < used + 0.2e9, `${accounted} ns of ${used} ns`);
    for (const { tid, pid, self_time_ns } of await daemon.get('/sessions/current/threads')) {
      const early = follows && pid === family(target.pid)[1]; // was sampled before, too
      const most = after.get(tid) - before.get(tid) + (early ? first.time.accounted_ns : 0);
      assert.ok(self_time_ns < most + 0.2e9, `thread ${tid}: ${self_time_ns} ns of ${most} ns`);
    }
  });

test('perf-cpu: what lost records told of is known soon afterwards', async (t) => {
  if (!needsRoot(t)) return;
  const target = await start(t);
  const daemon = await startDaemon(t, [
    ...['--backend', 'perf-cpu', '--follow', '--pid', String(target.pid)],
    ...['--frequency', '9999', '--stack-size', '65000'],
  ]);
  await daemon.waitSamples(100);
  daemon.program.kill('SIGSTOP');
  await usedMore(target.pid, 4); // no ring holds that
  await beginTheRest(target);
  await usedMore(target.pid, 2);
  daemon.program.kill('SIGCONT');
  await waitWorkers(daemon, target.pid, 3);
  const last = await daemon.pause();
  assert.ok(last.samples.lost > 0, JSON.stringify(last.samples));
  assert.equal(last.processes, 3);
  assertNames(await hitsByFunction(daemon), true);
});
