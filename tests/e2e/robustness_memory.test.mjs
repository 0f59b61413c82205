// Memory: what is too much for --memory-limit goes and is said to go; what an answer took comes back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { startDaemon, warningsOfFaults } from './helpers/daemon.mjs';
import { sleep, start, startTarget, until } from './helpers/processes.mjs';
import { SANITIZED, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';
import { PROGRAMS, startProgram } from './helpers/real_programs.mjs';

const resident = (pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;

/** A target of many short threads, each of which is a new row in everything. */
const startChurn = (t, pauseUs) => startTarget(t, 'churn', { args: [String(pauseUs), '300'] });

/** Every sample is somewhere: on a line, without one, or forgotten. */
async function assertAddsUp(daemon) {
  await daemon.pause();
  const session = await daemon.get('/sessions/current');
  const { samples } = session;
  const { lines, unknown, total } = await daemon.get('/sessions/current/lines?limit=10000');
  assert.equal(lines.reduce((sum, row) => sum + row.self_hits, unknown.self_hits), total.hits);
  assert.equal(total.hits + samples.forgotten, samples.total);
  assert.equal(samples.forgotten > 0, session.knows_since_ns > 0);
  const { series, start_ns, step_ns } = await daemon.get('/sessions/current/timeline?step_ns=100000000');
  assert.equal(series.flatMap(({ hits }) => hits).reduce((sum, one) => sum + one, 0), total.hits);
  const known = Math.floor((session.knows_since_ns - start_ns) / step_ns);
  for (const { time_ns } of series)
    assert.ok(time_ns.slice(0, known).every((time) => time === 0), 'nothing is invented for what is forgotten');
  return session;
}

const resume = (daemon) => daemon.send('PATCH', '/sessions/current', { state: 'running' });
const COARSER = /older than a minute is kept in steps of up to \d+ seconds.*memory limit/;
const FORGOTTEN = /older than second \d+ was forgotten.*memory limit/;

test('at a small memory limit the oldest goes, the rest adds up, and it is said', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startChurn(t, 1);
  const args = ['--memory-limit', '1M', '--frequency', '9973', '--pid', String(target.pid)];
  const daemon = await startDaemon(t, args);
  const forgetful = await until(
    'something is forgotten',
    async () => {
      const session = await daemon.get('/sessions/current');
      return session.knows_since_ns > 0 && session;
    },
    240,
  );
  assert.ok(forgetful.warnings.some((text) => FORGOTTEN.test(text)), forgetful.warnings.join());
  await daemon.waitSamples(forgetful.samples.total + 500);
  const session = await assertAddsUp(daemon);
  assert.ok(session.samples.forgotten < session.samples.total, JSON.stringify(session.samples));
});

test('under pressure what is old becomes coarser, then it goes, each of which is said', async (t) => {
  if (!needsRoot(t)) return;
  // Several processes, to get much done on a busy machine, too. They end with their parent.
  const one = `setpriv --pdeathsig KILL ${targetPath('recursion')} 900`;
  const target = start(t, 'sh', ['-c', `for i in 1 2 3 4; do ${one} & done; wait`]);
  const args = ['--follow', '--memory-limit', '1M', '--frequency', '3989', '--pid', String(target.pid)];
  const daemon = await startDaemon(t, args);
  await sleep(2500); // what these take is less than the limit, and what a minute takes is more
  const early = await assertAddsUp(daemon);
  assert.equal(early.samples.forgotten, 0);
  assert.deepEqual(warningsOfFaults(early), []);
  await sleep(65_000); // only what is older than a minute becomes coarser
  await resume(daemon);
  // How the session looked when something of these first was true.
  const seen = {};
  const look = async () => {
    const session = await daemon.get('/sessions/current');
    if (session.warnings.some((text) => COARSER.test(text))) seen.coarser ??= session;
    if (session.knows_since_ns > 0) seen.forgetful ??= session;
    return session;
  };
  await until('it becomes coarser', async () => (await look()) && seen.coarser, 240);
  await assertAddsUp(daemon);
  await resume(daemon);
  await until('it forgets', async () => (await look()) && seen.forgetful, 240);
  assert.ok(seen.coarser.samples.total <= seen.forgetful.samples.total);
  assert.ok(seen.forgetful.warnings.some((text) => COARSER.test(text)), 'coarser comes first');
  assert.ok(seen.forgetful.warnings.some((text) => FORGOTTEN.test(text)), seen.forgetful.warnings.join());
  await until('it forgets more', async () => (await look()).knows_since_ns > seen.forgetful.knows_since_ns, 240);
  const late = await assertAddsUp(daemon);
  assert.ok(late.samples.forgotten >= early.samples.total, 'the oldest went first');
});

// Ever new stacks of few functions.
const WANDERING = `
import random
random.seed(1)
def wander(depth, step):
    if depth == 0:
        return sum(i * i for i in range(200))
    if depth * step % 3:
        return max([1], key=lambda x: wander(depth - 1, step))
    return sorted([3, 1, 2], key=lambda x: wander(depth - 1, step) if x == step else x)[0]
while True:
    step = random.randint(1, 3)
    wander(random.randint(1, 60), step)
`;
const CUT = /^the callers of (\d+) samples were not kept.*memory limit/;
const cut = ({ warnings }) => Number(warnings.map((text) => CUT.exec(text)?.[1]).find(Boolean) ?? 0);

test('when stacks fill their share, the oldest samples go, and the rest keep their callers', async (t) => {
  if (!needsRoot(t)) return;
  const { python } = PROGRAMS;
  if (!needsFiles(t, [python.command], python.packages)) return;
  const target = start(t, python.command, ['-c', WANDERING]);
  const args = ['--memory-limit', '4M', '--frequency', '3989', '--pid', String(target.pid)];
  const daemon = await startDaemon(t, args);
  const forgets = async (since) => {
    const session = await daemon.get('/sessions/current');
    return session.knows_since_ns > since && session;
  };
  const once = await until('something is forgotten', () => forgets(0), 240);
  const again = await until('more is forgotten', () => forgets(once.knows_since_ns), 240);
  assert.ok(again.warnings.some((text) => FORGOTTEN.test(text)), again.warnings.join());
  const session = await assertAddsUp(daemon);
  assert.ok(session.samples.forgotten < session.samples.total, JSON.stringify(session.samples));
  assert.ok(cut(session) < 0.05 * session.samples.total, session.warnings.join());
  const { functions, total } = await daemon.get('/sessions/current/functions?sort=total&limit=100');
  const callers = functions.find((row) => row.function === '_PyEval_EvalFrameDefault');
  assert.ok(callers.total_hits > 0.9 * total.hits, JSON.stringify(callers));
});

test('where that leaves no room, callers are not kept, and each such sample is told', async (t) => {
  if (!needsRoot(t)) return;
  const { python } = PROGRAMS;
  if (!needsFiles(t, [python.command], python.packages)) return;
  const target = await startProgram(t, python);
  const args = ['--memory-limit', '1M', '--frequency', '3989', '--pid', String(target.pid)];
  const daemon = await startDaemon(t, args);
  await until('some are not kept', async () => cut(await daemon.get('/sessions/current')) > 500, 240);
  const session = await assertAddsUp(daemon);
  const { unwound_to_root, truncated_stacks, total } = session.samples;
  assert.ok(unwound_to_root + truncated_stacks + cut(session) <= total, JSON.stringify(session));
  assert.ok(unwound_to_root > 0, 'the first were kept');
  const { nodes, names } = await daemon.get('/sessions/current/flamegraph?min_percent=0');
  const hits = nodes.total.filter((_, i) => names[nodes.name[i]].includes('callers not kept'));
  const shown = hits.reduce((sum, one) => sum + one, 0);
  // The flame graph shows them as such, but for those that were forgotten since.
  const told = `${shown} of ${cut(session)}, ${JSON.stringify(session.samples)}`;
  assert.ok(shown > 0 && shown <= cut(session) && shown + session.samples.forgotten >= cut(session), told);
});

test('what large answers took is given back', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startChurn(t, 1);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await until('2000 threads came and went', async () => {
    const threads = await daemon.get('/sessions/current/threads?limit=10000');
    return threads.length >= 2000;
  }, 200);
  await daemon.pause();
  const base = resident(daemon.pid);
  const path = '/api/v1/sessions/current/timeline?step_ns=';
  let bytes = 0;
  const turns = SANITIZED ? 1 : 6;
  for (let turn = 0; turn < turns; turn++) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => daemon.request(`${path}${1_000_000 + 8 * turn + i}`, { seconds: 120 })),
    );
    for (const { body } of answers) bytes += body.length;
  }
  assert.ok(bytes > turns * 15e6, `the answers are large: ${bytes} bytes in all`);
  await sleep(1000);
  // The cache of answers may hold 32 MiB.
  const grown = resident(daemon.pid) - base;
  if (!SANITIZED) assert.ok(grown < 64 * 2 ** 20, `${grown} bytes more`);
});
