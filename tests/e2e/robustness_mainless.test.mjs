// Processes whose main thread has ended while others go on: /proc/PID tells nothing of their memory then.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { lineRow, startDaemon } from './helpers/daemon.mjs';
import { processState, run, startTarget, until } from './helpers/processes.mjs';
import { LPROF, knownLine, needsRoot, targetPath } from './helpers/programs.mjs';

const FOLLOWING = ['perf-cpu', 'perf-task'];
const BACKENDS = [...FOLLOWING, 'perf-thread', 'ptrace'];
const PLUGIN = targetPath('plugin.so');

const mainEnds = (pid) => until('its main thread has ended', () => processState(pid) === 'Z');

const childOf = (pid) => Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'));

/** Ends the main thread of the target, or of its child; its other thread then loads a library. */
async function endMain(target, pid) {
  process.kill(pid, 'SIGUSR1');
  await mainEnds(pid);
  await until('the library is loaded', () => target.stdout.includes('at work'));
}

const hits = async (daemon, name) => {
  const { functions } = await daemon.get('/sessions/current/functions?limit=10000');
  return functions.find((row) => row.function === name)?.self_hits ?? 0;
};

/** That and code of the library are sampled, and all addresses are those of code that is known. */
async function assertNames(daemon, name) {
  await until('what began afterwards is sampled', async () =>
    (await hits(daemon, name)) > 100 && (await hits(daemon, 'plugin_work')) > 100);
  const { samples } = await daemon.pause();
  await daemon.waitNames();
  const { unknown } = await daemon.get('/sessions/current/lines?limit=10000');
  const nowhere = Object.entries(unknown.reasons).filter(([reason]) => reason !== 'kernel');
  const count = nowhere.reduce((sum, [, one]) => sum + one, 0);
  assert.ok(count < 0.02 * samples.total, `${JSON.stringify(unknown)} of ${samples.total}`);
}

for (const backend of BACKENDS) {
  test(`${backend}: a process whose main thread has ended is attached to`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'mainless');
    await mainEnds(target.pid);
    const daemon = await startDaemon(t, ['--backend', backend]);
    const listed = await daemon.get('/processes');
    assert.match(listed.find(({ pid }) => pid === target.pid).command, /mainless 300$/);
    await daemon.attach({ pid: target.pid });
    const session = await daemon.waitSamples(300);
    assert.match(session.command, /mainless 300$/);
    assert.match(session.executable, /\/mainless$/);
    await daemon.waitNames();
    const lines = await daemon.get('/sessions/current/lines');
    const { self_percent } = lineRow(lines, 'mainless.c', knownLine('mainless.c', 'early'));
    assert.ok(self_percent > 90, JSON.stringify(lines));
    await until('only the other thread lives', async () => (await daemon.get('/sessions/current')).threads === 1);
    target.kill('SIGKILL');
    await daemon.waitState('exited');
  });

  test(`${backend}: code keeps its names when the main thread ends, and a library loaded then has some`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'mainless', { args: ['300', PLUGIN] });
    const daemon = await startDaemon(t, ['--backend', backend, '--pid', String(target.pid)]);
    await daemon.waitSamples(100);
    await endMain(target, target.pid);
    await assertNames(daemon, 'late_work');
    assert.equal((await daemon.get('/sessions/current')).threads, 1);
  });
}

for (const backend of FOLLOWING)
  for (const moment of ['before', 'after'])
    test(`${backend}: a child whose main thread ended ${moment} attaching is followed`, async (t) => {
      if (!needsRoot(t)) return;
      const target = await startTarget(t, 'mainless', { args: ['300', PLUGIN, 'child'] });
      const child = childOf(target.pid);
      if (moment === 'before') await endMain(target, child);
      const args = ['--backend', backend, '--follow', '--pid', String(target.pid)];
      const daemon = await startDaemon(t, args);
      await daemon.waitSamples(100);
      if (moment === 'after') await endMain(target, child);
      await assertNames(daemon, 'late_work');
      assert.equal((await daemon.get('/sessions/current')).processes, 2);
    });

test('lprof doctor looks at the executable of a process whose main thread has ended', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'mainless');
  await mainEnds(target.pid);
  const { stdout } = await run(t, LPROF, ['doctor', '--pid', String(target.pid)]);
  assert.match(stdout, /executable +\S+\/mainless$/m);
});
