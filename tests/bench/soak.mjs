// Soak: does lprofd grow while it works for long? Memory, descriptors and threads over time.
import { existsSync, readFileSync, readdirSync } from 'node:fs';

import { collectEvents } from '../e2e/helpers/http.mjs';
import { resident } from './cost.mjs';
import { cpuNs, median, row, sleep, start, startDaemon, targetPath, until } from './lib.mjs';

/** A shell that forks programs, threads that come and go, a real program: light, 0.2 of a CPU in all. */
const LUA = `
local words = {}
local function work()
  for i = 1, 400 do words[i] = string.format("%d-%s", i, tostring(i * 7 % 13)) end
  table.sort(words)
end
while true do
  work()
  io.write(".") io.flush()
  if not io.read(1) then break end
end`;
const FORKS = 'while :; do /bin/ls -lR /etc >/dev/null 2>&1; sleep 1; done';

/** Lets the lua program work once in 20 ms: it says how far it is, and goes on when told. */
function startLua(t) {
  const lua = start(t, '/usr/bin/lua5.4', ['-e', LUA], { stdio: ['pipe', 'pipe', 'ignore'] });
  lua.child.stdin.on('error', () => {});
  lua.child.stdout.removeAllListeners('data');
  lua.child.stdout.on('data', () => setTimeout(() => lua.over || lua.child.stdin.write('\n'), 20));
  return lua;
}

const TARGETS = {
  lua: { start: startLua, file: '/usr/bin/lua5.4' },
  'thread churn': { start: (t) => start(t, targetPath('churn'), ['100000']) },
  forks: { start: (t) => start(t, '/bin/sh', ['-c', FORKS]), follow: true },
};

/** What a browser asks for, over and over, with its stream of events. */
function browse(daemon, session) {
  let on = true;
  const paths = ['', '/lines?limit=100', '/functions?limit=100', '/threads', '/timeline?step_ns=1000000000', '/flamegraph'];
  const polls = (async () => {
    for (let turn = 0; on; turn++) {
      await daemon.get(session + paths[turn % paths.length]);
      await sleep(500);
    }
  })();
  const streams = (async () => {
    while (on) await collectEvents(`${daemon.url}/api/v1${session}/events`, { seconds: 30 });
  })();
  return async () => {
    on = false;
    await Promise.all([polls, streams]);
  };
}

const measure = (pid) => ({
  rss: resident(pid),
  files: readdirSync(`/proc/${pid}/fd`).length,
  threads: readdirSync(`/proc/${pid}/task`).length,
});

/**
 * The slope of Theil and Sen: the median over all pairs, which single peaks do not move. Long rows
 * are thinned out to some 400 medians of neighbours.
 */
export function slope(values) {
  const step = Math.ceil(values.length / 400);
  const means = [];
  for (let i = 0; i + step <= values.length; i += step) means.push(median(values.slice(i, i + step)));
  const slopes = [];
  for (let i = 0; i < means.length; i++)
    for (let j = i + 1; j < means.length; j++) slopes.push((means[j] - means[i]) / (j - i) / step);
  return slopes.length ? median(slopes) : 0;
}

/** Growth over the row by its slope, and the noise around that line (median absolute deviation). */
export function growth(values) {
  const rise = slope(values);
  const rest = values.map((value, i) => value - rise * i);
  const middle = median(rest);
  return { rise: rise * values.length, noise: 1.4826 * median(rest.map((one) => Math.abs(one - middle))) };
}

function judge(name, values, unit, tolerance) {
  const half = values.slice(values.length >> 1);
  const { rise, noise } = growth(half);
  return row('soak', `${name}, growth in the second half`, {
    ours: rise,
    unit,
    target: 'within its noise',
    // Of `tolerance` nobody would ever hear; noise beyond that is judged by itself.
    holds: rise <= Math.max(2 * noise, tolerance),
    why: `${values[0]} at first, ${half[0]} at half time, ${half.at(-1)} at the end, at most ${values.reduce((a, b) => Math.max(a, b))}; noise ${noise.toPrecision(3)}`,
  });
}

async function soak(t, { soak: wanted, quick }) {
  const seconds = Number(wanted ?? (quick ? 60 : 600));
  const targets = Object.entries(TARGETS).filter(([, { file }]) => !file || existsSync(file));
  const daemon = await startDaemon(t);
  const stops = [];
  for (const [, one] of targets) {
    const program = one.start(t);
    await sleep(500);
    const session = await daemon.attach({ pid: program.pid, follow: one.follow ?? false });
    stops.push(browse(daemon, session));
  }
  const values = [];
  const begun = performance.now();
  const cpu = cpuNs(daemon.pid);
  while (performance.now() - begun < seconds * 1000) {
    await sleep(Math.min(5000, seconds * 10));
    values.push(measure(daemon.pid));
    if (values.length % 60 === 0) {
      const { rss, files, threads } = values.at(-1);
      console.error(`soak: ${((performance.now() - begun) / 1000).toFixed(0)} s, ${(rss / 2 ** 20).toFixed(2)} MB, ${files} files, ${threads} threads`);
    }
  }
  const share = (cpuNs(daemon.pid) - cpu) / 1e6 / (performance.now() - begun);
  for (const stop of stops) await stop();
  const sessions = await daemon.get('/sessions');
  await until('the daemon is well', async () => (await daemon.request('/healthz')).status === 200);
  await daemon.stop();
  const of = (key) => values.map((one) => one[key]);
  const lost = sessions.reduce((sum, { samples }) => sum + samples.lost, 0);
  const total = sessions.reduce((sum, { samples }) => sum + samples.total, 0);
  const alive = sessions.every(({ state }) => state === 'running');
  return [
    judge('RSS without rings', of('rss'), 'bytes', 2 ** 18),
    judge('descriptors', of('files'), '', 0.5),
    judge('threads', of('threads'), '', 0.5),
    row('soak', `${seconds} s: all sessions still sample`, {
      ours: total,
      unit: 'samples',
      target: 'running, 0 lost',
      holds: alive && lost === 0,
      why: `${sessions.map(({ command, samples, warnings }) => `${command.slice(0, 40)}: ${samples.total} samples, ${samples.lost} lost, ${warnings.join('; ')}`).join('\n')}\nlprofd used ${(100 * share).toFixed(1)} % of a CPU`,
    }),
  ];
}

export const figures = { soak };
