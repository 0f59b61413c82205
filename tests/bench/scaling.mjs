// Curves: what lprofd costs as one thing grows, and the power of that growth (1: linear).
import { copyFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';

import { resident } from './cost.mjs';
import { attach, cpuNs, measure, median, publicFolder, row, sleep, startDaemon, startWork, tool } from './lib.mjs';

/** The exponent b of y = a x^b, by least squares over the logarithms. */
export function power(points) {
  const logs = points.map(([x, y]) => [Math.log(x), Math.log(y)]);
  const mean = (i) => logs.reduce((sum, one) => sum + one[i], 0) / logs.length;
  const [mx, my] = [mean(0), mean(1)];
  const covariance = logs.reduce((sum, [x, y]) => sum + (x - mx) * (y - my), 0);
  return covariance / logs.reduce((sum, [x]) => sum + (x - mx) ** 2, 0);
}

/** A row for each point, and one for the curve. `points`: [x, y, why]. */
function curve(figure, what, of, unit, points) {
  const exponent = power(points);
  return [
    ...points.map(([x, y, why]) => row(figure, `${what}, ${x} ${of}`, { ours: y, unit, target: 'curve', verdict: '', why })),
    row(figure, `${what}: power of growth with ${of}`, {
      ours: exponent,
      target: '<= 1.1: near linear or better',
      holds: exponent <= 1.1,
    }),
  ];
}

const busy = (work) => {
  const done = (async () => {
    while (!work.over) if (!(await work.turn().catch(() => null))) return;
  })();
  return async () => {
    work.kill('SIGKILL');
    await done;
  };
};

/** lprofd's CPU per second of wall time while it samples the process. */
async function costPerSecond(t, pid, args, seconds) {
  const daemon = await attach(t, pid, args);
  await sleep(3000); // modules, names and lines are found once
  const [first, begun] = [cpuNs(daemon.pid), performance.now()];
  const before = (await daemon.get('/sessions/current')).samples;
  await sleep(seconds * 1000);
  const cost_s = (cpuNs(daemon.pid) - first) / 1e6 / (performance.now() - begun);
  const { samples } = await daemon.get('/sessions/current');
  const bytes = resident(daemon.pid);
  await daemon.stop();
  const taken = samples.total - before.total;
  return { cost_s, taken, why: `${taken} samples, ${samples.lost} lost, ${(bytes / 2 ** 20).toFixed(1)} MB` };
}

async function rate(t, { quick }) {
  const work = await startWork(t, 'threads', 4000);
  const stop = busy(work);
  const points = [];
  for (const hertz of quick ? [100, 1000, 10000] : [100, 316, 1000, 3162, 10000, 31623, 50000]) {
    const { cost_s, why } = await costPerSecond(t, work.pid, ['--frequency', String(hertz)], quick ? 3 : 8);
    points.push([hertz, cost_s, why]);
  }
  await stop();
  return curve('rate', 'CPU per second', 'Hz', 'ms', points);
}

async function threads(t, { quick }) {
  const points = [];
  for (const count of quick ? [10, 100, 1000] : [1, 3, 10, 32, 100, 316, 1000]) {
    const work = await startWork(t, 'many', count);
    const stop = busy(work);
    const { cost_s, why } = await costPerSecond(t, work.pid, [], quick ? 5 : 10);
    points.push([count, cost_s, why]);
    await stop();
  }
  return curve('threads', 'CPU per second at 997 Hz', 'threads', 'ms', points);
}

async function depth(t, { quick }) {
  const points = [];
  for (const frames of quick ? [5, 50, 500] : [5, 16, 50, 158, 500]) {
    const work = await startWork(t, 'threads', 4000, frames);
    const stop = busy(work);
    const { cost_s, taken, why } = await costPerSecond(t, work.pid, ['--stack-size', '65000'], quick ? 4 : 8);
    points.push([frames, (cost_s / taken) * (quick ? 4 : 8), why]);
    await stop();
  }
  return curve('depth', 'CPU per sample', 'frames', 'us', points);
}

/** A program that runs code of so many shared libraries; all are copies of one. */
async function modules(t, { quick }) {
  const folder = publicFolder(t);
  const points = [];
  for (const count of quick ? [10, 100] : [10, 32, 100, 316, 1000]) {
    for (let i = 0; i < count; i++) copyFileSync(tool('module.so'), join(folder, `module-${i}.so`));
    const work = await startWork(t, 'modules', count, 20, [folder]);
    const stop = busy(work);
    const daemon = await attach(t, work.pid);
    await sleep(8000);
    const { functions } = await daemon.get('/sessions/current/functions?limit=5000');
    const seen = new Set(functions.filter((one) => one.function === 'spin').map(({ module }) => module)).size;
    const why = `${seen} seen, ${(resident(daemon.pid) / 2 ** 20).toFixed(1)} MB`;
    points.push([count, cpuNs(daemon.pid) / 1e9, why]);
    await daemon.stop();
    await stop();
  }
  return curve('modules', 'CPU for attaching, symbols and 8 s of sampling', 'modules', 'ms', points);
}

async function nodes(t, { quick }) {
  const points = { functions: [], lines: [], flamegraph: [] };
  for (const count of quick ? [1e3, 1e4, 1e5, 1e6] : [1e3, 1e4, 1e5, 1e6, 1e7]) {
    const { stdout } = await measure(t, tool('queries'), [String(count)]);
    const result = JSON.parse(stdout);
    const why = `${(result.trie_bytes / 2 ** 20).toFixed(1)} MB of trie, ${result.stacks} stacks`;
    for (const name of Object.keys(points)) points[name].push([count, Math.min(...result[`${name}_ns`]) / 1e9, why]);
  }
  return Object.entries(points).flatMap(([name, list]) => curve('nodes', `${name} query`, 'trie nodes', 'ms', list));
}

/** A week of a session's buckets in as long as it takes: how many bytes and how much time. */
async function history(t, { quick }) {
  const points = [];
  const bytes = [];
  for (const hours of quick ? [1, 6, 24] : [1, 6, 24, 72, 168]) {
    const { stdout } = await measure(t, tool('history'), [String(hours)]);
    const result = JSON.parse(stdout);
    points.push([hours, result.cpu_s, `${result.buckets} buckets, ${(result.bytes / 2 ** 20).toFixed(2)} MB`]);
    bytes.push([hours, result.bytes]);
  }
  return [
    ...curve('history', 'CPU for sealing and merging', 'hours', 's', points),
    ...curve('history', 'bytes of buckets', 'hours', 'bytes', bytes),
  ];
}

function ask(agent, url) {
  return new Promise((resolve, reject) => {
    const begun = performance.now();
    request(url, { agent }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve({ status: answer.statusCode, took_s: (performance.now() - begun) / 1000 }));
    })
      .on('error', reject)
      .end();
  });
}

async function clients(t, { quick }) {
  const work = await startWork(t, 'threads', 4000);
  const stop = busy(work);
  const daemon = await startDaemon(t, ['--pid', String(work.pid)]);
  await daemon.waitState('running');
  await sleep(3000);
  const points = [];
  for (const count of [1, 3, 10, 32, 100]) {
    const agent = new Agent({ keepAlive: true, maxSockets: count });
    const turns = quick ? 5 : 20;
    const times = [];
    const before = cpuNs(daemon.pid);
    await Promise.all(
      Array.from({ length: count }, async () => {
        for (let i = 0; i < turns; i++) {
          const { status, took_s } = await ask(agent, `${daemon.url}/api/v1/sessions/current/lines?limit=100`);
          if (status !== 200) throw new Error(`status ${status}`);
          times.push(took_s);
          await sleep(100);
        }
      }),
    );
    agent.destroy();
    times.sort((a, b) => a - b);
    const worst = times[Math.floor(times.length * 0.99)];
    const why = `answers in ${(median(times) * 1e3).toFixed(2)} ms, 99 % within ${(worst * 1e3).toFixed(1)} ms`;
    points.push([count, (cpuNs(daemon.pid) - before) / 1e9, why]);
  }
  await daemon.stop();
  await stop();
  return curve('clients', 'CPU for as many requests each', 'clients', 'ms', points);
}

export const figures = { rate, threads, depth, modules, nodes, history, clients };
