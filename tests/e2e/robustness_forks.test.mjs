// A target that starts processes faster than lprofd may be able to hear of them.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { startTarget, until } from './helpers/processes.mjs';
import { SANITIZED, needsRoot } from './helpers/programs.mjs';

const FORKS = 30_000;
/** Of children that live and those whose end is not known: where records of ends are lost, those of seconds. */
const DESCRIPTORS_MAX = 10_000;
const MEMORY_MAX = 200e6;
/** A drain takes a tenth of a second, the last one two; the rest is for a machine that is busy. */
const SECONDS_MAX = 20;

/** Processes and threads that the machine has started. */
const started = () => Number(/^processes (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))[1]);

const memory = (pid) => 1024 * Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);

async function secondsOf(action) {
  const begin = performance.now();
  await action();
  return (performance.now() - begin) / 1000;
}

for (const backend of ['perf-cpu', 'perf-task'])
  test(`${backend}: a target that forks as fast as it can fills nothing and keeps nobody waiting`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'forks');
    const daemon = await startDaemon(t, ['--backend', backend, '--follow', '--pid', String(target.pid)]);
    const before = started();
    let descriptors = 0;
    await until(
      `${FORKS} processes`,
      () => {
        descriptors = Math.max(descriptors, readdirSync(`/proc/${daemon.pid}/fd`).length);
        return started() - before > FORKS;
      },
      300,
    );
    assert.ok(descriptors < DESCRIPTORS_MAX, `${descriptors} descriptors`);
    const bytes = memory(daemon.pid);
    assert.ok(SANITIZED || bytes < MEMORY_MAX, `${bytes} bytes`);
    const pausing = await secondsOf(() => daemon.pause());
    assert.ok(pausing < SECONDS_MAX, `${pausing} s for a pause`);
    await daemon.send('PATCH', '/sessions/current', { state: 'running' });
    const ending = await secondsOf(() => daemon.stop());
    assert.ok(ending < SECONDS_MAX, `${ending} s to the end`);
  });
