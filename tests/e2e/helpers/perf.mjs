// Second opinions: perf's lines and eu-stack's stacks.
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { publicFolder } from './nobody.mjs';
import { run, sleep } from './processes.mjs';
import { samplingNoise, totalVariation } from './statistics.mjs';

export const PERF = '/usr/bin/perf';
export const EU_STACK = '/usr/bin/eu-stack';

/** Records a process for some seconds, with times of CLOCK_MONOTONIC: the perf.data file. */
export async function perfRecord(t, pid, seconds) {
  const file = join(publicFolder(t), 'perf.data');
  const { code, stderr } = await run(
    t,
    PERF,
    ['record', '-q', '-k', 'CLOCK_MONOTONIC', '-F', '997', '-e', 'cpu-clock', '-o', file, '-p', String(pid)].concat(
      ['sleep', String(seconds)],
    ),
    { seconds: seconds + 60 },
  );
  assert.equal(code, 0, stderr);
  return file;
}

const BUCKET_NS = 1e8; // what a session's queries can tell apart
const EDGE_NS = 25e6; // a turn of the daemon: so well is known when a bucket ends

/**
 * When a session began, by CLOCK_MONOTONIC: at least so long ago as it has sealed. Each answer is
 * late by what the daemon had yet to seal; of many, the least late one is late by a few ms.
 */
async function sessionStart(daemon) {
  let least = Infinity;
  for (let i = 0; i < 60; i++) {
    const { duration_ns } = await daemon.get('/sessions/current');
    least = Math.min(least, Number(process.hrtime.bigint()) - duration_ns);
    await sleep(7);
  }
  return least;
}

/**
 * The stretch of time that a running session and perf.data both saw, in whole buckets of the
 * session: {ours, perf}, each {from_ns, to_ns}, by the session's clock and by CLOCK_MONOTONIC.
 */
export async function commonTime(t, daemon, file) {
  const start = await sessionStart(daemon);
  const { stdout } = await run(t, PERF, ['script', '-i', file, '-F', 'time', '--ns'], { seconds: 300, maxBuffer: 1 << 28 });
  const times = [...stdout.matchAll(/^\s*(\d+)\.(\d{9}):/gm)].map((one) => Number(one[1] + one[2]));
  assert.ok(times.length > 0, 'perf has samples');
  const from_ns = Math.ceil((times[0] - start) / BUCKET_NS) * BUCKET_NS;
  const to_ns = Math.floor((times.at(-1) - start) / BUCKET_NS) * BUCKET_NS;
  return { ours: { from_ns, to_ns }, perf: { from_ns: start + from_ns, to_ns: start + to_ns } };
}

/**
 * Samples per "file.c:line" as perf finds them in a stretch of time; what has no line is counted as "unknown". Where perf
 * knows only the file, the line is 0: binutils cannot read some references into shared debug files.
 */
export async function perfLines(t, file, { from_ns, to_ns }) {
  const span = [from_ns, to_ns].map((ns) => (ns / 1e9).toFixed(9)).join();
  const args = ['report', '-i', file, '--no-inline', '--stdio', '-F', 'sample,srcline', '-s', 'srcline'];
  const { code, stdout, stderr } = await run(t, PERF, [...args, '--time', span], { seconds: 600 });
  assert.equal(code, 0, stderr);
  const counts = new Map();
  for (const line of stdout.split('\n')) {
    const match = /^\s*(\d+)\s+(\S.*?)\s*$/.exec(line);
    if (!match) continue;
    const known = /^([^+/]*?\.[a-z]+):(\d+)$/i.exec(match[2].replace(/^.*\//, ''));
    const key = known ? `${known[1]}:${known[2]}` : 'unknown';
    counts.set(key, (counts.get(key) ?? 0) + Number(match[1]));
  }
  return counts;
}

/** The files of which perf knows no line for more than 5 % of the samples. */
export function coarseFiles(counts) {
  const totals = new Map();
  for (const [key, count] of counts) {
    const [file, line] = key.split(':');
    const known = totals.get(file) ?? { all: 0, lineless: 0 };
    totals.set(file, { all: known.all + count, lineless: known.lineless + (line === '0' ? count : 0) });
  }
  return new Set([...totals].filter(([, one]) => one.lineless > 0.05 * one.all).map(([file]) => file));
}

/**
 * The same counts with the lines of these files taken together, and with files that perf does not
 * know at all counted as unknown: its samples of them are unknown, too.
 */
export function coarsen(counts, files, perfCounts) {
  const named = new Set([...perfCounts.keys()].map((key) => key.split(':')[0]));
  const result = new Map();
  for (const [key, count] of counts) {
    const [file] = key.split(':');
    const name = !named.has(file) ? 'unknown' : files.has(file) ? file : key;
    result.set(name, (result.get(name) ?? 0) + count);
  }
  return result;
}

/** Samples per "file.c:line" as lprofd gives them, in the same terms. */
export function ourLines({ lines, unknown }) {
  const counts = new Map();
  const add = (key, hits) => hits && counts.set(key, (counts.get(key) ?? 0) + hits);
  for (const { path, line, self_hits } of lines) add(`${path.replace(/^.*\//, '')}:${line}`, self_hits);
  add('unknown', unknown.self_hits);
  return counts;
}

/**
 * Lets perf sample the process that a session samples, too, and compares the shares of lines over
 * the time that both saw: {distance, mean, bound, hits: {ours, perf}, coarse, far: [[line, ours,
 * perf]]}. The session is paused then. Its buckets' ends are known to EDGE_NS.
 */
export async function compareShares(t, daemon, pid, seconds) {
  const file = await perfRecord(t, pid, seconds);
  const time = await commonTime(t, daemon, file);
  await daemon.pause();
  await daemon.waitNames();
  const range = `from_ns=${time.ours.from_ns}&to_ns=${time.ours.to_ns}&limit=10000`;
  const raw = await perfLines(t, file, time.perf);
  const coarse = coarseFiles(raw);
  const ours = coarsen(ourLines(await daemon.get(`/sessions/current/lines?${range}`)), coarse, raw);
  const theirs = coarsen(raw, coarse, raw);
  const noise = samplingNoise(ours, theirs);
  const far = [...new Set([...ours.keys(), ...theirs.keys()])]
    .map((key) => [key, ours.get(key) ?? 0, theirs.get(key) ?? 0])
    .sort((a, b) => Math.abs(b[1] - b[2]) - Math.abs(a[1] - a[2]));
  const sum = (map) => [...map.values()].reduce((a, b) => a + b, 0);
  return {
    distance: totalVariation(ours, theirs),
    mean: noise.mean,
    bound: noise.bound + (2 * EDGE_NS) / (time.ours.to_ns - time.ours.from_ns),
    hits: { ours: sum(ours), perf: sum(theirs) },
    coarse,
    far: far.slice(0, 8),
    file,
  };
}

/** A function's name without what linkers, versions and optimisers hang on it. */
export function plainName(name) {
  let plain = name
    .replace(/^__GI_/, '')
    .replace(/@.*$/, '')
    .replace(/\.(part|isra|constprop|cold|lto_priv)(\.\d+)*/g, '')
    .replace(/ \[clone .*$/, '')
    .replaceAll('(anonymous namespace)', '{anonymous}');
  for (let before; before !== plain; ) [before, plain] = [plain, plain.replace(/\([^()]*\)/g, '')];
  return plain.replace(/\(.*$/, '').replace(/(\s+(const|volatile|&|&&))*\s*$/, '');
}
