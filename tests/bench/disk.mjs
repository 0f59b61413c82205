// Figure 10: the profile on disk, beside perf.data.
import { statSync } from 'node:fs';
import { join } from 'node:path';

import { PERF } from '../e2e/helpers/perf.mjs';
import { LPROFD } from '../e2e/helpers/programs.mjs';
import { PROGRAMS, startProgram } from '../e2e/helpers/real_programs.mjs';
import { has, missing, publicFolder, row, run, start, targetPath } from './lib.mjs';

const MINUTES_10_S = 600;
const HZ = 997;

/** Bytes of a profile of `seconds`, and samples in it. */
async function save(t, pid, seconds, ...more) {
  const file = join(publicFolder(t), 'run.lprof');
  const args = ['--pid', String(pid), '--duration', String(seconds), '--output', file, '--no-http', ...more];
  const { code, stdout, stderr } = await run(t, LPROFD, args, { seconds: seconds + 90 });
  if (code !== 0) throw new Error(`lprofd --output: ${stderr}`);
  return { bytes: statSync(file).size, samples: Number(/(\d+) samples/.exec(stdout)[1]) };
}

/** Bytes that perf writes for each sample: its file grows by as much with each. */
async function perfBytesPerSample(t, pid, seconds) {
  const file = join(publicFolder(t), 'perf.data');
  const args = ['record', '-e', 'cpu-clock', '-F', String(HZ), '--call-graph', 'dwarf,16384', '-o', file, '-p', String(pid)];
  const { stderr } = await run(t, PERF, [...args, 'sleep', String(seconds)]);
  // On a busy machine it may be told to end after it has written all: what counts is that it has.
  const samples = Number(/\((\d+) samples\)/.exec(stderr)?.[1]);
  if (!samples) throw new Error(`perf record: ${stderr}`);
  return statSync(file).size / samples;
}

/**
 * What grows with time are the counts: they are scaled by how much they grew in the second half of a
 * shorter run. That is too much rather than too little, since what is older than a minute is kept by
 * the second and not by the tenth of one. All else (names, lines, texts) is there from the start.
 */
async function scaled(t, pid, seconds) {
  const half = await save(t, pid, seconds / 2);
  const whole = await save(t, pid, seconds);
  const per_second = Math.max(0, whole.bytes - half.bytes) / (seconds / 2);
  return { bytes: whole.bytes + per_second * (MINUTES_10_S - seconds), samples: whole.samples, short: whole.bytes };
}

async function one(t, name, target, { quick, full }) {
  const target_text = '<= 1/100 of perf.data';
  const what = `profile on disk, 10 min at ${HZ} Hz: ${name}`;
  if (!has(PERF)) return missing('10', what, target_text, 'linux-perf');
  const seconds = quick ? 10 : 60;
  const ours = full ? await save(t, target.pid, MINUTES_10_S) : await scaled(t, target.pid, seconds);
  const bare = await save(t, target.pid, quick ? 2 : 10, '--no-source-text');
  const per_sample = await perfBytesPerSample(t, target.pid, quick ? 3 : 10);
  const peer = per_sample * HZ * MINUTES_10_S;
  const measured = full ? 'ours: all of the 10 minutes' : `ours: scaled from ${seconds} s (${ours.short} bytes)`;
  return row('10', what, {
    ours: ours.bytes,
    peer,
    unit: 'bytes',
    target: target_text,
    holds: ours.bytes <= peer / 100,
    why: `${measured}; perf: ${Math.round(per_sample)} bytes a sample; a short profile without source texts: ${bare.bytes} bytes`,
  });
}

async function onDisk(t, options) {
  const rows = [await one(t, 'ratios', start(t, targetPath('ratios'), ['3000']), options)];
  const lua = PROGRAMS.lua;
  if (!has(lua.command)) return [...rows, missing('10', 'lua', '', 'lua5.4')];
  return [...rows, await one(t, 'lua', await startProgram(t, lua), options)];
}

export const figures = { 10: onDisk };
