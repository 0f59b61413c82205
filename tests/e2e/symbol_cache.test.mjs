// Lines of a program with much debug information are kept on disk, and what is kept is believed only when
// nobody else can have written it.
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, renameSync,
  symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { crc32 } from 'node:zlib';

import { startDaemon, warningsOfFaults } from './helpers/daemon.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { run, start, until } from './helpers/processes.mjs';
import { needsRoot } from './helpers/programs.mjs';

const HOT = `#include <stdio.h>
volatile unsigned long turns;
static void turn_around(void)
{
    for (;;)
        turns++;
}
int main(void)
{
    puts("ready");
    fflush(stdout);
    turn_around();
}
`;

/** Types and variables: more than 4 MB of debug information, and no code. */
const MUCH = Array.from({ length: 40000 }, (_, i) =>
  `struct type_${i} { int ${Array.from('abcdefghij', (name) => `${name}${i}`).join(', ')}; } variable_${i};`);

let program; // built once: it takes the compiler seconds

async function build(t) {
  const folder = publicFolder(t);
  writeFileSync(join(folder, 'hot.c'), HOT);
  writeFileSync(join(folder, 'much.c'), MUCH.join('\n'));
  const { code, stderr } = await run(t, 'gcc', ['-g', '-o', 'hot', 'hot.c', 'much.c'], { cwd: folder });
  assert.equal(code, 0, stderr);
  return readFileSync(join(folder, 'hot'));
}

async function startTarget(t) {
  program ??= await build(t);
  const folder = publicFolder(t);
  writeFileSync(join(folder, 'hot'), program, { mode: 0o755 });
  const target = start(t, join(folder, 'hot'));
  await until('hot says ready', () => target.stdout.includes('ready'));
  return { folder, cache: join(folder, 'cache'), pid: target.pid };
}

/**
 * Attaches, and waits until `is_over`, if there is something to wait for: the hot line with its
 * function's name, and the session's warnings.
 */
async function attach(t, target, { symbol_cache = ['--symbol-cache', target.cache], is_over, env } = {}) {
  const daemon = await startDaemon(t, ['--pid', String(target.pid)], { symbol_cache, ...(env && { env }) });
  const line = await until('the hot line is known', async () => {
    const { lines } = await daemon.get('/sessions/current/lines?limit=1');
    return lines[0]?.path?.endsWith('hot.c') && lines[0];
  });
  if (is_over) await until('the work in the background is done', () => is_over(daemon));
  const warnings = warningsOfFaults(await daemon.get('/sessions/current'));
  await daemon.stop();
  return { ...line, warnings };
}

/** The file with what was made of hot.c; undefined as long as there is none. */
function hotPiece(cache) {
  const names = existsSync(cache) ? readdirSync(cache).filter((name) => name.endsWith('.symbols')) : [];
  return names.map((name) => join(cache, name)).find((file) => readFileSync(file).includes('turn_around'));
}

/** Lets the kept answers say another name, as only who may write them can. */
function lie(file, { fix_checksum }) {
  const bytes = readFileSync(file);
  bytes.write('from_a_file', bytes.indexOf('turn_around'));
  if (fix_checksum) bytes.writeUInt32LE(crc32(bytes.subarray(32)), 24);
  writeFileSync(file, bytes);
}

async function startKept(t) {
  const target = await startTarget(t);
  const first = await attach(t, target, { is_over: () => hotPiece(target.cache) });
  assert.equal(first.function, 'turn_around');
  return { ...target, first, file: hotPiece(target.cache) };
}

test('the second attach has its lines from disk', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startKept(t);
  const second = await attach(t, target);
  assert.deepEqual([second.function, second.path, second.line, second.warnings],
    [target.first.function, target.first.path, target.first.line, target.first.warnings]);
  lie(target.file, { fix_checksum: true });
  assert.equal((await attach(t, target)).function, 'from_a_file');
});

test('what is damaged is ignored and replaced', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startKept(t);
  lie(target.file, { fix_checksum: false });
  const again = await attach(t, target, { is_over: () => hotPiece(target.cache) === target.file });
  assert.equal(again.function, 'turn_around');
});

for (const [what, expose] of [
  ['a file that another user may write', (file) => chmodSync(file, 0o660)],
  ['a file of another user', (file) => chownSync(file, 65534, 65534)],
  ['a link to a file elsewhere', (file) => (renameSync(file, `${file}~`), symlinkSync(`${file}~`, file))],
])
  test(`${what} is not believed`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startKept(t);
    lie(target.file, { fix_checksum: true });
    expose(target.file);
    const again = await attach(t, target, { is_over: () => hotPiece(target.cache) === target.file });
    assert.equal(again.function, 'turn_around');
    const status = lstatSync(target.file);
    assert.deepEqual([status.isFile(), status.uid, status.mode & 0o777], [true, 0, 0o600]);
  });

test('a directory that is not for lprofd alone is a warning, and no more', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t);
  mkdirSync(target.cache);
  chmodSync(target.cache, 0o755);
  const complaints = ({ warnings }) =>
    warnings.filter((text) => text.includes(`not kept on disk in ${target.cache}`)).length;
  const is_over = async (daemon) => complaints(await daemon.get('/sessions/current')) > 0;
  const line = await attach(t, target, { is_over });
  assert.equal(line.function, 'turn_around');
  assert.equal(complaints(line), 1);
  assert.deepEqual(readdirSync(target.cache), []);
});

test('a service keeps lines in its cache directory, and "off" keeps none', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t);
  const service = join(target.folder, 'service');
  const env = { ...process.env, CACHE_DIRECTORY: `${service}:/elsewhere` };
  await attach(t, target, { symbol_cache: ['--symbol-cache', 'off'], env });
  assert.ok(!existsSync(service));
  await attach(t, target, { symbol_cache: [], env, is_over: () => hotPiece(join(service, 'symbols')) });
  assert.equal(lstatSync(join(service, 'symbols')).mode & 0o777, 0o700);
});
