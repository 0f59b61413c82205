// What a terminal shows: --no-http, lprof report, lprof doctor, --help and the man pages.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { NOBODY, publicCopy } from './helpers/nobody.mjs';
import { atEnd, run, startTarget } from './helpers/processes.mjs';
import { LPROF, LPROFD, SOURCES, knownLine, needsRoot, targetPath } from './helpers/programs.mjs';

/** Columns of a listing's line: line number, hits, time, per hit, per cent, text. */
function listingRow(text, line) {
  const row = text.split('\n').find((one) => one.trimStart().startsWith(`${line} `));
  assert.ok(row, `line ${line} of\n${text}`);
  return row;
}

test('--duration with --no-http prints the hottest lines', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const args = ['--pid', String(target.pid), '--duration', '3', '--no-http'];
  const { code, stdout, stderr } = await run(t, LPROFD, args);
  assert.equal(code, 0, stderr);
  const rows = ['five', 'two', 'one'].map((mark) => stdout.indexOf(`ratios.c:${knownLine('ratios.c', mark)} `));
  assert.ok(rows[0] > 0 && rows[0] < rows[1] && rows[1] < rows[2], stdout);
});

test('functions are listed where most of the time has no line, and why', async (t) => {
  if (!needsRoot(t)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lprofd-text-'));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  const file = join(folder, 'run.lprof');
  const args = ['--no-http', '--output', file, '--', targetPath('ratios-stripped'), '3'];
  const report = async (...options) => (await run(t, LPROF, ['report', file, ...options])).stdout;
  const { code, stdout, stderr } = await run(t, LPROFD, args);
  assert.equal(code, 0, stderr);
  for (const text of [stdout, await report(), await report('--sort', 'total')]) {
    assert.match(text, / % of the time has no line \(.* samples\), so functions are listed below:\n.*no debug information: /);
    assert.match(text, /\n +(self|total) .* function +defined\n[^]*\[ratios-stripped\+0x[0-9a-f]+\] +\S*\/ratios-stripped\n/);
  }
  assert.doesNotMatch(stdout, / 0\.00 % .* __libc_start_main_impl$/m, 'a line without samples');
  assert.doesNotMatch(await report('--lines'), /functions|\[ratios-stripped/);
});

test('lprof report --source prints the layout of line_profiler', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'primes');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(2000);
  await daemon.waitNames();
  const { code, stdout, stderr } = await run(t, LPROF, ['report', daemon.url, '--source', 'primes.c']);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^Total time: [\d.]+ s \(\d+ samples, 997 Hz, [a-z-]+.*\)$/m);
  assert.match(stdout, /^File: .*primes\.c$/m);
  assert.match(stdout, /^Function: generate at line \d+$/m);
  assert.match(stdout, /^Line #\s+Hits\s+Time\s+Per Hit\s+% Time\s+Line Contents$/m);
  const source = readFileSync(join(SOURCES, 'primes.c'), 'utf8').split('\n');
  let shares = 0;
  for (const mark of ['divide', 'loop']) {
    const line = knownLine('primes.c', mark);
    const row = listingRow(stdout, line);
    assert.ok(row.includes(source[line - 1].trim()), row);
    // Some processors do all of the loop while they divide: its line has no samples then.
    shares += Number(/(\d+\.\d+)\s+\S*(?:for|if) \(/.exec(row)?.[1] ?? 0);
  }
  assert.ok(shares > 97 && shares <= 101, `two inner lines take ${shares} %`);
});

test('lprof report lists lines and functions, sorted and limited', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1000);
  await daemon.waitNames();
  const report = async (...args) => {
    const { code, stdout, stderr } = await run(t, LPROF, ['report', daemon.url, ...args]);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  assert.match(await report(), /ratios\.c/);
  const functions = await report('--functions');
  assert.ok(functions.indexOf('five') < functions.indexOf('two'), functions);
  const top = await report('--functions', '--sort', 'total', '--limit', '1');
  assert.doesNotMatch(top, /\bone\b/);
  const missing = await run(t, LPROF, ['report', daemon.url, '--source', 'absent.c']);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /^lprof: .*absent\.c.*\n$/);
});

test('lprof doctor says what works, and as nobody what to do about what does not', async (t) => {
  if (!needsRoot(t)) return;
  const root = await run(t, LPROF, ['doctor']);
  const { sessions, capabilities } = await (await startDaemon(t, [])).get('/status');
  assert.deepEqual(sessions, []);
  for (const backend of capabilities.backends.filter((name) => name !== 'auto'))
    assert.match(root.stdout, new RegExp(`^ok  backend ${backend} +works, by `, 'm'));
  assert.match(root.stdout, /^lprofd would use perf-cpu here \(.*cost the target least\)\.$/m);
  const nobody = await run(t, publicCopy(t, LPROF), ['doctor'], NOBODY);
  assert.match(nobody.stdout, /CAP_PERFMON|perf_event_paranoid|root/);
  assert.match(nobody.stdout, /^NO  backend perf-cpu /m);
  assert.match(nobody.stdout, /^lprofd would use perf-task here \(a BPF filter was refused/m);
  const target = await startTarget(t, 'sleeper');
  const pid = await run(t, LPROF, ['doctor', '--pid', String(target.pid)]);
  assert.equal(pid.code, 0, pid.stdout + pid.stderr);
});

test('the man page and the completion know every option of --help', async (t) => {
  for (const program of [LPROFD, LPROF]) {
    const options = async (argument) => {
      const { code, stdout, stderr } = await run(t, program, [argument]);
      assert.equal(code, 0, stderr);
      return new Set(stdout.replaceAll('\\-', '-').match(/--[a-z][a-z-]+/g));
    };
    const help = await options('--help');
    assert.ok(help.size > 2);
    const [man, completion] = [await options('--print-man'), await options('--print-completion')];
    for (const option of help)
      assert.ok(man.has(option) && completion.has(option), `${program} ${option}`);
  }
});
