// What every measurement shares: its scope, programs and their cost, medians and rows of the table.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

import { startDaemon } from '../e2e/helpers/daemon.mjs';
import { publicFolder } from '../e2e/helpers/nobody.mjs';
import { run, sleep, start, until } from '../e2e/helpers/processes.mjs';
import { ROOT, targetPath } from '../e2e/helpers/programs.mjs';

export { publicFolder, run, sleep, start, startDaemon, targetPath, until };

export const TOOLS = join(ROOT, 'build/bench');
export const tool = (name) => join(TOOLS, name);

/** Runs `body` with what the test helpers want of a test, and ends all that was started in it. */
export async function scoped(body) {
  const ends = [];
  scopes.push(ends);
  const t = { after: (end) => ends.push(end), skip() {}, diagnostic() {} };
  try {
    return await body(t);
  } finally {
    scopes.splice(scopes.indexOf(ends), 1);
    for (const end of ends.reverse()) await end();
  }
}

/** When the bench is told to end, what it started ends too. */
const scopes = [];
for (const signal of ['SIGINT', 'SIGTERM'])
  process.once(signal, async () => {
    for (const ends of scopes.reverse()) for (const end of ends.reverse()) await end().catch(() => {});
    process.exit(1);
  });

export const has = (path) => existsSync(path);

/** Runs a program to its end: its output, {wall_s, cpu_s, max_rss_bytes}. Fails when it does. */
export async function measure(t, command, args, { input, may_fail = false, ...options } = {}) {
  const file = join(publicFolder(t), 'cost.json');
  const stdio = [input ? 'pipe' : 'ignore', 'pipe', 'pipe'];
  const program = start(t, tool('measure'), [file, command, ...args], { stdio, ...options });
  program.child.stdin?.on('error', () => {}).end(input);
  const timer = setTimeout(() => program.kill('SIGKILL'), 600_000);
  const { code } = await program.ended;
  clearTimeout(timer);
  if (code !== 0 && !may_fail) throw new Error(`${command}: ${code} ${program.stderr.slice(0, 500)}`);
  return { ...JSON.parse(readFileSync(file, 'utf8')), stdout: program.stdout };
}

/** A work target: ready, and `turn()` lets it do its work once and gives what that took. */
export async function startWork(t, mode, amount, depth = 20, more = []) {
  const args = [mode, String(amount), String(depth), ...more];
  const program = start(t, tool('work'), args, { stdio: ['pipe', 'pipe', 'pipe'] });
  await until('work is ready', () => program.stdout.startsWith('ready'));
  program.child.stdin.on('error', () => {}); // it may end before it is told to
  let turns = 1;
  const results = () => program.stdout.trimEnd().split('\n');
  program.turn = async () => {
    program.child.stdin.write('\n');
    turns++;
    await until('a turn of work', () => {
      if (program.over) throw new Error('the work target ended');
      return results().length >= turns && program.stdout.endsWith('\n');
    }, 300);
    return JSON.parse(results()[turns - 1]);
  };
  return program;
}

/** Starts a fresh daemon on a process and waits until it samples. */
export async function attach(t, pid, args = []) {
  const daemon = await startDaemon(t, ['--pid', String(pid), ...args]);
  await daemon.waitState('running');
  return daemon;
}

/** CPU time of all living threads of a process, in ns, by the scheduler's books. */
export function cpuNs(pid) {
  let sum = 0;
  for (const tid of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]);
    } catch {
      // ended meanwhile
    }
  }
  return sum;
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

export const spread = (values) => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
  count: values.length,
});

/**
 * One row of the table. `ours`, `peer`: {median, min, max} or numbers; `holds`: true, false, or
 * undefined when there is nothing to compare with; `why` explains.
 */
export function row(figure, what, { ours, peer, ratio, unit = '', target, holds, why = '', verdict, ...details }) {
  const value = (one) => one?.median ?? one;
  return {
    figure,
    what,
    unit,
    ours,
    peer,
    ratio: ratio ?? (value(peer) ? value(ours) / value(peer) : undefined),
    target,
    verdict: verdict ?? (holds === undefined ? 'not measured' : holds ? 'holds' : 'MISSES'),
    why,
    ...details,
  };
}

export const missing = (figure, what, target, why) => row(figure, what, { target, verdict: 'peer missing', why });
