// Second opinions: perf's lines and eu-stack's stacks.
import assert from 'node:assert/strict';
import { join } from 'node:path';

import { publicFolder } from './nobody.mjs';
import { run, sleep } from './processes.mjs';

export const PERF = '/usr/bin/perf';
export const EU_STACK = '/usr/bin/eu-stack';

/** Records a process for some seconds: the perf.data file. */
export async function perfRecord(t, pid, seconds) {
  const file = join(publicFolder(t), 'perf.data');
  const { code, stderr } = await run(
    t,
    PERF,
    ['record', '-q', '-F', '997', '-e', 'cpu-clock', '-o', file, '-p', String(pid), 'sleep', `${seconds}`],
    { seconds: seconds + 30 },
  );
  assert.equal(code, 0, stderr);
  return file;
}

/**
 * Samples per "file.c:line" as perf finds them; what has no line is counted as "unknown". Where perf
 * knows only the file, the line is 0: binutils cannot read some references into shared debug files.
 */
export async function perfLines(t, file) {
  const { code, stdout, stderr } = await run(
    t,
    PERF,
    ['report', '-i', file, '--no-inline', '--stdio', '-F', 'sample,srcline', '-s', 'srcline'],
    { seconds: 300 },
  );
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

/** A function's name without what linkers, versions and optimisers hang on it. */
export const plainName = (name) =>
  name
    .replace(/^__GI_/, '')
    .replace(/@.*$/, '')
    .replace(/\.(part|isra|constprop|cold|lto_priv)(\.\d+)*/g, '')
    .replace(/\(.*$/, '');
