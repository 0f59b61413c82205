// Output that cannot be written: a line that says so and an exit code, never a silent loss.
import assert from 'node:assert/strict';
import { closeSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { atEnd, run, startTarget } from './helpers/processes.mjs';
import { LPROF, LPROFD, needsRoot } from './helpers/programs.mjs';

/** Runs a program whose stdout is that file, which is full: it must fail and say so in one line. */
async function assertSaysFull(t, file, program, args) {
  const stdout = openSync(file, 'w');
  atEnd(t, () => closeSync(stdout));
  const result = await run(t, program, args, { stdio: ['ignore', stdout, 'pipe'] });
  assert.equal(result.code, 1, result.stderr);
  assert.match(result.stderr, /^lprofd?: not all of the output could be written[^\n]*\n$/);
}

test('a full device: reports and help fail and say so', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(100);
  const full = '/dev/full';
  await assertSaysFull(t, full, LPROFD, ['--pid', String(target.pid), '--duration', '0.3', '--no-http']);
  await assertSaysFull(t, full, LPROF, ['report', daemon.url]);
  await assertSaysFull(t, full, LPROF, ['report', daemon.url, '--source', 'ratios.c']);
  await assertSaysFull(t, full, LPROF, ['--help']);
  await assertSaysFull(t, full, LPROFD, ['--help']);
  await assertSaysFull(t, full, LPROF, ['doctor']);
});

test('a disk that is full: a report fails and says so', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const disk = publicFolder(t);
  const { code, stderr } = await run(t, 'mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk]);
  assert.equal(code, 0, stderr);
  atEnd(t, () => run(t, 'umount', ['-l', disk]));
  assert.throws(() => writeFileSync(join(disk, 'filler'), Buffer.alloc(1 << 20)), /ENOSPC/);
  const report = join(disk, 'report');
  await assertSaysFull(t, report, LPROFD, ['--pid', String(target.pid), '--duration', '0.3', '--no-http']);
});

test('a file that may not grow so large: nothing is left of it, and that is said', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const folder = publicFolder(t);
  const args = ['--pid', String(target.pid), '--duration', '0.3', '--no-http', '--output', join(folder, 'run.lprof')];
  const { code, stderr } = await run(t, 'sh', ['-c', 'ulimit -f 8; exec "$0" "$@"', LPROFD, ...args]);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /^lprofd: .*run\.lprof.*: File too large[^\n]*\n$/);
  assert.deepEqual(readdirSync(folder), []);
});
