// Time is honest: what a session says equals the kernel's books within 2 %, and nothing is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sums, timeOf } from '../helpers/accounts.mjs';
import { startDaemon } from '../helpers/daemon.mjs';
import { startTarget, threadStates, threadTimes, until } from '../helpers/processes.mjs';
import { needsFiles, needsRoot } from '../helpers/programs.mjs';
import { PROGRAMS, startProgram } from '../helpers/real_programs.mjs';

const own = (name) => [name, (t) => startTarget(t, name)];
const real = ['lua', 'python', 'xz'].map((name) => [name, (t) => startReal(t, PROGRAMS[name])]);

function startReal(t, program) {
  const files = [program.command, ...program.args.filter((one) => one?.[0] === '/')];
  return needsFiles(t, files, program.packages) ? startProgram(t, program) : null;
}

const CASES = {
  'perf-cpu': [own('ratios'), own('threads'), own('briefthreads'), own('syscalls'), ...real],
  ptrace: [own('ratios'), own('threads'), own('briefthreads')],
};

for (const [backend, programs] of Object.entries(CASES)) {
  for (const [name, startOne] of programs) {
    test(`${backend}: the time of ${name} is that of the kernel`, async (t) => {
      const target = needsRoot(t) && (await startOne(t));
      if (!target) return;
      const daemon = await startDaemon(t, ['--backend', backend, '--pid', String(target.pid)]);
      await daemon.waitSamples(1);
      const { session_ns, least_ns, most_ns, stolen_ns, samples, lost } = await timeOf(daemon, target.pid, 5);
      t.diagnostic(`session ${session_ns / 1e9} s, kernel ${least_ns / 1e9} to ${most_ns / 1e9} s`);
      assert.ok(session_ns >= 0.98 * least_ns, `session ${session_ns}, kernel ${least_ns}`);
      assert.ok(session_ns <= 1.02 * most_ns, `session ${session_ns}, kernel ${most_ns}`);

      const exact = await sums(daemon);
      assert.equal(exact.lines + exact.unknown, exact.samples);
      assert.equal(exact.total, exact.samples);
      if (backend === 'perf-cpu') {
        assert.equal(lost, 0);
        // A sample stands for 1/997 s of CPU time, give or take its chance: 5 standard errors. No
        // timer fires in time that the hypervisor takes, though the kernel counts it.
        const sampled = samples * (1e9 / 997);
        const noise = 5 * Math.sqrt(most_ns / (1e9 / 997)) * (1e9 / 997);
        t.diagnostic(`${samples} samples stand for ${sampled / 1e9} s; ${stolen_ns / 1e9} s were stolen`);
        assert.ok(sampled >= 0.98 * least_ns - noise - stolen_ns, `${sampled} of ${least_ns}`);
        assert.ok(sampled <= 1.02 * most_ns + noise, `${sampled} of ${most_ns}`);
      }
    });
  }
}

test('the lines, the threads and the session tell the same time', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'threads');
  // It stands still while its time is read: that takes a while on a busy machine.
  const halt = async () => {
    target.kill('SIGSTOP');
    await until('the target stands still', () => threadStates(target.pid).every((state) => 'tT'.includes(state)));
  };
  await halt();
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitState('running');
  const start = new Map(threadTimes(target.pid).map(({ tid, ns }) => [tid, ns]));
  target.kill('SIGCONT');
  await daemon.waitSamples(8000, { seconds: 300 });
  await halt();
  const end = threadTimes(target.pid);
  await daemon.pause();
  target.kill('SIGCONT');
  const { time } = await daemon.get('/sessions/current');
  const { lines, unknown, total } = await daemon.get('/sessions/current/lines?limit=10000');
  const sum = lines.reduce((all, row) => all + row.self_time_ns, unknown.self_time_ns);
  assert.ok(Math.abs(sum - total.time_ns) <= lines.length + 1, `${sum} and ${total.time_ns}`);
  const share = total.time_ns / time.accounted_ns;
  assert.ok(Math.abs(share - 1) < 0.02, `the queries' time is ${share} of the session's`);
  for (const thread of await daemon.get('/sessions/current/threads?limit=100')) {
    const kernel = end.find(({ tid }) => tid === thread.tid).ns - (start.get(thread.tid) ?? 0);
    const error = Math.abs(thread.self_time_ns - kernel);
    assert.ok(error <= 0.02 * kernel + 100e6, `${thread.name}: ${thread.self_time_ns}, ${kernel}`);
  }
});
