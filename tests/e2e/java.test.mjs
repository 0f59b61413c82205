// OpenJDK: the virtual machine's own threads to the last line, and Java code by what it can tell.
import assert from 'node:assert/strict';
import { realpathSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { atEnd, run, start, until } from './helpers/processes.mjs';
import { needsFiles, needsRoot } from './helpers/programs.mjs';

const JAVAC = '/usr/lib/jvm/java-17-openjdk-amd64/bin/javac';
const PROGRAM = `
public class Work {
    static Object[] kept = new Object[1 << 16];
    static long spin(long n) {
        long x = 1;
        for (long i = 0; i < n; i++) x = x * 31 + i;
        return x;
    }
    static long churn(int n) {
        for (int i = 0; i < n; i++) kept[i & 0xffff] = new long[32];
        return n;
    }
    static long both() { return spin(4000000) + churn(40000); }
    public static void main(String[] arguments) {
        long sum = 0;
        while (sum != 42) sum += both();
    }
}
`;

/** The file with libjvm's debug information that Debian's package brings. */
async function debugFile(t, home) {
  const { stdout } = await run(t, '/usr/bin/readelf', ['-n', join(home, 'lib/server/libjvm.so')]);
  const id = /Build ID: ([0-9a-f]+)/.exec(stdout)[1];
  return `/usr/lib/debug/.build-id/${id.slice(0, 2)}/${id.slice(2)}.debug`;
}

/** Compiles and starts the program; its JVM's tools are in `bin`. NULL where there is no JDK. */
async function startJava(t, options) {
  if (!needsRoot(t) || !needsFiles(t, [JAVAC], 'openjdk-17-jdk-headless')) return null;
  const bin = dirname(realpathSync(JAVAC));
  if (!needsFiles(t, [await debugFile(t, dirname(bin))], 'openjdk-17-dbg')) return null;
  const folder = publicFolder(t);
  writeFileSync(join(folder, 'Work.java'), PROGRAM);
  const { code, stderr } = await run(t, JAVAC, ['-d', folder, join(folder, 'Work.java')]);
  assert.equal(code, 0, stderr);
  const java = start(t, join(bin, 'java'),
    [...options, '-XX:+UseG1GC', '-Xmx64m', '-cp', folder, 'Work'], { cwd: folder });
  atEnd(t, () => rmSync(`/tmp/perf-${java.pid}.map`, { force: true }));
  const daemon = await startDaemon(t, ['--pid', String(java.pid)]);
  await daemon.waitSamples(3000, { seconds: 120 });
  return { daemon, pid: java.pid, bin };
}

const functionsOf = async (daemon) =>
  (await daemon.get('/sessions/current/functions?limit=10000&sort=total')).functions;

test('Java frames are named and reach main; threads of the JVM have files and lines', async (t) => {
  const java = await startJava(t, ['-XX:+PreserveFramePointer']);
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
  assert.ok(samples.unwound_to_root >= 0.99 * samples.total, JSON.stringify(samples));

  const total = (name) => functions
    .filter((one) => one.function.startsWith(name))
    .reduce((sum, one) => Math.max(sum, one.total_percent), 0);
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
  const java = await startJava(t, []);
  if (!java) return;
  const { daemon } = java;
  await daemon.pause();
  const { samples, warnings } = await daemon.get('/sessions/current');
  const ends = 'end early in code without unwind information: start java with -XX:\\+Preserve';
  assert.ok(warnings.some((text) => new RegExp(ends).test(text)), `${warnings}`);
  const functions = await until('all stacks have names', async () => {
    const all = await functionsOf(daemon);
    return !all.some((one) => one.function === '') && all;
  }, 180);
  const total = (name) => functions.find((one) => one.function === name)?.total_percent ?? 0;
  // What is not Java code has its root still, and no Java code pretends to.
  const whole = (100 * samples.unwound_to_root) / samples.total;
  assert.ok(Math.abs(whole + total('[no unwind information]') - 100) < 2, `${whole}, ${total('[no unwind information]')}`);
  assert.ok(total('[anon]') - total('[no unwind information]') < 2, JSON.stringify(functions.slice(0, 20)));
});
