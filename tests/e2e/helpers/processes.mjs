// Starts programs and ends exactly those it started.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { targetPath } from './programs.mjs';

export { sleep };

/** Polls until `probe` gives something true, and gives that; fails after `seconds`. */
export async function until(what, probe, seconds = 90) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

const endings = new WeakMap();

/** Calls `end` when the test ends: last come, first called, and each is called whatever others do. */
export function atEnd(t, end) {
  if (!endings.has(t)) {
    endings.set(t, []);
    t.after(async () => {
      const failures = [];
      for (const one of endings.get(t).reverse())
        await Promise.resolve().then(one).catch((failure) => failures.push(failure));
      if (failures.length > 0) throw failures[0];
    });
  }
  endings.get(t).push(end);
}

/**
 * Starts a program. The result has its pid, what it wrote so far (`stdout`, `stderr`), and `ended`,
 * a promise of {code, signal}. It is killed when the test `t` ends.
 */
export function start(t, command, args = [], options = {}) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
  const program = { pid: child.pid, child, stdout: '', stderr: '', over: false };
  child.stdout?.setEncoding('utf8').on('data', (text) => (program.stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text) => (program.stderr += text));
  program.ended = new Promise((settle) => {
    const end = (code, signal, error) => {
      program.over = true;
      settle({ code, signal, error });
    };
    child.on('close', (code, signal) => end(code, signal));
    child.on('error', (error) => end(null, null, error));
  });
  program.kill = (signal) => !program.over && process.kill(program.pid, signal);
  atEnd(t, async () => {
    if (!program.over) child.kill('SIGKILL');
    await program.ended;
  });
  return program;
}

/** Runs a program to its end: {code, signal, stdout, stderr}. `input` is its standard input. */
export async function run(t, command, args = [], { seconds = 120, input, ...options } = {}) {
  const stdio = [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'];
  const program = start(t, command, args, { stdio, ...options });
  program.child.stdin?.on('error', () => {}).end(input); // it may end without reading all
  const timer = setTimeout(() => program.kill('SIGKILL'), seconds * 1000);
  const { code, signal, error } = await program.ended;
  clearTimeout(timer);
  if (error) throw error;
  return { code, signal, stdout: program.stdout, stderr: program.stderr };
}

/** Starts a target program and waits until it is at work. */
export async function startTarget(t, name, { args = ['300'], ...options } = {}) {
  const target = start(t, targetPath(name), args, options);
  await until(`${name} says ready`, () => {
    if (target.over) throw new Error(`${name} ended: ${target.stderr}`);
    return target.stdout.includes('ready');
  });
  return target;
}

export function isAlive(pid) {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

/** State letter of /proc/PID/stat: R, S, T, t, Z, ... */
export function processState(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2)[0];
}

/** CPU time that the kernel accounts for a process, in ns (utime + stime, in ticks of 10 ms). */
export function accountedNs(pid) {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10_000_000;
}

/** [{tid, name, ns}]: CPU time of the threads alive, by the scheduler's books. */
export function threadTimes(pid) {
  return readdirSync(`/proc/${pid}/task`).map((tid) => ({
    tid: Number(tid),
    name: readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim(),
    ns: Number(readFileSync(`/proc/${pid}/task/${tid}/schedstat`, 'utf8').split(' ')[0]),
  }));
}

/** State letters of the threads alive, as processState() gives that of the first. */
export const threadStates = (pid) =>
  readdirSync(`/proc/${pid}/task`).map((tid) => processState(`${pid}/task/${tid}`));

/** What the descriptors of a process refer to. */
export function openFiles(pid) {
  return readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return []; // closed meanwhile
    }
  });
}

/** Threads, files and state of the process itself: true when it is stopped or being traced. */
export const isStopped = (pid) => 'Tt'.includes(processState(pid));
