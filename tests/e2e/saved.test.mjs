// Saved profiles: a file says all that its session said, and a file of anywhere does no harm.
import assert from 'node:assert/strict';
import {
  chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { assertProblem } from './helpers/http.mjs';
import { NOBODY, publicFolder } from './helpers/nobody.mjs';
import { atEnd, openFiles, run, sleep, start, startTarget, until } from './helpers/processes.mjs';
import { LPROF, LPROFD, SOURCES, needsRoot, targetPath } from './helpers/programs.mjs';
import { random } from './helpers/statistics.mjs';

/** Reports that must not change by saving. */
const REPORTS = [
  ['--lines'],
  ['--lines', '--sort', 'total', '--limit', '5'],
  ['--functions'],
  ['--functions', '--sort', 'total'],
];

async function report(t, from, args, options) {
  const { code, stdout, stderr } = await run(t, LPROF, ['report', from, ...args], options);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** A daemon whose session has ended and was saved to `file`. */
async function saveSession(t, target, file, { samples = 1500, args = [] } = {}) {
  const daemon = await startDaemon(t, ['--pid', String(target.pid), '--output', file, ...args]);
  await daemon.waitSamples(samples);
  assert.equal((await daemon.request('/api/v1/sessions/current', { method: 'DELETE' })).status, 204);
  await until('the profile is saved', () => existsSync(file), 90);
  return daemon;
}

/** Saves a short profile of a program, without a server. */
async function saveRun(t, file, { name = 'primes', seconds = 1, args = [] } = {}) {
  const target = await startTarget(t, name);
  const options = ['--pid', String(target.pid), '--duration', String(seconds), '--no-http'];
  const { code, stderr } = await run(t, LPROFD, [...options, '--output', file, ...args]);
  assert.equal(code, 0, stderr);
  target.kill('SIGKILL');
  await target.ended;
}

for (const name of ['primes', 'inlines', 'threads', 'shapes', 'recursion'])
  test(`lprof report of a file prints what it printed of the session: ${name}`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, name);
    const file = join(publicFolder(t), 'run.lprof');
    const daemon = await saveSession(t, target, file);
    const source = name === 'shapes' ? 'shapes.cpp' : `${name}.c`;
    for (const args of [...REPORTS, ['--source', source], ['--source', source, '--self']])
      assert.equal(await report(t, file, args), await report(t, daemon.url, args), args.join(' '));
  });

/** Every answer that depends on nothing but the profile. */
async function answers(daemon, session) {
  const get = (path) => daemon.get(`/sessions/${session}${path}`);
  const found = {};
  const { duration_ns } = await get('');
  const { tid } = (await get('/threads'))[0];
  const middle = Math.floor(duration_ns / 2);
  for (const query of ['', `?from_ns=${middle}`, `?to_ns=${middle}`, `?tid=${tid}`, '?inlines=called', '?kernel=0',
    '?focus=main'])
    for (const path of ['/lines', '/functions', '/files', '/flamegraph'])
      found[path + query] = await get(path + query);
  for (const path of ['/threads', '/timeline', '/timeline?step_ns=10000000', '/lines?sort=total&limit=3'])
    found[path] = await get(path);
  for (const { id } of found['/files']) {
    const below = `/api/v1/sessions/${session}/files/${id}`;
    for (const path of ['/lines', '/text', '/listing', '/listing?self=1&inlines=called']) {
      const { status, text } = await daemon.request(below + path);
      found[`files/${id}${path}`] = { status, text };
    }
  }
  return found;
}

test('every query answers the same of the session and of its file', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'threads');
  const file = join(publicFolder(t), 'run.lprof');
  const live = await saveSession(t, target, file);
  const loaded = await startDaemon(t, [file]);
  assert.deepEqual(await answers(loaded, 1), await answers(live, 1));

  const before = await live.get('/sessions/1');
  const after = await loaded.get('/sessions/1');
  assert.equal(after.state, 'loaded');
  for (const document of [before, after]) {
    delete document.state;
    delete document.observer; // of this daemon, not of that one
  }
  assert.deepEqual(after, before);
});

test('a loaded session cannot run, and can be forgotten', async (t) => {
  if (!needsRoot(t)) return;
  const file = join(publicFolder(t), 'run.lprof');
  await saveRun(t, file);
  const daemon = await startDaemon(t, [file]);
  for (const state of ['running', 'paused'])
    assertProblem(await daemon.send('PATCH', '/sessions/1', { state }), 409);
  assert.equal((await daemon.request('/api/v1/sessions/1', { method: 'DELETE' })).status, 204);
  assert.equal((await daemon.get('/sessions/1')).state, 'loaded');
  assert.equal((await daemon.request('/api/v1/sessions/1?forget=1', { method: 'DELETE' })).status, 204);
  assert.deepEqual(await daemon.get('/sessions'), []);
  assert.equal((await daemon.request('/healthz')).status, 200);
});

test('several files are sessions beside each other and beside a live one', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const files = ['primes', 'ratios'].map((name) => join(folder, `${name}.lprof`));
  for (const file of files) await saveRun(t, file, { name: basename(file, '.lprof') });
  const target = await startTarget(t, 'primes');
  const daemon = await startDaemon(t, [...files, '--pid', String(target.pid)]);
  const sessions = await daemon.get('/sessions');
  assert.deepEqual(sessions.map(({ id, state }) => [id, state]), [[1, 'loaded'], [2, 'loaded'], [3, 'running']]);
  for (const [i, name] of ['primes', 'ratios'].entries()) {
    assert.match(sessions[i].command, new RegExp(`${name}\\b`));
    const { lines } = await daemon.get(`/sessions/${i + 1}/lines`);
    assert.match(lines[0].path, new RegExp(`${name}\\.c$`));
  }
  assert.equal((await daemon.get('/sessions/current')).id, 3);
});

test('lprof diff compares files as a daemon compares their sessions', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const files = ['primes', 'ratios'].map((name) => join(folder, `${name}.lprof`));
  for (const file of files) await saveRun(t, file, { name: basename(file, '.lprof') });
  const daemon = await startDaemon(t, files);
  const urls = [1, 2].map((id) => `${daemon.url}/api/v1/sessions/${id}`);
  for (const args of [[], ['--functions', '--sort', 'total']]) {
    const [ours, theirs] = await Promise.all([files, urls].map((names) => run(t, LPROF, ['diff', ...names, ...args])));
    assert.equal(ours.code, 0, ours.stderr);
    assert.match(ours.stdout, /primes/);
    // Only what the two are called differs.
    assert.equal(ours.stdout.replace(files[0], 'session 1').replace(files[1], 'session 2'), theirs.stdout);
  }
});

test('a profile is saved however sampling ends', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const target = await startTarget(t, 'primes');
  const attach = ['--pid', String(target.pid)];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    for (const more of [['--listen', '127.0.0.1:0'], ['--no-http']]) {
      const file = join(folder, `${signal}${more.length}.lprof`);
      const daemon = start(t, LPROFD, [...attach, '--output', file, ...more]);
      await until('it samples', () => openFiles(daemon.pid).some((name) => name.includes('perf_event')));
      await sleep(1500);
      daemon.kill(signal);
      assert.deepEqual(await daemon.ended, { code: 0, signal: null, error: undefined }, daemon.stderr);
      assert.match(await report(t, file, []), /primes\.c/);
    }
  const own = join(folder, 'end.lprof');
  const { code, stderr } = await run(t, LPROFD, ['--output', own, '--no-http', '--', targetPath('primes'), '1']);
  assert.equal(code, 0, stderr);
  assert.match(await report(t, own, []), /primes\.c/);
  const timed = join(folder, 'timed.lprof');
  const daemon = await startDaemon(t, [...attach, '--output', timed, '--duration', '1']);
  await until('the profile is saved', () => existsSync(timed), 60);
  assert.ok(['detached', 'exited'].includes((await daemon.get('/sessions/1')).state));
  assert.deepEqual(readdirSync(folder).filter((name) => !name.endsWith('.lprof')), []);
});

test('threads that come and go all the time are saved, each under its own id', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'storm', { args: ['2', '100', '60'] });
  const daemon = await saveSession(t, target, join(publicFolder(t), 'run.lprof'), { samples: 500 });
  const threads = await daemon.get('/sessions/current/threads?limit=10000');
  for (const { pid, tid, name } of threads) {
    assert.ok(pid === target.pid || pid === 0, JSON.stringify({ pid, tid, name }));
    assert.ok(tid > 0 ? tid < 2 ** 22 : name.startsWith('['), JSON.stringify({ pid, tid, name }));
  }
});

test('a file has its sources with it, unless told otherwise', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const [tree, other] = ['tree', 'other'].map((name) => join(folder, name));
  mkdirSync(tree);
  copyFileSync(join(SOURCES, 'primes.c'), join(tree, 'primes.c'));
  copyFileSync(join(SOURCES, 'target.h'), join(tree, 'target.h'));
  const program = join(tree, 'primes');
  const compiled = await run(t, 'gcc', ['-g', '-O1', '-o', program, join(tree, 'primes.c')]);
  assert.equal(compiled.code, 0, compiled.stderr);
  const save = async (name, ...args) => {
    const file = join(folder, name);
    const { code, stderr } = await run(t, LPROFD, ['--output', file, '--no-http', ...args, '--', program, '1']);
    assert.equal(code, 0, stderr);
    return file;
  };
  const whole = await save('whole.lprof');
  const bare = await save('bare.lprof', '--no-source-text');
  assert.equal(statSync(whole).mode & 0o777, 0o600);

  // Not the text that is there now, and none that a file only names.
  const text = async (file, ...args) => {
    const daemon = await startDaemon(t, [file, ...args]);
    const { id, status } = (await daemon.get('/sessions/1/files')).find(({ path }) => path.endsWith('/primes.c'));
    const response = await daemon.request(`/api/v1/sessions/1/files/${id}/text`);
    await daemon.stop();
    return { status, code: response.status, text: response.text };
  };
  const original = readFileSync(join(SOURCES, 'primes.c'), 'utf8');
  assert.equal((await text(bare)).status, 'missing');
  assert.equal((await text(bare)).code, 404);
  rmSync(tree, { recursive: true });
  assert.deepEqual(await text(whole), { status: 'found', code: 200, text: original });
  assert.match(await report(t, whole, ['--source', 'primes.c']), /known: divide/);
  // gcc gives no sum of the text: what a person names is taken.
  mkdirSync(other);
  writeFileSync(join(other, 'primes.c'), original);
  assert.equal((await text(bare, '--source-path', other)).text, original);
});

test('damaged, cut, foreign and newer files are refused with one line', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const file = join(folder, 'run.lprof');
  await saveRun(t, file);
  const good = readFileSync(file);
  const whole = await report(t, file, []);
  const bad = join(folder, 'bad.lprof');
  const refused = async (bytes, reason) => {
    writeFileSync(bad, bytes);
    for (const [program, ...args] of [[LPROF, 'report', bad], [LPROFD, bad, '--listen', '127.0.0.1:0']]) {
      const { code, stdout, stderr } = await run(t, program, args);
      assert.deepEqual([code, stdout], [1, ''], stderr);
      assert.match(stderr, /^lprofd?: [^\n]+\n$/);
      assert.ok(stderr.includes(bad) && reason.test(stderr), stderr);
    }
  };
  const changed = (at, ...bytes) => {
    const copy = Buffer.from(good);
    copy.set(bytes, at);
    return copy;
  };
  await refused(Buffer.alloc(0), /is not a profile that lprofd saved/);
  await refused('int main(void) { return 0; }\n'.repeat(100), /is not a profile that lprofd saved/);
  await refused(readFileSync(LPROF).subarray(0, 65536), /is not a profile that lprofd saved/);
  await refused(changed(68, 0, 0, 0, 0), /is not a profile that lprofd saved/);
  await refused(changed(60, 0, 0, 0, 99), /another lprofd.* format 99/);
  for (const length of [100, 512, 1024, good.length >> 1, good.length - 1024])
    await refused(good.subarray(0, length), /damaged|not a profile/);
  const absent = await run(t, LPROF, ['report', join(folder, 'absent.lprof')]);
  assert.equal(absent.code, 1);
  assert.match(absent.stderr, /^lprof: there is no file .*absent\.lprof \(a running lprofd is asked by its URL, such as http:\S+\)\n$/);
  const directory = await run(t, LPROF, ['report', folder]);
  assert.equal(directory.code, 1);
  assert.match(directory.stderr, /^lprof: .* is not a file\n$/);

  // Wherever the damage is, either it is noticed, or it is where nothing is kept.
  const next = random(1);
  let noticed = 0;
  for (let i = 0; i < 150; i++) {
    writeFileSync(bad, changed(Math.floor(next() * good.length), Math.floor(next() * 256)));
    const { code, stdout, stderr } = await run(t, LPROF, ['report', bad]);
    assert.ok(code === 0 || code === 1, stderr);
    if (code === 0) assert.equal(stdout, whole);
    else assert.match(stderr, /^lprof: [^\n]+\n$/);
    noticed += code;
  }
  assert.ok(noticed > 25, `${noticed} of 150 damages were noticed`);
  const little = await run(t, LPROF, ['report', file, '--memory-limit', '1M']);
  assert.ok(little.code === 0 || /raise --memory-limit/.test(little.stderr), little.stderr);
});

test('what cannot be saved is said at once, or at the end, and what was there stays', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const target = await startTarget(t, 'primes');
  const attach = ['--pid', String(target.pid), '--no-http'];
  const save = (file, seconds = '30') =>
    run(t, LPROFD, [...attach, '--duration', seconds, '--output', file], { seconds: 20 });

  const nowhere = await save(join(folder, 'absent', 'run.lprof'));
  assert.equal(nowhere.code, 1);
  assert.match(nowhere.stderr, /^lprofd: cannot save to .*: its folder does not exist\n$/);
  const device = join(folder, 'pipe.lprof');
  assert.equal((await run(t, 'mkfifo', [device])).code, 0);
  const special = await save(device);
  assert.equal(special.code, 1);
  assert.match(special.stderr, /^lprofd: cannot save to .* is not a file\n$/);
  chmodSync(folder, 0o755);
  const nobody = await run(t, LPROFD, ['--output', join(folder, 'no.lprof'), '--no-http', '--', '/bin/true'], NOBODY);
  assert.equal(nobody.code, 77, nobody.stderr);
  assert.match(nobody.stderr, /^lprofd: cannot save to .*: Permission denied\n$/);

  // A small disk: first without any room, then one that becomes full meanwhile.
  const disk = join(folder, 'disk');
  mkdirSync(disk);
  assert.equal((await run(t, 'mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk])).code, 0);
  atEnd(t, () => run(t, 'umount', ['-l', disk]));
  const file = join(disk, 'run.lprof');
  assert.equal((await save(file, '1')).code, 0);
  const kept = readFileSync(file);
  writeFileSync(join(disk, 'large'), Buffer.alloc((2 << 20) - kept.length - 8192));
  const full = await save(file);
  assert.equal(full.code, 1);
  assert.match(full.stderr, /^lprofd: cannot save to .*: No space left on device\n$/);
  rmSync(join(disk, 'large'));
  const daemon = start(t, LPROFD, [...attach, '--duration', '2', '--output', file]);
  await until('it samples', () => openFiles(daemon.pid).some((name) => name.includes('perf_event')));
  writeFileSync(join(disk, 'large'), Buffer.alloc((2 << 20) - kept.length - 8192));
  assert.equal((await daemon.ended).code, 1);
  assert.match(daemon.stderr, /^lprofd: cannot save to .*: No space left on device\n$/m);
  assert.deepEqual(readFileSync(file), kept);
  assert.deepEqual(readdirSync(disk).sort(), ['large', 'run.lprof']);
  rmSync(join(disk, 'large'));

  // A link is replaced, not followed.
  const elsewhere = join(folder, 'elsewhere');
  writeFileSync(elsewhere, 'precious');
  symlinkSync(elsewhere, join(folder, 'link.lprof'));
  assert.equal((await save(join(folder, 'link.lprof'), '1')).code, 0);
  assert.equal(readFileSync(elsewhere, 'utf8'), 'precious');
  assert.ok(!readdirSync(dirname(elsewhere)).some((name) => name.startsWith('link.lprof.')));
});

test('options that do not go together are refused', async (t) => {
  for (const args of [
    ['--output', 'a.lprof'],
    ['--output', 'a.db', '--pid', '1'],
    ['--output', 'a.lprof', '--pid', '1', '--pid', '2'],
    ['--no-source-text', '--pid', '1'],
    ['a.lprof', '--no-http'],
    ['program'],
  ]) {
    const { code, stderr } = await run(t, LPROFD, args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /^lprofd: [^\n]+: see lprofd --help\n$/);
  }
});
