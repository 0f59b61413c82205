// Code that was compiled at run time has the names and lines that the target writes: to
// /tmp/perf-PID.map, or to a jitdump.
import assert from 'node:assert/strict';
import {
  appendFileSync, chownSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { lineRow, startDaemon, warningsOfFaults } from './helpers/daemon.mjs';
import { NOBODY, publicFolder } from './helpers/nobody.mjs';
import { atEnd, start, startTarget, until } from './helpers/processes.mjs';
import { knownLine, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';

/** Self share of each function by name, once `name` is one of them. */
const sharesWith = (daemon, name) =>
  until(`${name} has samples`, async () => {
    const { functions } = await daemon.get('/sessions/current/functions?limit=10000');
    const shares = new Map();
    for (const one of functions)
      shares.set(one.function, (shares.get(one.function) ?? 0) + one.self_percent);
    return shares.has(name) && shares;
  });

const removeMap = (t, pid) => atEnd(t, () => rmSync(`/tmp/perf-${pid}.map`, { force: true }));

test('names of compiled code come, also for samples taken before', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'jit');
  removeMap(t, target.pid);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(3000);
  const before = await sharesWith(daemon, 'compiled first');
  assert.ok(Math.abs(before.get('compiled first') - 75) < 5, `${[...before]}`);
  assert.ok(Math.abs(before.get('[anon]') - 25) < 5, `${[...before]}`);

  target.kill('SIGUSR1');
  const after = await sharesWith(daemon, 'compiled second');
  assert.ok(Math.abs(after.get('compiled second') - 25) < 5, `${[...after]}`);
  assert.ok(!after.has('[anon]'), `${[...after]}`);

  await daemon.pause();
  await daemon.waitNames();
  const lines = await daemon.get('/sessions/current/lines?sort=total&limit=100');
  for (const [mark, share] of [['first', 75], ['second', 25]]) {
    const row = lineRow(lines, 'jit.c', knownLine('jit.c', mark));
    assert.ok(Math.abs(row.total_percent - share) < 5, `${mark}: ${JSON.stringify(row)}`);
  }
  // A leaf may be caught before it has made its frame; that is rare, and said.
  const { samples } = await daemon.get('/sessions/current');
  assert.ok(samples.unwound_to_root > 0.99 * samples.total, JSON.stringify(samples));
});

test('code in shared memory that is mapped twice is compiled code too', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'jit', { args: ['300', 'shared'] });
  removeMap(t, target.pid);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1000);
  const shares = await sharesWith(daemon, 'compiled first');
  assert.ok(Math.abs(shares.get('compiled first') - 75) < 7, `${[...shares]}`);
});

test('a map that somebody else wrote is not believed', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'jit', { ...NOBODY });
  removeMap(t, target.pid);
  const path = `/tmp/perf-${target.pid}.map`;
  const text = readFileSync(path, 'utf8');
  rmSync(path);
  writeFileSync(path, text.replace('first', 'forged'), { mode: 0o644 });
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1000);
  const shares = await sharesWith(daemon, '[anon]');
  assert.ok(!shares.has('compiled forged'), `${[...shares]}`);
  chownSync(path, NOBODY.uid, NOBODY.gid);
  await sharesWith(daemon, 'compiled forged');
});

for (const way of ['a map', 'a jitdump'])
  test(`${way} is found inside namespaces, by the pid that the target has there`, (t) =>
    testNamespaces(t, way === 'a map' ? '' : 'dump /none'));

async function testNamespaces(t, options) {
  if (!needsRoot(t)) return;
  if (!needsFiles(t, ['/usr/bin/unshare'], 'util-linux')) return;
  // The program itself may lie below /tmp: it goes along.
  const script = `mount -t tmpfs none /tmp && cd /tmp && cat <&9 >jit && chmod +x jit && exec ./jit 300 ${options} 9<&-`;
  const outer = start(t, '/usr/bin/unshare', [
    '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-c', `exec 9<"$0"; ${script}`, targetPath('jit')]);
  await until('the target says ready', () => {
    if (outer.over) throw new Error(outer.stderr);
    return outer.stdout.includes('ready');
  });
  const children = readFileSync(`/proc/${outer.pid}/task/${outer.pid}/children`, 'utf8');
  const pid = Number(children.trim());
  assert.match(readFileSync(`/proc/${pid}/status`, 'utf8'), /^NSpid:\t\d+\t1$/m);
  const daemon = await startDaemon(t, ['--pid', String(pid)]);
  await sharesWith(daemon, 'compiled first');
}

test('a child that is followed has its own map', async (t) => {
  if (!needsRoot(t)) return;
  const script = 'exec >/dev/null 2>&1; "$0" 200 & "$0" 200; wait';
  const daemon = await startDaemon(t, ['--follow', '--', '/bin/sh', '-c', script, targetPath('jit')]);
  await daemon.waitSamples(2000);
  const pids = (await daemon.get('/sessions/current/threads?limit=100'))
    .filter(({ name }) => name === 'jit').map(({ pid, tid }) => pid ?? tid);
  assert.equal(pids.length, 2);
  for (const pid of pids) removeMap(t, pid);
  for (const pid of pids) atEnd(t, () => process.kill(pid, 'SIGKILL'));
  const shares = await sharesWith(daemon, 'compiled first');
  assert.ok(shares.get('compiled first') > 60, `${[...shares]}`);
  // Memory may lie at the same addresses in both: what one says of it is nothing to the other.
  writeFileSync(`/tmp/perf-${pids[0]}.map`, '0 ffffffffffffffff all of one\n');
  const after = await sharesWith(daemon, 'all of one');
  // The two share the machine as they can, but the other one keeps its own 3 : 1.
  const ratio = after.get('compiled first') / after.get('[anon]');
  assert.ok(ratio > 2 && ratio < 4.5, `${[...after]}`);
});

test('compiled code keeps its names when its process executes another program', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'jit');
  removeMap(t, target.pid);
  target.kill('SIGUSR1');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1000);
  const before = await until('all code is named', async () => {
    const shares = await sharesWith(daemon, 'compiled second');
    return !shares.has('[anon]') && shares;
  });
  assert.ok(before.get('compiled first') > 60, `${[...before]}`);
  target.kill('SIGHUP');
  await sharesWith(daemon, '[anon]'); // of the new program, which has not listed any
  writeFileSync(`/tmp/perf-${target.pid}.map`, '0 ffffffffffffffff compiled by the next\n');
  const after = await sharesWith(daemon, 'compiled by the next');
  for (const name of ['compiled first', 'compiled second'])
    assert.ok(after.get(name) > 0, `${name}: ${[...after]}`);
  assert.ok(!after.has('[anon]'), `${[...after]}`);
});

test('a hostile map costs names, nothing else', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'jit');
  removeMap(t, target.pid);
  const path = `/tmp/perf-${target.pid}.map`;
  const [start_] = readFileSync(path, 'utf8').split(' ');
  appendFileSync(path, `ffffffffffffffff ffffffffffffffff wraps\n-1 5 minus\n\n \n${start_}\n`);
  appendFileSync(path, `0 ffffffffffffffff everything\n${start_} 20 ${'long '.repeat(100000)}\n`);
  appendFileSync(path, Buffer.concat([Buffer.from(`${start_} 20 `), Buffer.alloc(9, 0xff)]));
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1000);
  const shares = await sharesWith(daemon, 'everything');
  const long = [...shares.keys()].find((name) => name.startsWith('long long'));
  assert.ok(long.length < 2000, `${long.length}`);
  writeFileSync(path, `${start_} 20 again\n`);
  await sharesWith(daemon, 'again');
});

test('a jitdump tells names and lines of compiled code', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const source = join(folder, 'made.up');
  writeFileSync(source, 'before the loop\nthe loop\n');
  const target = await startTarget(t, 'jit', { args: ['300', 'dump', source], cwd: folder });
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(3000);
  const before = await sharesWith(daemon, 'compiled first');
  assert.ok(Math.abs(before.get('compiled first') - 75) < 5, `${[...before]}`);

  target.kill('SIGUSR1');
  const after = await sharesWith(daemon, 'compiled second');
  assert.ok(Math.abs(after.get('compiled second') - 25) < 5, `${[...after]}`);
  assert.ok(!after.has('[anon]'), `${[...after]}`);
  await daemon.pause();
  await daemon.waitNames();
  const lines = await daemon.get('/sessions/current/lines?limit=100');
  const row = lineRow(lines, source, 2);
  assert.ok(row.self_percent > 95, JSON.stringify(lines));
  const file = (await daemon.get('/sessions/current/files?limit=100'))
    .find(({ path }) => path === source);
  const listing = await daemon.request(`/api/v1/sessions/current/files/${file.id}/listing`);
  assert.match(listing.text, /the loop$/m);
  assert.deepEqual(warningsOfFaults(await daemon.get('/sessions/current')), []);
});

for (const way of ['a map', 'a jitdump']) {
  test(`${way}: what was sampled before code was replaced stays what it was`, async (t) => {
    if (!needsRoot(t)) return;
    const args = way === 'a map' ? ['300'] : ['300', 'dump', '/none'];
    const target = await startTarget(t, 'jit', { args, cwd: publicFolder(t) });
    removeMap(t, target.pid);
    const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
    await daemon.waitSamples(1000);
    await sharesWith(daemon, 'compiled first');
    const { samples } = await daemon.get('/sessions/current');
    target.kill('SIGUSR2');
    await daemon.waitSamples(2 * samples.total + 1000);
    const shares = await sharesWith(daemon, 'compiled anew');
    await daemon.pause();
    const { total } = (await daemon.get('/sessions/current')).samples;
    // Half a second may go to the old code until it is known that there is new one.
    const old = (75 * samples.total) / total;
    assert.ok(shares.get('compiled first') > old - 5, `${[...shares]}, ${old}`);
    assert.ok(shares.get('compiled first') < old + 20, `${[...shares]}, ${old}`);
    assert.ok(shares.get('compiled anew') > 20, `${[...shares]}`);
  });
}

test('a jitdump of nonsense costs names, and is said', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const target = await startTarget(t, 'jit', { args: ['300', 'dump', '/none'], cwd: folder });
  const path = join(folder, `jit-${target.pid}.dump`);
  appendFileSync(path, Buffer.alloc(64));
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const shares = await sharesWith(daemon, 'compiled first');
  assert.ok(shares.get('compiled first') > 50, `${[...shares]}`);
  await until('the damage is said', async () =>
    (await daemon.get('/sessions/current')).warnings.some((text) => /broken records/.test(text)));
  truncateSync(path, 0);
  await daemon.waitSamples(2000);
  await sharesWith(daemon, 'compiled first');
});

test('a jitdump is found after its file went, and after its target ended', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const daemon = await startDaemon(t, ['--', targetPath('jit'), '5', 'dump', '/none'], { cwd: folder });
  await until('the dump is there', () => {
    const dump = readdirSync(folder).find((name) => name.endsWith('.dump'));
    if (dump) rmSync(join(folder, dump));
    return dump;
  });
  await daemon.waitState('exited');
  const shares = await sharesWith(daemon, 'compiled first');
  assert.ok(Math.abs(shares.get('compiled first') - 75) < 7, `${[...shares]}`);
});

const SCRIPT = `
function hotInside(n) {
  let x = 1;
  for (let i = 0; i < n; i++)
    x = (x * 31 + i) | 0;
  return x;
}
let sum = 0;
const end_us = Number(process.argv[2]) * 1e6; // of CPU time: starting takes the same on a busy machine
while (process.cpuUsage().user < end_us) sum += hotInside(1e6);
`;

/** Runs the script in a folder of its own, as long as the test or for so many seconds of CPU time. */
function startNode(t, options, seconds = 300) {
  const folder = publicFolder(t);
  const script = join(folder, 'hot.js');
  writeFileSync(script, SCRIPT);
  const target = start(t, process.execPath, [...options, script, String(seconds)], { cwd: folder });
  removeMap(t, target.pid);
  return { pid: target.pid, script };
}

/** The session, its functions and its lines once this function is one of them. */
async function profileWith(daemon, name) {
  const functions = await until(`${name} is named`, async () => {
    const all = (await daemon.get('/sessions/current/functions?limit=10000')).functions;
    return all.some((one) => one.function === name) && all;
  });
  const lines = await daemon.get('/sessions/current/lines?limit=1000&sort=total');
  return { session: await daemon.get('/sessions/current'), functions, lines };
}

for (const options of [['--perf-basic-prof'], ['--perf-basic-prof-only-functions'],
  ['--perf-basic-prof', '--interpreted-frames-native-stack']]) {
  test(`functions of Node.js have their names with ${options.join(' ')}`, async (t) => {
    if (!needsRoot(t)) return;
    const { pid, script } = startNode(t, options);
    const daemon = await startDaemon(t, ['--pid', String(pid)]);
    await daemon.waitSamples(2000);
    const { session, functions, lines } = await profileWith(daemon, 'hotInside');
    const hot = functions.filter((one) => one.function === 'hotInside');
    const share = hot.reduce((sum, one) => sum + one.self_percent, 0);
    assert.ok(share > 85, `${share} %: ${JSON.stringify(functions.slice(0, 5))}`);
    assert.deepEqual(hot.map(({ path, line }) => [path, line]), [[script, 2]]);
    // Its lines are not known, and that is said.
    assert.ok(lineRow(lines, script, 2).self_percent > 85, JSON.stringify(lines.lines.slice(0, 5)));
    assert.ok(session.warnings.some((text) => /--perf-prof/.test(text)), `${session.warnings}`);
    const { total, unwound_to_root: whole } = session.samples;
    assert.ok(whole >= 0.99 * total, JSON.stringify(session.samples));
    const main = functions.find((one) => one.function === '__libc_start_call_main');
    assert.ok(main?.total_percent > 90, JSON.stringify(main));
    if (options.length > 1) {
      const interpreted = functions.filter((one) => one.function === '(anonymous)' && one.path === script);
      assert.ok(interpreted.some((one) => one.total_percent > 90), JSON.stringify(interpreted));
    }
  });
}

test('lines of Node.js code come from its jitdump', async (t) => {
  if (!needsRoot(t)) return;
  const { pid, script } = startNode(t, ['--perf-prof'], 3);
  const daemon = await startDaemon(t, ['--pid', String(pid)]);
  await daemon.waitState('exited'); // V8 writes what it has in pieces of 2 MB, and at its end
  const { functions, lines } = await profileWith(daemon, 'hotInside');
  const hot = functions.filter((one) => one.function === 'hotInside');
  assert.ok(hot.reduce((sum, one) => sum + one.self_percent, 0) > 75, JSON.stringify(hot));
  const self = (line) => lineRow(lines, script, line).self_percent;
  assert.ok(self(4) + self(5) > 75, JSON.stringify(lines.lines.slice(0, 9)));
  assert.ok(self(5) > self(4) && self(2) < 5, JSON.stringify(lines.lines.slice(0, 9)));
});

test('compiled code without names: how to get them is said', async (t) => {
  if (!needsRoot(t)) return;
  const { pid } = startNode(t, []);
  const daemon = await startDaemon(t, ['--pid', String(pid)]);
  await daemon.waitSamples(1000);
  const { warnings } = await until('it is said', async () => {
    const session = await daemon.get('/sessions/current');
    return session.warnings.length > 0 && session;
  });
  assert.ok(warnings.some((text) => /code that node compiled .* --perf-basic-prof/.test(text)), `${warnings}`);
});
