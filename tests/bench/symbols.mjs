// Figures 6 (many addresses with inline chains) and 8 (queries on a large trie).
import { basename } from 'node:path';

import { PEERS, askOurs, askPeer, spreadAddresses } from '../e2e/helpers/symbol_peers.mjs';
import { has, measure, missing, row, run, spread, tool } from './lib.mjs';

const JVM = '/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so';
const PYTHON = '/usr/bin/python3.11';

/** Whether a file's debug information is found: its own, or by build-id. */
async function hasDebugInfo(t, path) {
  if (!has(path)) return false;
  const { stdout } = await run(t, 'readelf', ['-nSW', path]);
  const id = /Build ID: (\w\w)(\w+)/.exec(stdout);
  return /\.debug_info/.test(stdout) || (id && has(`/usr/lib/debug/.build-id/${id[1]}/${id[2]}.debug`));
}

async function many(t, settings) {
  const rows = [];
  for (const [path, packages] of [[process.env.LIBJVM ?? JVM, 'openjdk-17-dbg'], [PYTHON, 'python3.11-dbg']]) {
    const what = `500 addresses of ${basename(path)} with inlines`;
    if (await hasDebugInfo(t, path)) rows.push(...(await manyOf(t, path, what, settings.quick ? 1 : 5)));
    else rows.push(missing('6', what, '<= 1/3 time', `${packages} is not installed`));
  }
  return rows;
}

async function manyOf(t, path, what, turns) {
  const vaddrs = await spreadAddresses(t, path, 500);
  const names = Object.keys(PEERS).filter((name) => has(PEERS[name].command) && name !== 'addr2line');
  const costs = { ours: [], ...Object.fromEntries(names.map((name) => [name, []])) };
  for (let turn = 0; turn < turns; turn++) {
    costs.ours.push((await askOurs(t, path, vaddrs, measure)).cost);
    for (const name of names) costs[name].push((await askPeer(t, name, path, vaddrs, measure)).cost);
  }
  const of = (name, key) => spread(costs[name].map((one) => one[key]));
  const best = (key) => names.map((name) => [name, of(name, key)]).sort((a, b) => a[1].median - b[1].median)[0];
  const result = (key, unit, title, limit) => {
    const [name, peer] = best(key === 'max_rss_bytes' ? 'wall_s' : key);
    const value = key === 'max_rss_bytes' ? of(name, key) : peer;
    const ours = of('ours', key);
    return row('6', `${what}: ${title} (peer ${name})`, {
      ours,
      peer: value,
      unit,
      target: `<= ${limit}`,
      holds: ours.median <= fraction(limit) * value.median,
      all: Object.fromEntries(names.map((one) => [one, of(one, key)])),
    });
  };
  return [result('wall_s', 's', 'time', '1/3'), result('cpu_s', 's', 'CPU', '1/3'), result('max_rss_bytes', 'bytes', 'memory', '1/2')];
}

const fraction = (limit) => Number(limit.split('/')[0]) / Number(limit.split('/')[1]);

async function queries(t, { quick }) {
  const sizes = quick ? [1e6] : [1e3, 1e4, 1e5, 1e6, 1e7];
  const rows = [];
  for (const size of sizes) {
    const { stdout } = await measure(t, tool('queries'), [String(size)]);
    const result = JSON.parse(stdout);
    for (const [key, what] of [['functions', 'function table'], ['lines', 'line table'], ['lines_by_thread', 'line table by thread'], ['file_functions', 'functions of a file'], ['flamegraph', 'flame graph'], ['inverted', 'flame graph, bottom-up'], ['pruned', 'flame graph, 5,000 largest nodes']]) {
      const ours = spread(result[`${key}_ns`].map((ns) => ns / 1e9));
      const judged = size === 1e6;
      rows.push(
        row('8', `${what} of ${size.toExponential(0)} trie nodes (${result[`${key}_rows`]} rows)`, {
          ours,
          unit: 'ms',
          target: judged ? '<= 250 ms' : 'curve',
          holds: ours.median <= 0.25,
          verdict: judged ? undefined : '',
          ns_per_node: (ours.median * 1e9) / size,
        }),
      );
    }
  }
  return rows;
}

export const figures = { 6: many, 8: queries };
