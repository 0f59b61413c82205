// Programs from Debian that nobody here wrote: stacks to the root, and lines as perf finds them.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { sums } from '../helpers/accounts.mjs';
import { startDaemon } from '../helpers/daemon.mjs';
import { PERF, compareShares, perfRecord, plainName } from '../helpers/perf.mjs';
import { run } from '../helpers/processes.mjs';
import { needsFiles, needsRoot } from '../helpers/programs.mjs';
import { PROGRAMS, startProgram } from '../helpers/real_programs.mjs';

const MEASURED = Object.entries(PROGRAMS).filter(([, program]) => program.quick);

/** Starts the program and a daemon that samples it, well after it began. */
async function profile(t, program) {
  const files = [program.command, ...program.args.filter((one) => one?.[0] === '/')];
  if (!needsRoot(t) || !needsFiles(t, files, program.packages)) return null;
  const target = await startProgram(t, program);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(500);
  return { target, daemon };
}

for (const [name, program] of MEASURED) {
  test(`${name}: at least 99 % of the stacks reach the root, and the sums are exact`, async (t) => {
    const running = await profile(t, program);
    if (!running) return;
    const { daemon } = running;
    await daemon.waitSamples(5000);
    await daemon.pause();
    await daemon.waitNames();
    const { samples } = await daemon.get('/sessions/current');
    assert.ok(samples.unwound_to_root >= 0.99 * samples.total, JSON.stringify(samples));
    const exact = await sums(daemon);
    assert.equal(exact.lines + exact.unknown, samples.total);
    assert.equal(exact.total, samples.total);
    assert.ok(exact.lines > 0.5 * samples.total, JSON.stringify(exact));
    const { lines } = await daemon.get('/sessions/current/lines?limit=20');
    assert.ok(lines.some(({ path }) => program.source.test(path)));
    const { functions } = await daemon.get('/sessions/current/functions?sort=total&limit=50');
    const main = functions.find((row) => row.function === '__libc_start_call_main');
    assert.ok(main?.total_percent > 95, JSON.stringify(main));
  });

  test(`${name}: line shares equal those of perf, but for sampling noise`, async (t) => {
    const running = await profile(t, program);
    if (!running || !needsFiles(t, [PERF], 'linux-perf')) return;
    const { target, daemon } = running;
    const { distance, mean, bound, hits, coarse, far } = await compareShares(t, daemon, target.pid, 10);
    const figures = [distance, mean, bound].map((one) => one.toFixed(4));
    t.diagnostic(`distance ${figures[0]}, noise ${figures[1]}, bound ${figures[2]}; samples ${JSON.stringify(hits)}`);
    t.diagnostic(`perf knows no lines of ${[...coarse].join(', ') || 'no file'}`);
    assert.ok(distance <= bound, `${distance} > ${bound}; (line, ours, perf): ${far.join(' ')}`);
  });
}

test('objdump: the hottest function of lprofd is the hottest of perf', async (t) => {
  const running = await profile(t, PROGRAMS.objdump);
  if (!running || !needsFiles(t, [PERF], 'linux-perf')) return;
  const { target, daemon } = running;
  const file = await perfRecord(t, target.pid, 4);
  const { stdout } = await run(t, PERF, ['report', '-i', file, '--stdio', '--no-inline', '-s', 'sym']);
  const theirs = [...stdout.matchAll(/^\s+([\d.]+)%\s+\[[.k]\]\s+(\S+)/gm)].slice(0, 5);
  const { functions } = await daemon.get('/sessions/current/functions?inlines=called&limit=15');
  const ours = functions.map((row) => plainName(row.function));
  for (const [, percent, symbol] of theirs.filter(([, value]) => Number(value) > 4))
    assert.ok(ours.includes(plainName(symbol)), `${symbol} (${percent} %) is not among ${ours}`);
});
