// Stacks of one instant: a process stands still while lprofd's unwinder, eu-stack and gdb look at it.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { publicFolder } from './nobody.mjs';
import { EU_STACK } from './perf.mjs';
import { processState, run, sleep, start, until } from './processes.mjs';
import { toolPath } from './programs.mjs';
import { startProgram } from './real_programs.mjs';

export const GDB = '/usr/bin/gdb';

/** Attaches to each pid that it is told, and prints the pc of every frame that is not inlined. */
const GDB_SCRIPT = `
import gdb, sys
for command in ("pagination off", "confirm off", "backtrace past-main on", "backtrace past-entry on",
                "print thread-events off", "print inferior-events off", "debuginfod enabled off"):
    gdb.execute("set " + command)
while True:
    pid = sys.stdin.readline().strip()
    if not pid:
        break
    gdb.execute("attach " + pid, to_string=True)
    for thread in sorted(gdb.selected_inferior().threads(), key=lambda one: one.ptid[1]):
        thread.switch()
        print("TID", thread.ptid[1])
        frame = gdb.newest_frame()
        while frame:
            if frame.type() not in (gdb.INLINE_FRAME, gdb.TAILCALL_FRAME):
                print(hex(frame.pc()))
            try:
                frame = frame.older()
            except gdb.error:
                break
    gdb.execute("detach", to_string=True)
    print("done", flush=True)
`;

/** A gdb that keeps what it has read of debug information from one look to the next. */
export function startGdb(t) {
  const script = join(publicFolder(t), 'frames.py');
  writeFileSync(script, GDB_SCRIPT);
  const program = start(t, GDB, ['-nx', '-q', '-batch', '-x', script], { stdio: ['pipe', 'pipe', 'pipe'] });
  program.child.stdin.on('error', () => {}); // it may end before it is asked
  let read = 0;
  return async (pid) => {
    program.child.stdin.write(`${pid}\n`);
    await until('gdb has looked', () => {
      if (program.over) throw new Error(`gdb ended: ${program.stderr}`);
      return program.stdout.endsWith('done\n') && program.stdout.length > read;
    }, 120);
    const text = program.stdout.slice(read);
    read = program.stdout.length;
    return text;
  };
}

/** Map from thread to {ips: run-time addresses, leaf first, end: what the tool says of the root}. */
function threads(text) {
  const result = new Map();
  for (const block of text.split(/^TID /m).slice(1)) {
    const ips = [...block.matchAll(/^(?:#\d+\s+)?0x([0-9a-f]+)\b/gm)].map((one) => BigInt(`0x${one[1]}`));
    result.set(parseInt(block, 10), { ips, end: /^end (.*)$/m.exec(block)?.[1], text: block });
  }
  return result;
}

/** Whether an address is in memory that may be executed, by /proc/PID/maps as it is now. */
function codeOf(pid) {
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').matchAll(/^([0-9a-f]+)-([0-9a-f]+) ..x/gm);
  const ranges = [...maps].map((one) => [BigInt(`0x${one[1]}`), BigInt(`0x${one[2]}`)]);
  return (ip) => ranges.some(([begin, end]) => begin <= ip && ip < end);
}

/**
 * Stops the process and gives, per thread, its stack as the three see it: [{tid, ours, eu, gdb,
 * end, isCode, text}]. `gdb` is what startGdb() gave; without it nothing is asked of gdb, which is slow.
 */
export async function stacksAtStop(t, pid, gdb) {
  process.kill(pid, 'SIGSTOP');
  try {
    await until('the process stands still', () => processState(pid) === 'T');
    const isCode = codeOf(pid);
    const own = threads((await run(t, toolPath('stack'), [String(pid)])).stdout);
    const eu = threads((await run(t, EU_STACK, ['-q', '-n', '0', '-p', String(pid)])).stdout);
    const third = gdb && threads(await gdb(pid));
    return [...own].map(([tid, { ips, end, text }]) => ({
      tid,
      ours: ips,
      eu: eu.get(tid)?.ips ?? [],
      gdb: third && (third.get(tid)?.ips ?? []),
      end,
      isCode,
      text,
    }));
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

const equal = (left, right) => left.length === right.length && left.every((ip, i) => ip === right[i]);

/**
 * Why a stack differs: {} when it does not, {explained} when the cause is the peer's or is known,
 * {unexplained} with both stacks otherwise.
 */
export function difference({ ours, eu, gdb, end, isCode, text }) {
  const lines = text.split('\n').slice(1);
  const both = (name, peer) => {
    const at = ours.findIndex((ip, i) => ip !== peer[i]);
    const from = Math.max(0, (at < 0 ? ours.length : at) - 3);
    const theirs = peer.slice(from, from + 6).map((ip) => `0x${ip.toString(16)}`);
    const mine = lines.slice(from, from + 6);
    return { unexplained: `frame ${from} on: ours ${mine.join(', ')}; ${name} ${theirs.join(' ')}` };
  };
  let explained;
  if (end === '[truncated stack]' && equal(ours, eu.slice(0, ours.length)))
    return { explained: 'deeper than what perf copies of a stack, 64 KiB; lprofd ends there and says why' };
  if (!equal(ours, eu)) {
    if (!equal(ours, eu.slice(0, ours.length)) || isCode(eu[ours.length])) return both('eu-stack', eu);
    explained = 'eu-stack goes on to an address that is in no code; lprofd ends there and says why';
  }
  if (!gdb) return { explained };
  const theirs = gdb.at(-1) === 0n ? gdb.slice(0, -1) : gdb; // gdb shows the zero that ends a stack
  if (equal(ours, theirs)) return { explained };
  const at = ours.findIndex((ip, i) => ip !== theirs[i]);
  if (lines.slice(0, at < 0 ? ours.length : at).some((line) => line.endsWith(' no CFI')))
    return { explained: 'gdb guesses where there is no call frame information' };
  if (explained) return { explained };
  return both('gdb', gdb);
}

/**
 * Stops a program so many times, asks gdb at every `gdb_every`th, and tells what the stacks were:
 * {stacks, with_gdb, root, explained: {reason: count}, unexplained: [text]}.
 */
export async function compareAtStops(t, program, { stops, gdb_every }) {
  const gdb = startGdb(t);
  const result = { stacks: 0, with_gdb: 0, root: 0, ends: {}, explained: {}, unexplained: [] };
  let target = await startProgram(t, program);
  for (let stop = 0; stop < stops; stop++) {
    await sleep(10 + ((stop * 37) % 50));
    if (target.over && !program.again) throw new Error(`${program.command} ended`);
    if (target.over) target = await startProgram(t, program);
    const stacks = await stacksAtStop(t, target.pid, stop % gdb_every === 0 ? gdb : undefined).catch((error) => {
      if (error.code === 'ESRCH' && program.again) return []; // it ended just then
      throw error;
    });
    for (const stack of stacks) {
      result.stacks++;
      result.with_gdb += stack.gdb !== undefined;
      result.root += stack.end === 'root';
      result.ends[stack.end] = (result.ends[stack.end] ?? 0) + 1;
      const { explained, unexplained } = difference(stack);
      if (explained) result.explained[explained] = (result.explained[explained] ?? 0) + 1;
      if (unexplained) result.unexplained.push(unexplained);
    }
  }
  return result;
}
