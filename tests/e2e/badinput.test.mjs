// What people and files get wrong: one clear line and the right exit code, and nothing else.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { DAMAGES, corrupt, overwrite } from './helpers/corrupt.mjs';
import { startDaemon } from './helpers/daemon.mjs';
import { NOBODY, publicCopy, publicFolder } from './helpers/nobody.mjs';
import { atEnd, isAlive, run, start, startTarget, until } from './helpers/processes.mjs';
import { LPROF, LPROFD, ROOT, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';

/** For a sanitized lprofd: whole stacks, and what to forgive elfutils by them. */
const ELFUTILS_LEAKS = {
  ASAN_OPTIONS: 'fast_unwind_on_malloc=0',
  LSAN_OPTIONS: `print_suppressions=0:suppressions=${join(ROOT, 'tests/e2e/helpers/leaks-of-elfutils.txt')}`,
};

/** Asserts that lprofd fails with this code and says so in one line that names what is wrong. */
async function assertFails(t, args, code, pattern, options) {
  const program = options?.program ?? LPROFD;
  const listen = program === LPROF ? [] : ['--listen', '127.0.0.1:0'];
  const result = await run(t, program, [...listen, ...args], { ...options, seconds: 60 });
  assert.equal(result.code, code, `${result.signal ?? ''} ${result.stderr}`);
  assert.equal(result.stderr.trimEnd().split('\n').length, 1, result.stderr);
  assert.match(result.stderr, pattern);
  assert.match(result.stderr, /^lprofd?: /);
}

test('no such pid', (t) => assertFails(t, ['--pid', '4194304'], 1, /4194304/));

test('a pid that is no number', (t) => assertFails(t, ['--pid', 'init'], 2, /init/));

test('an unknown option', (t) => assertFails(t, ['--pidd', '1'], 2, /--pidd/));

test('numbers out of range', async (t) => {
  await assertFails(t, ['--frequency', '0', '--pid', '1'], 2, /frequency/);
  await assertFails(t, ['--frequency', '1000000000', '--pid', '1'], 2, /frequency/);
  await assertFails(t, ['--frequency', '-5', '--pid', '1'], 2, /frequency/);
  await assertFails(t, ['--stack-size', '7', '--pid', '1'], 2, /stack-size/);
  await assertFails(t, ['--duration', 'soon', '--pid', '1'], 2, /duration/);
  await assertFails(t, ['--memory-limit', '1Q', '--pid', '1'], 2, /memory-limit/);
  await assertFails(t, ['--backend', 'magic', '--pid', '1'], 2, /magic/);
  await assertFails(t, ['--event', 'magic', '--pid', '1'], 2, /magic/);
  await assertFails(t, ['--pid'], 2, /--pid/);
});

test('a command that is not there', (t) =>
  assertFails(t, ['--', '/nowhere/program'], 1, /\/nowhere\/program/));

test('a command that may not be run', async (t) => {
  if (!needsRoot(t)) return;
  const file = join(publicFolder(t), 'text');
  writeFileSync(file, 'not a program', { mode: 0o644 });
  await assertFails(t, ['--', file], 77, /text/);
});

test('a zombie', async (t) => {
  const parent = start(t, targetPath('zombie'));
  const pid = await until('its pid', () => /^\d+$/m.exec(parent.stdout)?.[0]);
  await until('a zombie', () => !isAlive(Number(pid)));
  await assertFails(t, ['--pid', pid], 1, /zombie|ended|exited|dead/i);
});

test('a kernel thread', async (t) => {
  if (!needsRoot(t)) return;
  await assertFails(t, ['--pid', '2'], 1, /kernel thread/i);
});

/** Not every kernel runs 32-bit programs: where one would run for ever, it ends at once. */
const kernelRuns = (program) => spawnSync(program, { timeout: 2000 }).signal === 'SIGTERM';

test('a 32-bit program', async (t) => {
  if (!needsFiles(t, [targetPath('bits32')], 'gcc that takes -m32')) return;
  await assertFails(t, ['--', targetPath('bits32')], 1, /32.bit/i);
  if (!kernelRuns(targetPath('bits32'))) return;
  const target = start(t, targetPath('bits32'));
  await until('it runs', () => isAlive(target.pid));
  await assertFails(t, ['--pid', String(target.pid)], 1, /32.bit/i);
});

test('a target that executes a 32-bit program later', async (t) => {
  if (!needsFiles(t, [targetPath('bits32')], 'gcc that takes -m32')) return;
  if (!kernelRuns(targetPath('bits32'))) return;
  for (const backend of ['auto', 'ptrace']) {
    const args = ['--backend', backend, '--', '/bin/sh', '-c', `exec ${targetPath('bits32')}`];
    const daemon = await startDaemon(t, args);
    const { pid } = await daemon.get('/sessions/current');
    atEnd(t, () => process.kill(pid));
    await until('a warning', async () => {
      const { warnings } = await daemon.get('/sessions/current');
      return warnings.some((text) => /32.bit/.test(text));
    });
  }
});

test('a followed child that executes a 32-bit program', async (t) => {
  if (!needsFiles(t, [targetPath('bits32')], 'gcc that takes -m32')) return;
  if (!kernelRuns(targetPath('bits32'))) return;
  const command = ['/bin/sh', '-c', `timeout 3 ${targetPath('bits32')}; true`];
  const { code, stdout, stderr } = await run(t, LPROFD, ['--no-http', '--follow', '--', ...command]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^warning: a 32-bit program was executed, whose samples have no stack/m);
  assert.match(stdout, /^ +\d+ {2}not in a file: compiled at run time, or the stack is cut or missing$/m);
});

test('a program for another machine', async (t) => {
  const program = join(ROOT, 'tests/unit/unwind/aarch64/frames-plain');
  await assertFails(t, ['--', program], 1, /is a program for aarch64 and this machine is x86-64/);
});

test("another user's process", async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'sleeper');
  const options = { ...NOBODY, program: publicCopy(t, LPROFD) };
  await assertFails(t, ['--pid', String(target.pid)], 77, new RegExp(target.pid), options);
});

test('perf-cpu without the right to it', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'sleeper', { ...NOBODY, program: targetPath('sleeper') });
  const options = { ...NOBODY, program: publicCopy(t, LPROFD) };
  await assertFails(
    t,
    ['--backend', 'perf-cpu', '--pid', String(target.pid)],
    77,
    /CAP_PERFMON|perf_event_paranoid|root/,
    options,
  );
});

test('a port that is taken', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((settle) => server.once('listening', settle));
  atEnd(t, () => server.close());
  const { port } = server.address();
  const { code, stderr } = await run(t, LPROFD, ['--listen', `127.0.0.1:${port}`], { seconds: 60 });
  assert.equal(code, 1, stderr);
  assert.match(stderr, new RegExp(`^lprofd: .*${port}.*\n$`));
});

test('an address that is none', (t) =>
  assertFails(t, ['--listen', '300.1.2.3:80'], 2, /300\.1\.2\.3/).catch(() =>
    assertFails(t, ['--listen', '300.1.2.3:80'], 78, /300\.1\.2\.3/),
  ));

test('lprof with nobody to ask', async (t) => {
  const options = { program: LPROF };
  await assertFails(t, ['report', 'http://127.0.0.1:1'], 1, /127\.0\.0\.1:1/, options);
  await assertFails(t, ['report', '/nowhere.lprof'], 1, /no file \/nowhere\.lprof/, options);
  await assertFails(t, ['report', 'localhost:8080'], 1, /URL, such as http:/, options);
  // Which session they name would be ignored.
  for (const url of ['http://localhost:8080/api/v1/sessions/1', 'http://localhost:8080/#/session/1/lines'])
    await assertFails(t, ['report', url], 2, /--session ID/, options);
  await assertFails(t, ['frobnicate'], 2, /frobnicate/, options);
  await assertFails(t, ['report'], 2, /report/, options);
});

test('a target that ends while it is attached to', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startDaemon(t);
  for (let turn = 0; turn < 20; turn++) {
    const target = start(t, '/bin/true');
    const response = await daemon.send('POST', '/sessions', { pid: target.pid });
    assert.ok([201, 404, 409, 410, 422].includes(response.status), response.text);
    await target.ended;
  }
  assert.equal((await daemon.request('/healthz')).status, 200);
});

test('programs whose ELF and DWARF are damaged are profiled as far as that goes', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const env = { ...process.env, ...ELFUTILS_LEAKS };
  const daemon = await startDaemon(t, [], { env });
  for (const damage of DAMAGES) {
    for (let seed = 1; seed <= 3; seed++) {
      const path = join(folder, `${damage}-${seed}`);
      corrupt(targetPath('frames'), path, damage, seed);
      const target = start(t, path, ['60']);
      await until(`${path} is at work`, () => {
        // A damaged .eh_frame does not matter to a program without exceptions.
        assert.ok(!target.over, `${path} ended`);
        return target.stdout.includes('ready');
      });
      const session = await daemon.attach({ pid: target.pid });
      await daemon.waitSamples(100, { session });
      await daemon.pause(session);
      const { lines, unknown, total } = await daemon.get(`${session}/lines?limit=10000`);
      const known = lines.reduce((sum, row) => sum + row.self_hits, 0);
      assert.ok(total.hits >= 100);
      assert.equal(known + unknown.self_hits, total.hits, path);
      await daemon.get(`${session}/flamegraph`);
      await daemon.get(`${session}/functions?limit=10000`);
      const deleted = await daemon.request(`/api/v1${session}`, { method: 'DELETE' });
      assert.ok(deleted.status < 300, deleted.text);
      target.kill('SIGKILL');
    }
  }
  assert.equal((await daemon.request('/healthz')).status, 200);
});

test('debug information that cannot be read is not called code without lines', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startDaemon(t);
  for (const section of ['.debug_info', '.debug_abbrev', '.debug_line']) {
    const path = join(publicFolder(t), 'frames');
    overwrite(targetPath('frames'), path, section);
    const target = start(t, path, ['60']);
    await until(`${path} is at work`, () => target.stdout.includes('ready'));
    const session = await daemon.attach({ pid: target.pid });
    await daemon.waitSamples(100, { session });
    await until(`${section} is damaged`, async () => {
      const { reasons } = (await daemon.get(`${session}/lines`)).unknown;
      return reasons.damaged > 90 && !reasons.no_line;
    });
    const { warnings } = await daemon.get(session);
    assert.ok(warnings.some((text) => text.startsWith(path) && text.includes(': its debug information is damaged')), `${warnings}`);
    target.kill('SIGKILL');
  }
});
