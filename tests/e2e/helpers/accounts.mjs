// Sums and times: what a session counts, beside the kernel's books.
import { readFileSync } from 'node:fs';

import { accountedNs, sleep, until } from './processes.mjs';

/** Hits of a paused session: {lines, unknown, total, samples}; the first two make up each of the others. */
export async function sums(daemon) {
  const { samples } = await daemon.get('/sessions/current');
  const { lines, unknown, total } = await daemon.get('/sessions/current/lines?limit=10000');
  const known = lines.reduce((all, one) => all + one.self_hits, 0);
  return { lines: known, unknown: unknown.self_hits, total: total.hits, samples: samples.total };
}

/** The kernel tells user and system time in whole ticks of 10 ms, each cut off. */
const TICKS_NS = 2 * 10e6;

/** CPU time that the hypervisor took from this machine while it had work (proc(5): steal). */
const stolenNs = () => Number(/^cpu +(?:\d+ ){7}(\d+)/.exec(readFileSync('/proc/stat', 'utf8'))[1]) * 10e6;

/**
 * Lets a session run until its process, whose threads may end but which goes on, has used so much
 * CPU time: {session_ns, least_ns, most_ns, stolen_ns, samples, lost}. The session's time lies between what the
 * kernel accounts for the process from after sampling began to before it was to end, and from
 * before to after that.
 */
export async function timeOf(daemon, pid, cpu_seconds) {
  await daemon.pause();
  const first = await daemon.get('/sessions/current');
  const outer = accountedNs(pid);
  await daemon.send('PATCH', '/sessions/current', { state: 'running' });
  await daemon.waitState('running');
  const inner = accountedNs(pid);
  const stolen = stolenNs();
  await until('enough CPU time', () => accountedNs(pid) - inner >= cpu_seconds * 1e9, 300);
  const inner_end = accountedNs(pid);
  await daemon.pause();
  const outer_end = accountedNs(pid);
  await sleep(300); // what is paused has still to be published
  const last = await daemon.get('/sessions/current');
  return {
    session_ns: last.time.accounted_ns - first.time.accounted_ns,
    least_ns: inner_end - inner - TICKS_NS,
    most_ns: outer_end - outer + TICKS_NS,
    stolen_ns: stolenNs() - stolen,
    samples: last.samples.total - first.samples.total,
    lost: last.samples.lost - first.samples.lost,
  };
}
