// Wherever a program's source is and whatever is in it: it is shown line by line, or it is said why not.
import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, renameSync, rmSync, statSync, symlinkSync, truncateSync,
  utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { run, sleep, start, until } from './helpers/processes.mjs';
import { needsFiles, needsRoot } from './helpers/programs.mjs';

const PROGRAM = `#include <stdio.h>
volatile unsigned long turns;
int main(void)
{
    puts("ready");
    fflush(stdout);
    for (;;)
        turns++; /* hot */
}
`;

/** Compiles sub/hot.c, named relative to the folder, and starts it. */
async function startHot(t, { compiler = 'gcc', options = [] } = {}) {
  const folder = publicFolder(t);
  mkdirSync(join(folder, 'sub'));
  const source = join(folder, 'sub/hot.c');
  writeFileSync(source, PROGRAM);
  const flags = options.map((option) => option.replaceAll('FOLDER', folder));
  const build = await run(t, compiler, ['-g', ...flags, '-o', 'hot', 'sub/hot.c'], { cwd: folder });
  assert.equal(build.code, 0, build.stderr);
  const target = start(t, join(folder, 'hot'));
  await until('hot says ready', () => target.stdout.includes('ready'));
  return { folder, source, pid: target.pid };
}

/** Attaches; `answer()` asks for the text of hot.c, `status()` for what the list of files says. */
async function attach(t, hot, options = []) {
  const daemon = await startDaemon(t, [...options, '--pid', String(hot.pid)]);
  const find = async () => (await daemon.get('/sessions/current/files?limit=100'))
    .find(({ path }) => path.endsWith('hot.c'));
  const { id, path } = await until('hot.c is known', find);
  const below = `/api/v1/sessions/current/files/${id}`;
  return {
    path,
    answer: () => daemon.request(`${below}/text`),
    listing: () => daemon.request(`${below}/listing`),
    status: async () => (await find()).status,
    lines: () => daemon.get(`/sessions/current/files/${id}/lines`),
  };
}

/** The same, of a source that was changed before: the session does not keep such a text. */
async function attachUnkept(t, hot) {
  utimesSync(hot.source, Date.now() / 1000 + 100, Date.now() / 1000 + 100);
  return attach(t, hot);
}

test('a relative name belongs to the compilation directory', async (t) => {
  if (!needsRoot(t)) return;
  const hot = await startHot(t);
  const shown = await attach(t, hot);
  assert.equal(shown.path, hot.source);
  assert.equal((await shown.answer()).text, PROGRAM);
});

test('".." leads out of where a symbolic link points to', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const link = join(folder, 'link');
  for (const below of ['link', 'real/deep']) mkdirSync(join(folder, below), { recursive: true });
  symlinkSync(join(folder, 'real/deep'), join(link, 'sub'));
  const source = join(folder, 'real/hot.c');
  writeFileSync(source, PROGRAM);
  const build = await run(t, 'sh', ['-c', 'cd link/sub && gcc -g -o ../../hot ../hot.c'], { cwd: folder });
  assert.equal(build.code, 0, build.stderr);
  const target = start(t, join(folder, 'hot'));
  await until('hot says ready', () => target.stdout.includes('ready'));
  const impostor = join(link, 'hot.c');
  writeFileSync(impostor, 'int other;\n');
  utimesSync(impostor, 1e9, 1e9);

  const shown = await attach(t, { pid: target.pid });
  assert.equal(shown.path, impostor);
  assert.equal((await shown.answer()).text, PROGRAM);
  rmSync(source);
  const gone = await attach(t, { pid: target.pid });
  assert.equal((await gone.answer()).json().reason, 'missing');
});

test('a source is found when the folder that it was built in is gone', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  mkdirSync(join(folder, 'build'));
  writeFileSync(join(folder, 'hot.c'), PROGRAM);
  const build = await run(t, 'gcc', ['-g', '-o', '../hot', '../hot.c'], { cwd: join(folder, 'build') });
  assert.equal(build.code, 0, build.stderr);
  const target = start(t, join(folder, 'hot'));
  await until('hot says ready', () => target.stdout.includes('ready'));
  rmSync(join(folder, 'build'), { recursive: true });
  const shown = await attach(t, { pid: target.pid });
  assert.equal((await shown.answer()).text, PROGRAM);
});

for (const [name, options, sourcePath] of [
  ['a prefix that the compiler mapped away is mapped back',
    ['-fdebug-prefix-map=FOLDER=/nowhere/at/all'], '/nowhere/at/all=FOLDER'],
  ['a folder without a prefix is searched by the ends of names',
    ['-fdebug-prefix-map=FOLDER=/nowhere/at/all'], 'FOLDER'],
  ['a name without any directory is found below --source-path',
    ['-fdebug-prefix-map=FOLDER=.'], 'FOLDER'],
  ['a relative name is mapped by what is shown of it',
    ['-fdebug-prefix-map=FOLDER=.'], 'sub=FOLDER/sub'],
  ['a relative name is mapped by what the compiler was told',
    ['-fdebug-prefix-map=FOLDER=.'], '.=FOLDER'],
  ['a relative compilation directory is mapped once',
    ['-fdebug-prefix-map=FOLDER=proj'], 'proj=FOLDER'],
  ['a single file is mapped by its whole name',
    ['-fdebug-prefix-map=FOLDER=/nowhere/at'], '/nowhere/at/sub/hot.c=FOLDER/sub/hot.c'],
]) {
  test(name, async (t) => {
    if (!needsRoot(t)) return;
    const hot = await startHot(t, { options });
    const without = await attach(t, hot);
    assert.equal((await without.answer()).json().reason, 'missing');
    const mapped = await attach(t, hot,
      ['--source-path', sourcePath.replace('FOLDER', hot.folder)]);
    assert.equal((await mapped.answer()).text, PROGRAM);
  });
}

test('every line of any encoding is shown', async (t) => {
  if (!needsRoot(t)) return;
  const hot = await startHot(t);
  const shown = await attachUnkept(t, hot);
  const text = async (bytes) => {
    writeFileSync(hot.source, bytes);
    utimesSync(hot.source, Date.now() / 1000 + 100, Date.now() / 1000 + 100);
    const { status, text: answer, headers } = await shown.answer();
    assert.equal(status, 200, answer);
    assert.match(headers['content-type'], /utf-8/);
    return answer;
  };
  assert.equal(await text(PROGRAM.replaceAll('\n', '\r\n')), PROGRAM.replaceAll('\n', '\r\n'));
  const listing = (await shown.listing()).text;
  assert.match(listing, /turns\+\+; \/\* hot \*\/$/m, 'CRLF leaves nothing at the end of a line');

  assert.equal(await text(Buffer.from('a\n// caf\xe9 \xa9\nb\n', 'latin1')), 'a\n// café ©\nb\n');
  assert.equal(await text('\u{1f600}\nß\n'), '\u{1f600}\nß\n');
  assert.equal(await text(''), '');
  assert.equal(await text('no end'), 'no end');
  const all = Buffer.from(Array.from({ length: 4096 }, (_, i) => i * 167 % 256));
  const ends = all.filter((byte) => byte === 10 || byte === 13).length; // for C; nowhere a \r\n
  assert.equal((await text(all)).split('\n').length - 1, ends);
  assert.equal(await text('a\rb\r\r\n\rc'), 'a\nb\n\r\n\nc', 'as gcc and clang count lines');
  assert.equal(await text(Buffer.from('int é;\n', 'utf16le')), 'int é;\n');
  const shifted = await text(Buffer.concat([Buffer.from('x\n\xff\xfe\0\n'), Buffer.from('y\n', 'utf16le')]));
  assert.equal(shifted.split('\n').length, 4);
});

test('a generated file is shown up to 64 MiB, and beyond that its size is the reason', async (t) => {
  if (!needsRoot(t)) return;
  const hot = await startHot(t);
  const shown = await attachUnkept(t, hot);
  const line = '/* a line that a program wrote, and nobody will ever read it again */\n';
  const count = Math.floor((48 << 20) / line.length);
  writeFileSync(hot.source, line.repeat(count) + 'last\n');
  const { status, text } = await shown.answer();
  assert.equal(status, 200);
  assert.equal(text.length, count * line.length + 5);
  assert.ok(text.endsWith('\nlast\n'));

  truncateSync(hot.source, 100e6);
  const refused = await shown.answer();
  assert.equal(refused.status, 404);
  assert.equal(refused.json().reason, 'too_large');
  assert.match(refused.json().detail, /64 MiB/);
  assert.equal(await shown.status(), 'too_large');
  assert.match((await shown.listing()).text, /cannot be shown \(too_large\)/);
  assert.ok((await shown.lines()).lines.length > 0, 'the costs are known all the same');
});

test('what is not a regular file is refused at once', async (t) => {
  if (!needsRoot(t)) return;
  const hot = await startHot(t);
  const shown = await attachUnkept(t, hot);
  for (const [command, ...options] of [
    ['mkfifo'], ['mkdir'], ['mknod', 'c', '1', '5'], ['ln', '-s', '/dev/zero'],
    ['/usr/bin/python3.11', '-c',
      'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])'],
  ]) {
    if (command.startsWith('/') && !needsFiles(t, [command], 'python3.11')) return;
    rmSync(hot.source, { recursive: true });
    const words = command === 'mknod' ? [hot.source, ...options] : [...options, hot.source];
    assert.equal((await run(t, command, words)).code, 0);
    const before = performance.now();
    const answer = await shown.answer();
    assert.equal(answer.status, 404);
    assert.equal(answer.json().reason, 'not_a_file', command);
    assert.equal(await shown.status(), 'not_a_file', command);
    assert.ok(performance.now() - before < 15_000, `${command} was not waited for`);
  }
});

test('without a sum, a source that is newer than its program is stale', async (t) => {
  if (!needsRoot(t)) return;
  const hot = await startHot(t);
  const shown = await attachUnkept(t, hot);
  assert.equal(await shown.status(), 'stale');
  assert.equal((await shown.answer()).headers['source-status'], 'stale');
});

test('a source that changes while its program is watched is shown as it was', async (t) => {
  if (!needsRoot(t)) return;
  const hot = await startHot(t);
  const { mtimeMs } = statSync(hot.source);
  // At once, and with a time that says so: a text is never seen half written, or new with an old time.
  const replace = (text, seconds) => {
    writeFileSync(`${hot.source}~`, text);
    utimesSync(`${hot.source}~`, seconds, seconds);
    renameSync(`${hot.source}~`, hot.source);
  };
  let shown;
  await until('a session keeps the text', async () => {
    shown = await attach(t, hot);
    assert.equal(await shown.status(), 'found');
    await sleep(500); // it is kept in the background; a session that was slower never sees it again
    replace('int other;\n', Date.now() / 1000 + 100);
    if ((await shown.status()) === 'kept') return true;
    replace(PROGRAM, mtimeMs / 1000);
    return false;
  });
  const answer = await shown.answer();
  assert.equal(answer.headers['source-status'], 'kept');
  assert.equal(answer.text, PROGRAM);
  assert.match((await shown.listing()).text, /turns\+\+; \/\* hot \*\/$/m);
  rmSync(hot.source);
  assert.equal(await shown.status(), 'kept');
  assert.equal((await shown.answer()).text, PROGRAM);
});

test('by the MD5 of DWARF 5, the text decides and not its time', async (t) => {
  if (!needsRoot(t) || !needsFiles(t, ['/usr/bin/clang'], 'clang')) return;
  const hot = await startHot(t, { compiler: 'clang', options: ['-gdwarf-5'] });
  const { mtimeMs } = statSync(hot.source);
  const shown = await attach(t, hot);
  assert.equal(await shown.status(), 'found');

  utimesSync(hot.source, Date.now() / 1000 + 100, Date.now() / 1000 + 100);
  assert.equal(await shown.status(), 'found', 'the same text, written again later');
  assert.equal((await shown.answer()).headers['source-status'], 'found');

  const other = `${hot.source}.other`;
  writeFileSync(other, PROGRAM.replace('hot', 'hut'));
  utimesSync(other, mtimeMs / 1000, mtimeMs / 1000);
  renameSync(other, hot.source);
  assert.equal(statSync(hot.source).size, PROGRAM.length);
  // What the program was built from may have been kept by then.
  assert.match(await shown.status(), /^(kept|stale)$/, 'another text with the same time and length');
  const changed = await shown.answer();
  assert.equal(changed.text, changed.headers['source-status'] === 'kept' ? PROGRAM : readFileSync(hot.source, 'utf8'));

  writeFileSync(hot.source, PROGRAM);
  assert.equal(await shown.status(), 'found', 'the text is back');
  assert.equal(readFileSync(hot.source, 'utf8'), PROGRAM);
});
