// Figure 5: names and lines of a Java virtual machine, whose debug information is the largest around.
import { join } from 'node:path';

import { PERF } from '../e2e/helpers/perf.mjs';
import { startJava } from '../e2e/helpers/java.mjs';
import { has, measure, median, missing, publicFolder, row, sleep, spread, startDaemon } from './lib.mjs';

const PENDING = '[not looked up yet]';

/** Seconds from the first sample until 95 % of libjvm's self samples have names, and lines. */
async function namesAndLines(t, pid) {
  const daemon = await startDaemon(t, ['--pid', String(pid)]);
  const [begun, took] = [performance.now(), {}];
  while (took.lines === undefined) {
    const { total, functions } = await daemon.get('/sessions/current/functions?limit=10000&inlines=called');
    const now = performance.now();
    if (total.hits && took.sampled === undefined) took.sampled = now;
    const hits = (which) => functions.filter(which).reduce((sum, one) => sum + one.self_hits, 0);
    const [pending, jvm] = [hits((one) => one.function === PENDING), hits((one) => /libjvm/.test(one.module))];
    const lined = hits((one) => /libjvm/.test(one.module) && one.path);
    if (jvm && pending <= 0.05 * (jvm + pending)) took.names ??= now;
    if (took.names && lined >= 0.95 * jvm) took.lines = now;
    if (now - begun > 120_000) throw new Error('no lines of libjvm in 120 s');
    await sleep(10);
  }
  await daemon.stop();
  return { names: (took.names - took.sampled) / 1000, lines: (took.lines - took.sampled) / 1000 };
}

async function perfLines(t, pid) {
  const file = join(publicFolder(t), 'perf.data');
  await measure(t, PERF, ['record', '-q', '-e', 'cpu-clock', '-F', '997', '-o', file, '-p', String(pid), 'sleep', '1']);
  return (await measure(t, PERF, ['report', '-i', file, '--stdio', '-F', 'overhead,srcline'], { may_fail: true })).wall_s;
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
  return [judge('names', 0.5), judge('lines', 5)];
}

export const figures = { 5: figure5 };
