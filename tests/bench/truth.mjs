// Truth: a (lines), b (stacks), c (arithmetic), d (sums), e (time) and f (shares as perf's).
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';

import { sums, timeOf } from '../e2e/helpers/accounts.mjs';
import { lineRow } from '../e2e/helpers/daemon.mjs';
import { PERF, compareShares, perfRecord } from '../e2e/helpers/perf.mjs';
import { knownLine } from '../e2e/helpers/programs.mjs';
import { BINARIES, PROGRAMS, startProgram } from '../e2e/helpers/real_programs.mjs';
import { binomialLeast, wilson } from '../e2e/helpers/statistics.mjs';
import { compareAtStops } from '../e2e/helpers/stops.mjs';
import { compareSymbols, spreadAddresses } from '../e2e/helpers/symbol_peers.mjs';
import { attach, has, measure, missing, publicFolder, row, run, scoped, sleep, start, targetPath } from './lib.mjs';

/** Waits until a paused session has sealed and symbolised all it has. */
async function settle(daemon) {
  await daemon.pause();
  let before = -1;
  for (let turn = 0; turn < 100; turn++) {
    await sleep(300);
    const { unknown } = await daemon.get('/sessions/current/lines?limit=1');
    const pending = unknown.self_hits;
    if (pending === before) return;
    before = pending;
  }
}

/** What lprofd copies at most: a record of perf has 64 KiB for the stack and all else. */
const STACK_MAX_BYTES = 65000;

const addressesSeen = new Map(); // module path -> Set of vaddrs

/** File offsets that perf sampled, by module: what its mmap records and samples say. */
async function sampledOffsets(t, file) {
  const args = ['script', '-i', file, '--no-inline', '--show-mmap-events', '-F', 'event,ip'];
  const { stdout } = await run(t, PERF, args, { seconds: 300, maxBuffer: 1 << 28 });
  const maps = [];
  for (const line of stdout.split('\n')) {
    const map = /\[0x([0-9a-f]+)\(0x([0-9a-f]+)\) @ (0x[0-9a-f]+|0) .*\]: r.xp (\/.*)$/.exec(line);
    if (map) {
      const [begin, length] = [BigInt(`0x${map[1]}`), BigInt(`0x${map[2]}`)];
      maps.push({ begin, end: begin + length, offset: BigInt(map[3]), path: map[4] });
      continue;
    }
    const sample = /^\s*(?:\S+:)?\s+([0-9a-f]+)\s*$/.exec(line);
    if (!sample) continue;
    const ip = BigInt(`0x${sample[1]}`);
    const map_of = maps.findLast((one) => one.begin <= ip && ip < one.end);
    if (!map_of) continue;
    const seen = addressesSeen.get(map_of.path) ?? new Set();
    addressesSeen.set(map_of.path, seen.add(ip - map_of.begin + map_of.offset));
  }
}

/** From offsets in the file to vaddrs, by its program headers. */
async function toVaddrs(t, path, offsets) {
  const { stdout } = await run(t, 'readelf', ['-lW', path]);
  const loads = [...stdout.matchAll(/^\s+LOAD\s+(\S+)\s+(\S+)\s+\S+\s+(\S+)/gm)].map((one) =>
    one.slice(1, 4).map(BigInt),
  );
  return [...offsets].flatMap((at) => {
    const load = loads.find(([offset, , bytes]) => offset <= at && at < offset + bytes);
    return load ? [at - load[0] + load[1]] : [];
  });
}

/** The rows of one program: that one fails must not hide what the others show. */
function rowsOf(figure, what, body) {
  return scoped(body).catch((error) => [row(figure, what, { verdict: 'ERROR', why: error.stack })]);
}

async function shares(t, { quick }) {
  const rows = [];
  for (const [name, program] of Object.entries(PROGRAMS)) {
    if (!program.lines || (quick && !program.quick)) continue;
    if (!program.command || !has(program.command)) {
      rows.push(missing('f', `${name}: distance of line shares`, '<= noise', program.packages));
      continue;
    }
    rows.push(...(await rowsOf('f', name, (inner) => sharesOf(inner, name, program, quick))));
  }
  return rows;
}

async function sharesOf(t, name, program, quick) {
  const target = await startProgram(t, program);
  const daemon = await attach(t, target.pid);
  await sleep(1000);
  const { distance, mean, bound, hits, coarse, far, file } = await compareShares(
    t,
    daemon,
    target.pid,
    quick ? 5 : 15,
  );
  await sampledOffsets(t, file);
  await settle(daemon);
  const exact = await sums(daemon);
  const equal = exact.lines + exact.unknown === exact.samples && exact.total === exact.samples;
  return [
    row('f', `${name}: distance of line shares`, {
      ours: distance,
      peer: mean,
      target: `<= ${bound.toFixed(4)}`,
      holds: distance <= bound,
      why:
        (distance <= bound ? '' : `farthest (line, ours, perf): ${far.map((one) => one.join(' ')).join('; ')}. `) +
        (coarse.size ? `perf knows no lines of ${[...coarse].join(', ')}: compared as files` : ''),
      samples: hits,
    }),
    row('d', `${name}: sum of lines + unknown, and samples`, {
      ours: exact.lines + exact.unknown,
      peer: exact.samples,
      target: 'equal',
      holds: equal,
      why: equal ? '' : JSON.stringify(exact),
    }),
  ];
}

async function lines(t, settings) {
  if (addressesSeen.size === 0)
    for (const [name, program] of Object.entries(PROGRAMS))
      if (program.lines && has(program.command) && (program.quick || !settings.quick))
        await scoped(async (inner) => {
          const target = await startProgram(inner, program);
          await sampledOffsets(inner, await perfRecord(inner, target.pid, settings.quick ? 3 : 10));
        }).catch((error) => console.error(`${name}: ${error.message}`));
  const rows = [];
  const limit = settings.quick ? 300 : 3000;
  const compare = async (path, vaddrs, kind) => {
    const result = await scoped((inner) => compareSymbols(inner, path, vaddrs));
    if (!result.with_lines) return; // no debug information: nothing to compare
    rows.push(
      row('a', `${basename(path)}: ${result.total} ${kind} addresses, chains equal to a peer's`, {
        ours: result.equal_any / result.total,
        unit: 'percent',
        target: '100 % or explained',
        holds: result.unexplained.length === 0,
        why: result.text,
        ...result,
      }),
    );
  };
  for (const [path, offsets] of addressesSeen) {
    if (!has(path)) continue;
    const vaddrs = (await toVaddrs(t, path, offsets)).slice(0, limit);
    if (vaddrs.length < 10) continue;
    await compare(path, vaddrs, 'sampled');
  }
  // Rare code, too: what programs seldom run is where compilers are most inventive.
  for (const path of BINARIES)
    if (has(path)) await compare(path, await spreadAddresses(t, path, settings.quick ? 200 : 2000), 'random');
  return rows;
}

async function stacks(t, { quick }) {
  const rows = [];
  for (const [name, program] of Object.entries(PROGRAMS)) {
    if (quick && !program.quick) continue;
    if (!program.command || !has(program.command))
      rows.push(missing('b', `${name}: stacks`, '100 %', program.packages));
    else rows.push(...(await rowsOf('b', name, (inner) => stacksOf(inner, name, program, quick))));
  }
  return rows;
}

async function stacksOf(t, name, program, quick) {
  const result = await scoped((inner) =>
    compareAtStops(inner, program, { stops: quick ? 10 : 60, gdb_every: quick ? 5 : 3 }),
  );
  const { stacks: taken, with_gdb, explained, unexplained, ends } = result;
  const reasons = Object.entries(explained).map(([reason, count]) => `${count}: ${reason}`);
  const target = await startProgram(t, program);
  const daemon = await attach(t, target.pid);
  await daemon.waitSamples(quick ? 2000 : 5000, { seconds: 60 }).catch((error) => {
    if (!target.over) throw error; // it ended: what was sampled is enough to judge
  });
  await settle(daemon);
  const { samples, stack_bytes } = await daemon.get('/sessions/current');
  // Of those that are deeper than the kernel can copy, no tool sees the root.
  const fitting = samples.total - (stack_bytes === STACK_MAX_BYTES ? samples.truncated_stacks : 0);
  const share = samples.unwound_to_root / fitting;
  const reasonsOfEnds = await endsOf(daemon);
  return [
    row('b', `${name}: ${taken} stopped stacks equal to eu-stack's, ${with_gdb} of them to gdb's`, {
      ours: 1 - unexplained.length / taken,
      unit: 'percent',
      target: '100 % or explained',
      holds: unexplained.length === 0,
      why: [...reasons, ...unexplained.slice(0, 3)].join('\n    '),
      ends,
      explained,
      unexplained,
    }),
    row('b', `${name}: live stacks that reach the root, of those that perf can copy`, {
      ours: share,
      unit: 'percent',
      target: '>= 99 %',
      holds: share >= 0.99,
      why: reasonsOfEnds.map(({ reason, hits }) => `${hits} of ${samples.total}: ${reason}`).join('; '),
      samples,
    }),
  ];
}

/** What ended the stacks that did not reach their root: [{reason, hits}]. */
async function endsOf(daemon) {
  const { functions } = await daemon.get('/sessions/current/functions?sort=total&limit=10000');
  return functions
    .filter(({ function: name, module }) => !module && /^\[.*\]$/.test(name))
    .map(({ function: reason, total_hits: hits }) => ({ reason, hits }));
}

/**
 * Each slice of time is a profile of its own; 95 % of their lines must hold their true share. Of each
 * line at least as many slices must as chance undercuts once in 1 / FALSE_ALARM times.
 */
async function arithmetic(t, { quick }) {
  const slices = quick ? 10 : 40;
  const slice_s = 1.5;
  const target = start(t, targetPath('ratios'), ['600']);
  const daemon = await attach(t, target.pid);
  await sleep((slices * slice_s + 1) * 1000);
  await settle(daemon);
  const marks = [['one', 1 / 8], ['two', 2 / 8], ['five', 5 / 8]];
  const inside = marks.map(() => 0);
  for (let i = 0; i < slices; i++) {
    const range = `from_ns=${Math.round((i + 0.2) * slice_s * 1e9)}&to_ns=${Math.round((i + 1.2) * slice_s * 1e9)}`;
    const document = await daemon.get(`/sessions/current/lines?limit=10000&${range}`);
    const hits = marks.map(([mark]) => lineRow(document, 'ratios.c', knownLine('ratios.c', mark)).self_hits);
    const all = hits.reduce((a, b) => a + b, 0);
    marks.forEach(([, share], k) => {
      const { low, high } = wilson(hits[k], all);
      inside[k] += low <= share && share <= high;
    });
  }
  const least = binomialLeast(slices, 0.95);
  const whole = await daemon.get('/sessions/current/lines?limit=10000');
  const share = (mark) => lineRow(whole, 'ratios.c', knownLine('ratios.c', mark)).self_hits / whole.total.hits;
  const rows = [
    row('c', `ratios: true shares of 3 lines inside the 95 % interval of ${slices} slices each`, {
      ours: inside.reduce((x, y) => x + y) / (slices * marks.length),
      unit: 'percent',
      target: `95 % (each line >= ${least} of ${slices})`,
      holds: inside.every((count) => count >= least),
      inside,
      shares: marks.map(([mark, truth]) => ({ mark, truth, ours: share(mark) })),
    }),
  ];
  rows.push(await callgrind(t, marks, share));
  return rows;
}

async function callgrind(t, marks, share) {
  const what = "ratios: largest difference to callgrind's share of instructions";
  if (!has('/usr/bin/valgrind')) return missing('c', what, '<= 1 %', 'valgrind');
  const file = `${publicFolder(t)}/callgrind.out`;
  const args = ['--tool=callgrind', `--callgrind-out-file=${file}`, targetPath('ratios'), '5'];
  await measure(t, 'valgrind', args, { may_fail: true });
  const counts = new Map();
  let [line, calls] = [0, false];
  for (const text of readFileSync(file, 'utf8').split('\n')) {
    if (text.startsWith('calls=')) calls = true;
    const cost = /^([+-]?\d+|\*) (\d+)$/.exec(text);
    if (!cost) continue;
    if (/^[+-]/.test(cost[1])) line += Number(cost[1]);
    else if (cost[1] !== '*') line = Number(cost[1]);
    if (!calls) counts.set(line, (counts.get(line) ?? 0) + Number(cost[2]));
    calls = false; // inclusive cost of a call: not the line's own
  }
  const instructions = marks.map(([mark]) => counts.get(knownLine('ratios.c', mark)) ?? 0);
  const all = instructions.reduce((a, b) => a + b, 0);
  const ours = marks.map(([mark]) => share(mark));
  const sum = ours.reduce((a, b) => a + b, 0);
  const far = Math.max(...ours.map((one, i) => Math.abs(one / sum - instructions[i] / all)));
  return row('c', what, { ours: far, unit: 'percent', target: '<= 2 %', holds: all > 0 && far <= 0.02 });
}

/** Sums are exact, and the session's time is the kernel's: on programs of all kinds. */
async function accounts(t, { quick }) {
  const own = ['ratios', 'threads', 'briefthreads', 'syscalls'].map((name) => [
    name,
    (inner) => start(inner, targetPath(name), ['600']),
  ]);
  const real = Object.entries(PROGRAMS)
    .filter(([, program]) => has(program.command) && !program.again && (!quick || program.quick))
    .map(([name, program]) => [name, (inner) => startProgram(inner, program)]);
  const rows = [];
  for (const [name, startOne] of [...own, ...real])
    rows.push(...(await rowsOf('e', name, (inner) => accountsOf(inner, name, startOne, quick ? 3 : 10))));
  return rows;
}

async function accountsOf(t, name, startOne, cpu_seconds) {
  const target = await startOne(t);
  const daemon = await attach(t, target.pid);
  const { session_ns, least_ns, most_ns } = await timeOf(daemon, target.pid, cpu_seconds);
  await settle(daemon);
  const exact = await sums(daemon);
  const seconds = (ns) => (ns / 1e9).toFixed(3);
  return [
    row('e', `${name}: session's time over utime + stime`, {
      ours: session_ns / 1e9,
      peer: (least_ns + most_ns) / 2e9,
      unit: 's',
      target: 'within 2 %',
      holds: session_ns >= 0.98 * least_ns && session_ns <= 1.02 * most_ns,
      why: `the kernel's is between ${seconds(least_ns)} and ${seconds(most_ns)} s`,
    }),
    row('d', `${name}: sum of lines + unknown, and samples`, {
      ours: exact.lines + exact.unknown,
      peer: exact.samples,
      target: 'equal',
      holds: exact.lines + exact.unknown === exact.samples && exact.total === exact.samples,
      why: exact.total === exact.samples ? '' : JSON.stringify(exact),
    }),
  ];
}

export const figures = { f: shares, a: lines, b: stacks, c: arithmetic, de: accounts };
