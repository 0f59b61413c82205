// Time is honest: what a session says equals the kernel's books within 2 %, and nothing is lost.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { startDaemon } from '../helpers/daemon.mjs';
import { accountedNs, sleep, startTarget, threadTimes } from '../helpers/processes.mjs';
import { needsRoot } from '../helpers/programs.mjs';

for (const backend of ['perf-cpu', 'ptrace']) {
  for (const name of ['ratios', 'threads', 'briefthreads']) {
    test(`${backend}: the time of ${name} is that of the kernel`, async (t) => {
      if (!needsRoot(t)) return;
      const target = await startTarget(t, name);
      const daemon = await startDaemon(t, ['--backend', backend, '--pid', String(target.pid)]);
      await daemon.waitSamples(1);
      // Differences over the same stretch: the two ends are not read at the same instant.
      const read = async () => {
        const before = accountedNs(target.pid);
        const { time, samples } = await daemon.get('/sessions/current');
        return { kernel: (before + accountedNs(target.pid)) / 2, time, samples };
      };
      const first = await read();
      await sleep(15000);
      const last = await read();
      const kernel = last.kernel - first.kernel;
      const session = last.time.accounted_ns - first.time.accounted_ns;
      // 2 %, and two ticks of the kernel's clock and a turn of the daemon's at each end.
      const bound = 0.02 * kernel + 2 * 20e6 + 2 * 100e6;
      const error = Math.abs(session - kernel);
      assert.ok(error <= bound, `session ${session / 1e9} s, kernel ${kernel / 1e9} s`);

      if (backend === 'perf-cpu') {
        assert.equal(last.samples.lost, 0);
        // A sample stands for 1/997 s of CPU time, give or take its chance: 5 standard errors.
        const sampled = (last.samples.total - first.samples.total) * (1e9 / 997);
        const noise = 5 * Math.sqrt(kernel / (1e9 / 997)) * (1e9 / 997);
        assert.ok(Math.abs(sampled - kernel) <= bound + noise, `${sampled} and ${kernel}`);
      }
    });
  }
}

test('the lines, the threads and the session tell the same time', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'threads');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const start = new Map(threadTimes(target.pid).map(({ tid, ns }) => [tid, ns]));
  await daemon.waitSamples(8000, { seconds: 120 });
  const end = threadTimes(target.pid);
  await daemon.pause();
  await sleep(500);
  const { time } = await daemon.get('/sessions/current');
  const { lines, unknown, total } = await daemon.get('/sessions/current/lines?limit=10000');
  const sum = lines.reduce((all, row) => all + row.self_time_ns, unknown.self_time_ns);
  assert.ok(Math.abs(sum - total.time_ns) <= lines.length + 1, `${sum} and ${total.time_ns}`);
  const share = total.time_ns / time.accounted_ns;
  assert.ok(Math.abs(share - 1) < 0.02, `the queries' time is ${share} of the session's`);
  for (const thread of await daemon.get('/sessions/current/threads?limit=100')) {
    const kernel = end.find(({ tid }) => tid === thread.tid).ns - (start.get(thread.tid) ?? 0);
    const error = Math.abs(thread.self_time_ns - kernel);
    assert.ok(error <= 0.02 * kernel + 300e6, `${thread.name}: ${thread.self_time_ns}, ${kernel}`);
  }
});
