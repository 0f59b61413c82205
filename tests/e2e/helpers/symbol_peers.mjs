// Inline chains of addresses: by lprofd's symbol stage and by the peers, in the same terms.
import { existsSync } from 'node:fs';
import { basename } from 'node:path';

import { plainName } from './perf.mjs';
import { run } from './processes.mjs';
import { toolPath } from './programs.mjs';
import { random } from './statistics.mjs';

/** A frame in terms that all tools share: "function file:line". Line 0 is "not known". */
function frame(name, place) {
  const known = /^(.*?):(\d+|\?)(?::\d+)?(?: \(discriminator \d+\))?$/.exec(place);
  const line = Number(known?.[2]) || 0;
  const file = !known || known[1] === '??' ? '??' : basename(known[1]);
  const plain = plainName(name.replace(/ inlined at .*/, '')).replace(/\s+/g, '');
  return { name: plain, place: line ? `${file}:${line}` : '??' };
}

/** Blocks of "function", "place" lines that `isStart` begins or an empty line ends. */
function chains(text, isStart) {
  const result = [];
  let lines = [];
  const flush = () => {
    const frames = [];
    for (let i = 0; i + 1 < lines.length; i += 2) frames.push(frame(lines[i], lines[i + 1]));
    result.push(frames);
    lines = [];
  };
  let begun = false;
  for (const line of text.split('\n')) {
    if (isStart(line)) {
      if (begun) flush();
      begun = true;
    } else if (line !== '') lines.push(line.replace(/^ \(inlined by\) /, ''));
  }
  if (begun) flush();
  return result;
}

const isAddress = (line) => /^0x[0-9a-f]+$/.test(line);

export const PEERS = {
  'eu-addr2line': { command: '/usr/bin/eu-addr2line', args: (path) => ['-a', '-i', '-f', '-C', '-e', path] },
  'llvm-symbolizer': {
    command: '/usr/bin/llvm-symbolizer',
    args: (path) => [`--obj=${path}`, '-a', '-i', '-C', '-f'],
  },
  addr2line: { command: '/usr/bin/addr2line', args: (path) => ['-a', '-i', '-f', '-C', '-e', path] },
};

const input = (vaddrs) => vaddrs.map((one) => `0x${one.toString(16)}\n`).join('');

async function ask(t, execute, command, args, vaddrs) {
  const cost = await execute(t, command, args, { input: input(vaddrs), seconds: 600 });
  return { cost, chains: chains(cost.stdout, isAddress) };
}

/** {cost, chains} of one of PEERS, or null when it is not installed. `execute` is run() or the like. */
export async function askPeer(t, name, path, vaddrs, execute = run) {
  const { command, args } = PEERS[name];
  return existsSync(command) ? ask(t, execute, command, args(path), vaddrs) : null;
}

export const askOurs = (t, path, vaddrs, execute = run) => ask(t, execute, toolPath('symbolize'), [path], vaddrs);

const same = (left, right, pick) => left.length === right?.length && left.every((one, i) => pick(one) === pick(right[i]));
const whole = (one) => `${one.name} ${one.place}`;
const show = (frames) => frames?.map(whole).join(' < ') ?? 'nothing';

/**
 * glibc's functions have a local name beside those that they export: __GI___libc_malloc is malloc.
 * lprofd says the latter, DWARF the former. Gives one name of all that such an address has.
 */
async function aliasesOf(t, path) {
  const { stdout: notes } = await run(t, 'readelf', ['-nW', path]);
  const [, folder, rest] = /Build ID: (..)([0-9a-f]+)/.exec(notes) ?? [];
  const debug = `/usr/lib/debug/.build-id/${folder}/${rest}.debug`;
  const { stdout } = await run(t, 'readelf', ['-sW', existsSync(debug) ? debug : path]);
  const names = new Map();
  for (const [, vaddr, name] of stdout.matchAll(/^ *\d+: ([0-9a-f]+) .* (?:FUNC|IFUNC) .* \d+ ([^\s@]+)/gm))
    names.set(vaddr, [...(names.get(vaddr) ?? []), name]);
  const internal = [...names.values()].filter((all) => all.some((name) => name.startsWith('__GI_')));
  return new Map(internal.flatMap((all) => all.map((name) => [name, all[0]])));
}

/** Which peers agree on each address; what no peer agrees on, sorted by what is known of it. */
export async function compareSymbols(t, path, vaddrs) {
  const ours = (await askOurs(t, path, vaddrs)).chains;
  const peers = {};
  for (const name of Object.keys(PEERS)) {
    const answer = await askPeer(t, name, path, vaddrs).catch(() => null);
    if (answer) peers[name] = answer.chains;
  }
  const aliases = await aliasesOf(t, path);
  for (const one of [ours, ...Object.values(peers)].flat(2)) one.name = aliases.get(one.name) ?? one.name;
  const tally = { total: vaddrs.length, with_lines: 0, equal_any: 0, equal: {}, outer: 0, frames: 0 };
  const explained = {};
  const unexplained = [];
  ours.forEach((chain, i) => {
    tally.with_lines += chain.some(({ place }) => place !== '??');
    const agree = Object.keys(peers).filter((name) => same(chain, peers[name][i], whole));
    for (const name of agree) tally.equal[name] = (tally.equal[name] ?? 0) + 1;
    if (agree.length > 0) {
      tally.equal_any++;
      return;
    }
    const names = Object.keys(peers);
    const anyPeer = (test) => names.some((name) => peers[name][i] && test(peers[name][i]));
    const reason = reasonOf(chain, anyPeer, names.map((name) => peers[name][i] ?? []));
    if (reason) (explained[reason] ??= []).push(i);
    else unexplained.push(i);
  });
  const example = (i) =>
    `0x${vaddrs[i].toString(16)}: ours ${show(ours[i])}` +
    Object.entries(peers).map(([name, answer]) => `; ${name} ${show(answer[i])}`).join('');
  const text = [
    ...Object.entries(explained).map(([reason, list]) => `${list.length} ${reason}`),
    ...unexplained.slice(0, 3).map((i) => `unexplained ${example(i)}`),
    unexplained.length > 3 ? `and ${unexplained.length - 3} more` : '',
  ].filter(Boolean).join('\n    ');
  return {
    ...tally,
    text: `equal to ${Object.keys(peers).map((name) => `${name} ${tally.equal[name] ?? 0}`).join(', ')}. ${text}`,
    explained: Object.fromEntries(Object.entries(explained).map(([reason, list]) => [reason, list.map(example)])),
    unexplained: unexplained.map(example),
  };
}

/** Why no peer agrees on functions without linkage names: they put no scopes in front of them. */
export const NAMES_IN_PART = 'equal to a peer but for names that this peer does not find, or not in full';

/** Differences whose cause is known, and that another tool's answer to a part of the chain proves. */
function reasonOf(chain, anyPeer, answers) {
  const names = (one) => one.name;
  const places = (one) => one.place;
  // Frame by frame, some tool says the same: no tool is right on all frames of this address.
  const byFrame = chain.every((one, k) =>
    answers.some((answer) => answer.length === chain.length && whole(answer[k]) === whole(one)),
  );
  if (byFrame) return 'whose every frame a tool confirms, though none confirms all';
  // A peer that has no name for a frame (a PLT stub, a name in a shared debug file) contradicts none.
  // Nor does one that names a function without its class or name space.
  const namesLess = (ours, theirs) => theirs === ours || theirs === '??' || ours.endsWith(`::${theirs}`);
  const lenient = (answer) =>
    answer.length === chain.length &&
    chain.every((one, k) => one.place === answer[k].place && namesLess(one.name, answer[k].name));
  if (chain.every(({ place }) => place === '??') && anyPeer(lenient))
    return 'without lines, where no peer has a name (PLT stubs, exported symbols only)';
  if (anyPeer(lenient)) return NAMES_IN_PART;
  const placesOf = anyPeer((answer) => same(chain, answer, places));
  const namesOf = anyPeer((answer) => same(chain, answer, names));
  if (placesOf && namesOf) return 'whose places one tool confirms and whose names another';
  if (anyPeer((answer) => same(chain, answer, names) && answer[0].place === chain[0].place))
    return 'with equal names and innermost place, where elfutils (which alone reads this file) names another call of a function inlined twice';
  return null;
}

/** All addresses of the functions of a file's symbol table whose name is like that. */
export async function functionAddresses(t, path, pattern = /^/) {
  const { stdout } = await run(t, 'readelf', ['-sW', path]);
  const symbols = stdout.matchAll(/^ *\d+: ([0-9a-f]+) +(\d+) FUNC .* \d+ (\S+)$/gm);
  const vaddrs = new Set(); // several names may stand for one function
  for (const [, start, bytes, name] of symbols)
    for (let i = 0; i < Number(bytes) && pattern.test(name); i++) vaddrs.add(BigInt(`0x${start}`) + BigInt(i));
  return [...vaddrs];
}

/** Addresses spread over the code of a file: the same ones in each run. */
export async function spreadAddresses(t, path, count) {
  const { stdout } = await run(t, 'readelf', ['-SW', path]);
  const text = /\s\.text\s+PROGBITS\s+([0-9a-f]+)\s+[0-9a-f]+\s+([0-9a-f]+)/.exec(stdout);
  const [begin, bytes] = [BigInt(`0x${text[1]}`), Number(`0x${text[2]}`)];
  const next = random(7);
  return Array.from({ length: count }, () => begin + BigInt(Math.floor(next() * bytes)));
}
