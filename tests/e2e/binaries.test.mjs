// However a program was linked, loaded, removed or hidden: its lines are found, and are its own.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

import { lineRow, startDaemon } from './helpers/daemon.mjs';
import { publicCopy, publicFolder } from './helpers/nobody.mjs';
import { run, start, startTarget, until } from './helpers/processes.mjs';
import { SOURCES, knownLine, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';

const SOURCE = join(SOURCES, 'ratios.c');

/** The three lines of ratios have their shares, and stacks reach the root. */
async function assertRatios(daemon) {
  await daemon.waitSamples(2000);
  const lines = await until('the lines are there', async () => {
    const document = await daemon.get('/sessions/current/lines?limit=100');
    return lineRow(document, 'ratios.c', knownLine('ratios.c', 'five')).self_percent > 50 && document;
  });
  for (const [mark, share] of [['one', 1 / 8], ['two', 2 / 8], ['five', 5 / 8]]) {
    const row = lineRow(lines, 'ratios.c', knownLine('ratios.c', mark));
    assert.ok(Math.abs(row.self_percent - share * 100) < 6, `${mark}: ${JSON.stringify(row)}`);
  }
  const { samples } = await daemon.get('/sessions/current');
  assert.ok(samples.unwound_to_root > 0.99 * samples.total, JSON.stringify(samples));
}

const attach = (t, pid, args = []) => startDaemon(t, [...args, '--pid', String(pid)]);

/** Starts a program and waits until it says ready; `pid` is the last of its line of children. */
async function startReady(t, command, args, options) {
  const program = start(t, command, args, options);
  await until(`${command} says ready`, () => {
    if (program.over) throw new Error(`${command} ended: ${program.stderr}`);
    return program.stdout.includes('ready');
  });
  return program;
}

/** The text that the listing of ratios.c shows for the line of a mark. */
async function shownText(daemon, mark) {
  const files = await daemon.get('/sessions/current/files?limit=100');
  const file = files.find(({ path }) => path.endsWith('ratios.c'));
  assert.ok(file, JSON.stringify(files));
  const { text, status } = await daemon.request(`/api/v1/sessions/current/files/${file.id}/text`);
  assert.equal(status, 200, text);
  return text.split('\n')[knownLine('ratios.c', mark) - 1];
}

for (const name of ['no-pie', 'static', 'static-pie']) {
  test(`a program that is linked ${name} has lines`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, `ratios-${name}`);
    await assertRatios(await attach(t, target.pid));
  });
}

test('a program with a C library that has no unwind information has lines', async (t) => {
  if (!needsRoot(t)) return;
  if (!needsFiles(t, [targetPath('ratios-musl')], 'musl-tools')) return;
  const target = await startTarget(t, 'ratios-musl');
  await assertRatios(await attach(t, target.pid));
  // It is executed under lprofd's eyes.
  await assertRatios(await startDaemon(t, ['--', targetPath('ratios-musl'), '300']));
});

/** Text that the target has moved to memory of its own is the program's, with its lines. */
async function assertMovedText(daemon) {
  await daemon.waitSamples(2000);
  await daemon.pause();
  await daemon.waitNames();
  const lines = await daemon.get('/sessions/current/lines?limit=100');
  for (const [mark, share] of [['first', 25], ['second', 75]]) {
    const row = lineRow(lines, 'moved.c', knownLine('moved.c', mark));
    assert.ok(Math.abs(row.self_percent - share) < 6, `${mark}: ${JSON.stringify(row)}`);
  }
  const { samples, warnings } = await daemon.get('/sessions/current');
  assert.ok(samples.unwound_to_root > 0.99 * samples.total, JSON.stringify(samples));
  assert.ok(!warnings.some((text) => /compiled at run time/.test(text)), `${warnings}`);
}

for (const way of ['a copy', 'mremap'])
  for (const backend of ['auto', 'ptrace'])
    test(`text that was moved by ${way} has lines (${backend})`, async (t) => {
      if (!needsRoot(t)) return;
      const target = await startTarget(t, 'moved', { args: ['300', way] });
      await assertMovedText(await attach(t, target.pid, ['--backend', backend]));
    });

test('text that a program moves while it is sampled has lines', async (t) => {
  if (!needsRoot(t)) return;
  await assertMovedText(await startDaemon(t, ['--', targetPath('moved'), '300']));
});

test('code in a file that is not ELF is one function, and that is said', async (t) => {
  if (!needsRoot(t)) return;
  const image = join(publicFolder(t), 'own.image');
  const target = await startTarget(t, 'image', { args: ['300', image] });
  const daemon = await attach(t, target.pid);
  await daemon.waitSamples(1000);
  await daemon.pause();
  await daemon.waitNames();
  const { functions } = await daemon.get('/sessions/current/functions?limit=100');
  const own = functions.filter(({ module }) => module === image);
  assert.deepEqual(own.map((row) => row.function), ['[own.image]']);
  assert.ok(own[0].self_percent > 90, JSON.stringify(own));
  const { unknown } = await daemon.get('/sessions/current/lines');
  assert.ok(unknown.reasons.no_debug_info >= own[0].self_hits, JSON.stringify(unknown));
  assert.ok(!unknown.reasons.unreadable, JSON.stringify(unknown));
  const { warnings } = await daemon.get('/sessions/current');
  assert.ok(warnings.some((text) => /own\.image, with \d+ % of the samples: it is no ELF file/.test(text)), `${warnings}`);
  assert.ok(!warnings.some((text) => /install its -dbg/.test(text)), `${warnings}`);
});

for (const version of [4, 5]) {
  test(`split DWARF ${version}: lines are known, and of inlined calls the innermost`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, `inlines-dwo${version}`);
    const daemon = await attach(t, target.pid);
    await daemon.waitSamples(2000);
    const row = await until('the line is there', async () => {
      const document = await daemon.get('/sessions/current/lines?limit=100');
      const found = lineRow(document, 'inlines.c', knownLine('inlines.c', 'written'));
      return found.self_percent > 0 && found;
    });
    assert.ok(row.self_percent > 90, JSON.stringify(row));
  });
}

const SHARING = `static inline __attribute__((always_inline)) void spin(volatile unsigned *at) { ++*at; }
volatile unsigned turns;
int main(void) { for (;;) spin(&turns); }
`;

test('a shared debug file (dwz) that is missing or of another build is said', async (t) => {
  if (!needsRoot(t)) return;
  if (!needsFiles(t, ['/usr/bin/dwz'], 'dwz')) return;
  const cwd = publicFolder(t);
  const shared = join(cwd, 'shared.debug');
  writeFileSync(join(cwd, 'spin.c'), SHARING);
  for (const [command, ...args] of [
    ['gcc', '-g', '-O1', '-o', 'one', 'spin.c'],
    ['gcc', '-g', '-O2', '-o', 'two', 'spin.c'],
    ['dwz', '-m', shared, 'one', 'two'],
  ]) {
    const { code, stderr } = await run(t, command, args, { cwd });
    assert.equal(code, 0, stderr);
  }
  const target = start(t, join(cwd, 'one'));
  const expectations = [
    ['spin', null, () => {}],
    ['[inlined]', /is missing/, () => rmSync(shared)],
    ['[inlined]', /is of another build/, () => copyFileSync('/bin/true', shared)],
  ];
  for (const [name, warning, prepare] of expectations) {
    prepare();
    const daemon = await attach(t, target.pid);
    await until(`${name} is there`, async () => {
      const { functions } = await daemon.get('/sessions/current/functions?limit=100');
      return functions.some((row) => row.function === name && row.total_percent > 90);
    });
    const { warnings } = await daemon.get('/sessions/current');
    const said = warnings.filter((text) => text.includes(shared));
    assert.equal(said.length, warning ? 1 : 0, `${warnings}`);
    if (warning) assert.match(said[0], warning);
  }
});

for (const backend of ['perf-cpu', 'ptrace']) {
  test(`${backend}: a program whose file is gone has lines`, async (t) => {
    if (!needsRoot(t)) return;
    const copy = publicCopy(t, targetPath('ratios'));
    const target = await startReady(t, copy, ['300']);
    rmSync(copy);
    await assertRatios(await attach(t, target.pid, ['--backend', backend]));
  });
}

test('a program whose file was replaced has the lines of the old file', async (t) => {
  if (!needsRoot(t)) return;
  const copy = publicCopy(t, targetPath('ratios'));
  const target = await startReady(t, copy, ['300']);
  copyFileSync(targetPath('primes'), `${copy}.new`);
  renameSync(`${copy}.new`, copy);
  await assertRatios(await attach(t, target.pid));
});

test('a program that lost its file finds its debug file beside where it was', async (t) => {
  if (!needsRoot(t)) return;
  const copy = publicCopy(t, targetPath('ratios-split'));
  copyFileSync(`${targetPath('ratios-split')}.debug`, join(dirname(copy), 'ratios-split.debug'));
  const target = await startReady(t, copy, ['300']);
  rmSync(copy);
  await assertRatios(await attach(t, target.pid));
});

test('a program in memory only has lines', async (t) => {
  if (!needsRoot(t)) return;
  if (!needsFiles(t, ['/usr/bin/python3.11'], 'python3.11')) return;
  const script = `
import os, sys
fd = os.memfd_create("hidden", os.MFD_CLOEXEC)
os.write(fd, open(sys.argv[1], "rb").read())
os.execve(fd, ["hidden", "300"], os.environ)
`;
  const target = await startReady(t, '/usr/bin/python3.11', ['-c', script, targetPath('ratios')]);
  await assertRatios(await attach(t, target.pid));
});

/** Fills a folder with the program and a source that differs from the one outside. */
function fillRoot(folder, program) {
  copyFileSync(targetPath(program), join(folder, 'hidden'));
  mkdirSync(join(folder, dirname(SOURCE)), { recursive: true });
  const text = readFileSync(SOURCE, 'utf8').replaceAll('/* known: five */', '/* inside: five */');
  writeFileSync(join(folder, SOURCE), text);
}

test('chroot: program and source are those of the target', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  fillRoot(folder, 'ratios-static');
  const target = await startReady(t, '/usr/sbin/chroot', [folder, '/hidden', '300']);
  const daemon = await attach(t, target.pid);
  await assertRatios(daemon);
  assert.match(await shownText(daemon, 'five'), /inside: five/);
});

test('chroot: a debug file is found inside', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  fillRoot(folder, 'ratios-static');
  const pack = 'objcopy --only-keep-debug hidden hidden.debug && strip -s hidden && ' +
    'objcopy --add-gnu-debuglink=hidden.debug hidden';
  assert.equal((await run(t, 'sh', ['-c', pack], { cwd: folder })).code, 0);
  const target = await startReady(t, '/usr/sbin/chroot', [folder, '/hidden', '300']);
  await assertRatios(await attach(t, target.pid));
});

test('a mount namespace: program, debug file and source are those of the target', async (t) => {
  if (!needsRoot(t)) return;
  if (!needsFiles(t, ['/usr/bin/unshare'], 'util-linux')) return;
  const folder = publicFolder(t);
  const script = `
set -e
mount -t tmpfs none "${SOURCES}"
cp /proc/self/fd/3 "${SOURCE}"
mount -t tmpfs none "${folder}"
cp "${targetPath('ratios-split')}" "${targetPath('ratios-split')}.debug" "${folder}"
exec "${folder}/ratios-split" 300`;
  fillRoot(folder, 'ratios');
  const target = await startReady(t, 'sh', ['-c',
    `exec unshare --mount sh -c "$0" 3<"${folder}${SOURCE}"`, script]);
  const daemon = await attach(t, target.pid);
  await assertRatios(daemon);
  assert.match(await shownText(daemon, 'five'), /inside: five/);
});
