// Processes that stand still, vanish or change under the reader: what is missing is said.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lineRow, startDaemon } from './helpers/daemon.mjs';
import { isAlive, sleep, startTarget, until } from './helpers/processes.mjs';
import { knownLine, needsRoot, targetPath } from './helpers/programs.mjs';

/** Every number of a document, with its place: none may be negative. */
function assertNoNegative(value, place = '') {
  if (typeof value === 'number') assert.ok(value >= 0, `${place} is ${value}`);
  else if (value && typeof value === 'object')
    for (const [key, one] of Object.entries(value)) assertNoNegative(one, `${place}/${key}`);
}

const BACKENDS = ['perf-cpu', 'perf-task', 'perf-thread', 'ptrace'];

for (const backend of BACKENDS)
  test(`${backend}: when lprofd stands still for 5 s, what it missed is said, and it goes on`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'ratios');
    const daemon = await startDaemon(t, [
      ...['--backend', backend, '--pid', String(target.pid)],
      ...['--frequency', '4999', '--stack-size', '32768'],
    ]);
    const before = await daemon.waitSamples(500);
    daemon.program.kill('SIGSTOP');
    await sleep(5000);
    daemon.program.kill('SIGCONT');
    const first = await daemon.get('/sessions/current');
    await until('time has gone on meanwhile', async () => {
      const { duration_ns } = await daemon.get('/sessions/current');
      return duration_ns - before.duration_ns > 5e9;
    });
    const after = await daemon.waitSamples(first.samples.total + 500);
    assert.equal(after.state, 'running');
    assertNoNegative(after);
    if (backend !== 'ptrace') {
      // 5 s at 4999 Hz with 32 KiB each are 800 MB, if the target got a CPU: no ring holds that.
      assert.ok(after.samples.lost > 0, JSON.stringify(after.samples));
      assert.ok(after.warnings.some((text) => /records were lost/.test(text)), after.warnings.join());
    }
    await daemon.pause();
    const timeline = await daemon.get('/sessions/current/timeline?step_ns=100000000');
    assertNoNegative(timeline);
    const busy = timeline.series[0].time_ns.map((_, i) =>
      timeline.series.reduce((sum, { time_ns }) => sum + time_ns[i], 0),
    );
    let [hole, longest] = [0, 0];
    for (const time of busy) longest = Math.max(longest, (hole = time > 0 ? 0 : hole + 1));
    if (backend !== 'ptrace') assert.ok(longest >= 10, `the longest hole is ${longest} steps: ${busy}`);
    const { lines, unknown, total } = await daemon.get('/sessions/current/lines?limit=10000');
    assertNoNegative(lines);
    assert.equal(lines.reduce((sum, row) => sum + row.self_hits, unknown.self_hits), total.hits);
    assert.equal((await daemon.request('/healthz')).status, 200);
  });

for (const backend of BACKENDS)
  test(`${backend}: a target that stands still costs nothing, and goes on being sampled`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'threads');
    const daemon = await startDaemon(t, ['--backend', backend, '--pid', String(target.pid)]);
    await daemon.waitSamples(200);
    target.kill('SIGSTOP');
    await sleep(1500); // what was under way arrives
    const before = await daemon.get('/sessions/current');
    await sleep(2000);
    const still = await daemon.get('/sessions/current');
    assert.ok(still.samples.total - before.samples.total <= 2, 'what stands still is not sampled');
    assert.equal(still.state, 'running');
    target.kill('SIGCONT');
    const after = await daemon.waitSamples(still.samples.total + 200);
    assertNoNegative(after);
  });

for (const backend of BACKENDS)
  test(`${backend}: targets that are killed at any moment of attaching harm nobody`, async (t) => {
    if (!needsRoot(t)) return;
    const daemon = await startDaemon(t, ['--backend', backend]);
    for (let turn = 0; turn < 25; turn++) {
      const target = await startTarget(t, 'threads');
      const answer = daemon.send('POST', '/sessions', { pid: target.pid });
      await sleep(turn / 2);
      target.kill('SIGKILL');
      const { status, text } = await answer;
      assert.ok([201, 404, 422].includes(status), text);
      if (status === 201)
        await daemon.waitState('exited', { session: `/sessions/${JSON.parse(text).id}` });
    }
    assert.equal((await daemon.request('/healthz')).status, 200);
  });

test('a target that loads, runs and unloads libraries all the time is followed', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'reload', { args: ['300', targetPath('plugin.so')] });
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1500);
  await daemon.pause();
  const work = knownLine('plugin.c', 'work');
  const document = await until('the line of the library', async () => {
    const lines = await daemon.get('/sessions/current/lines?limit=10000');
    return lineRow(lines, 'plugin.c', work).self_hits > 0 && lines;
  });
  const hits = lineRow(document, 'plugin.c', work).self_hits;
  // The rest is the kernel's, which maps and unmaps: how much that is, is the machine's affair.
  assert.ok(hits > 0.2 * document.total.hits, `${hits} of ${document.total.hits}`);
  const session = await daemon.get('/sessions/current');
  const { unwound_to_root, total } = session.samples;
  assert.ok(unwound_to_root > 0.98 * total, JSON.stringify(session.samples));
  assert.ok(isAlive(target.pid));
});

/** Samples below `caller` that are of `callee`. */
function samplesOf({ nodes, names }, caller, callee) {
  const isBelow = (node) => node > 0 && (names[nodes.name[node]] === caller || isBelow(nodes.parent[node]));
  return nodes.self.reduce(
    (sum, self, node) => sum + (names[nodes.name[node]] === callee && isBelow(node) ? self : 0),
    0,
  );
}

for (const backend of BACKENDS)
  test(`${backend}: of two libraries that take each other's place, each is named while it is there`, async (t) => {
    if (!needsRoot(t)) return;
    const libraries = [targetPath('plugin.so'), targetPath('twin.so')];
    const target = await startTarget(t, 'swap', { args: ['300', ...libraries] });
    const daemon = await startDaemon(t, ['--backend', backend, '--pid', String(target.pid)]);
    await daemon.waitSamples(3000);
    await daemon.pause();
    await daemon.waitNames();
    const graph = await daemon.get('/sessions/current/flamegraph?min_percent=0&max_nodes=10000');
    const of = (caller, callee) => samplesOf(graph, caller, callee);
    const right = of('call_plugin', 'plugin_work') + of('call_twin', 'twin_work');
    const wrong = of('call_plugin', 'twin_work') + of('call_twin', 'plugin_work');
    const told = `${right} right, ${wrong} wrong of ${graph.total}`;
    assert.ok(right > 0.5 * graph.total, told);
    // ptrace reads the mappings every millisecond or so, of 5 that a library stays; the others hear of each.
    assert.ok(wrong <= (backend === 'ptrace' ? 0.2 : 0.02) * (right + wrong), told);
  });
