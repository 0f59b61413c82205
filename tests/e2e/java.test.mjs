// OpenJDK: the virtual machine's own threads to the last line, and Java code by what it can tell.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { startJava } from './helpers/java.mjs';
import { run, until } from './helpers/processes.mjs';

/** null where there is no JDK. */
async function sampleJava(t, options) {
  const java = await startJava(t, options);
  if (!java) return null;
  const daemon = await startDaemon(t, ['--pid', String(java.pid)]);
  await daemon.waitSamples(3000, { seconds: 120 });
  return { daemon, ...java };
}

/** While the JVM starts, its main stack has a page in its middle that was never written: nobody can copy it. */
const STARTING = '[stack not in memory]';

const functionsOf = async (daemon) =>
  (await daemon.get('/sessions/current/functions?limit=10000&sort=total')).functions;

test('Java frames are named and reach main; threads of the JVM have files and lines', async (t) => {
  const java = await sampleJava(t, ['-XX:+PreserveFramePointer']);
  if (!java) return;
  const { daemon, pid, bin } = java;
  const { warnings } = await until('it is said how to get names', async () => {
    const session = await daemon.get('/sessions/current');
    return session.warnings.some((text) => /no names/.test(text)) && session;
  }, 120);
  assert.ok(warnings.some((text) => /java.*Compiler\.perfmap/.test(text)), `${warnings}`);

  const { code, stdout } = await run(t, join(bin, 'jcmd'), [String(pid), 'Compiler.perfmap']);
  assert.equal(code, 0, stdout);
  // The debug information of libjvm is large: its lines come some seconds after its names.
  const functions = await until('lines of libjvm and names of Java code are there', async () => {
    const all = await functionsOf(daemon);
    const has = (name) => all.find((one) => one.function.startsWith(name) && one.total_percent > 0);
    return has('long Work.spin(long)') && has('Thread::call_run')?.line && all;
  }, 180);
  await daemon.pause();
  const { samples } = await daemon.get('/sessions/current');
  const total = (name) => functions
    .filter((one) => one.function.startsWith(name))
    .reduce((sum, one) => Math.max(sum, one.total_percent), 0);
  assert.ok(total(STARTING) < 10, `${total(STARTING)}`);
  const known = 1 - total(STARTING) / 100;
  assert.ok(samples.unwound_to_root >= (known - 0.01) * samples.total, `${known} ${JSON.stringify(samples)}`);

  const spin = total('long Work.spin(long)');
  assert.ok(spin > 5, JSON.stringify(functions.slice(0, 20)));
  for (const caller of ['Interpreter', 'StubRoutines', 'JavaCalls::call_helper', 'JavaMain'])
    assert.ok(total(caller) > 0.9 * spin, `${caller}: ${total(caller)}, spin: ${spin}`);
  const run_ = functions.find((one) => one.function.startsWith('Thread::call_run'));
  assert.match(run_.path, /hotspot\/share\/runtime\/thread\.cpp$/);
  assert.ok(total('GangWorker::loop') > 1, JSON.stringify(functions.slice(0, 20)));

  const lines = (await daemon.get('/sessions/current/lines?limit=1000&sort=total')).lines;
  const worker = lines.find(({ path }) => path.endsWith('gc/shared/workgroup.cpp'));
  assert.ok(worker?.total_percent > 1, JSON.stringify(lines.slice(0, 10)));
});

test('without frame pointers Java stacks end with a reason, and what to do is said', async (t) => {
  const java = await sampleJava(t, []);
  if (!java) return;
  const { daemon } = java;
  await daemon.pause();
  const { samples, warnings } = await daemon.get('/sessions/current');
  const ends = 'most of them in code that java compiled at run time: start it with -XX:\\+Preserve';
  assert.ok(warnings.some((text) => new RegExp(ends).test(text)), `${warnings}`);
  const functions = await until('all stacks have names', async () => {
    const all = await functionsOf(daemon);
    return !all.some((one) => one.function === '[not looked up yet]') && all;
  }, 180);
  // By samples: time is scaled by thread, and the session counts samples.
  const total = (name) =>
    (100 * (functions.find((one) => one.function === name)?.total_hits ?? 0)) / samples.total;
  // What is not Java code has its root still, and no Java code pretends to.
  const whole = (100 * samples.unwound_to_root) / samples.total;
  const told = [whole, total('[no unwind information]'), total(STARTING)];
  assert.ok(Math.abs(told[0] + told[1] + told[2] - 100) < 2 && told[2] < 10, `${told}`);
  assert.ok(total('[anon]') - told[1] - told[2] < 2, JSON.stringify(functions.slice(0, 20)));
});
