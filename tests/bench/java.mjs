// Figure 5: names and lines of a Java virtual machine, whose debug information is the largest around.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { PERF } from '../e2e/helpers/perf.mjs';
import { startJava } from '../e2e/helpers/java.mjs';
import { has, measure, median, missing, publicFolder, row, sleep, spread, startDaemon } from './lib.mjs';

const KEEPING_MS = 5000;
const PENDING = '[not looked up yet]';

/**
 * Seconds from the first sample until 95 % of libjvm's self samples have names, and lines. Some of it
 * is assembly, whose names have no parentheses and whose functions are declared nowhere.
 */
async function namesAndLines(t, pid, args = []) {
  const daemon = await startDaemon(t, ['--pid', String(pid), ...args]);
  const [begun, took] = [performance.now(), {}];
  while (took.lines === undefined) {
    const { total, functions } = await daemon.get('/sessions/current/functions?limit=10000&inlines=called');
    const now = performance.now();
    if (total.hits && took.sampled === undefined) took.sampled = now;
    const hits = (which) => functions.filter(which).reduce((sum, one) => sum + one.self_hits, 0);
    const [pending, jvm] = [hits((one) => one.function === PENDING), hits((one) => /libjvm/.test(one.module))];
    const lined = hits((one) => /libjvm/.test(one.module) && (one.path || !one.function.includes('(')));
    if (jvm && pending <= 0.05 * (jvm + pending)) took.names ??= now;
    if (took.names && lined >= 0.95 * jvm) took.lines = now;
    if (now - begun > 120_000) throw new Error('no lines of libjvm in 120 s');
    await sleep(10);
  }
  if (args.length) await sleep(KEEPING_MS); // what it read is kept in the background
  await daemon.stop();
  return { names: (took.names - took.sampled) / 1000, lines: (took.lines - took.sampled) / 1000 };
}

async function perfLines(t, pid) {
  const file = join(publicFolder(t), 'perf.data');
  await measure(t, PERF, ['record', '-q', '-e', 'cpu-clock', '-F', '997', '-o', file, '-p', String(pid), 'sleep', '1']);
  return (await measure(t, PERF, ['report', '-i', file, '--stdio', '-F', 'overhead,srcline'], { may_fail: true })).wall_s;
}

/** The same as second and later attaches see it, and what is kept for them. */
async function kept(t, pid, turns) {
  const folder = join(publicFolder(t), 'kept');
  const args = ['--symbol-cache', folder];
  await namesAndLines(t, pid, args);
  const seconds = [];
  for (let turn = 0; turn < turns; turn++) seconds.push(await namesAndLines(t, pid, args));
  const files = readdirSync(folder).map((name) => statSync(join(folder, name)).size);
  return { seconds, bytes: files.reduce((sum, size) => sum + size, 0), files: files.length };
}

async function figure5(t, { quick }) {
  const java = await startJava(t, []);
  if (!java) return [missing('5', 'libjvm: names and lines', '<= 0.5 s / <= 5 s', 'openjdk-17-jdk-headless or -dbg')];
  const ours = [];
  for (let turn = 0; turn < (quick ? 1 : 5); turn++) ours.push(await namesAndLines(t, java.pid));
  const peer = quick || !has(PERF) ? undefined : await perfLines(t, java.pid);
  const judge = (key, limit) => {
    const values = ours.map((one) => one[key]);
    return row('5', `libjvm: ${key} of 95 % of the samples, after the first (perf: report -F srcline)`, {
      ours: spread(values),
      peer,
      unit: 's',
      target: `<= ${limit} s`,
      holds: median(values) <= limit,
    });
  };
  const again = await kept(t, java.pid, quick ? 1 : 5);
  const lines = again.seconds.map((one) => one.lines);
  const second = row('5', 'libjvm: lines of 95 % of the samples, from the second attach on (nothing compares)', {
    ours: spread(lines),
    unit: 's',
    target: '<= 0.2 s',
    holds: median(lines) <= 0.2,
    why: `kept on disk: ${(again.bytes / 2 ** 20).toFixed(1)} MB in ${again.files} files`,
  });
  return [judge('names', 0.5), judge('lines', 5), second];
}

export const figures = { 5: figure5 };
