// Memory: what is too much for --memory-limit goes and is said to go; what an answer took comes back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { sleep, startTarget, until } from './helpers/processes.mjs';
import { SANITIZED, needsRoot } from './helpers/programs.mjs';

const resident = (pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;

/** A target of many short threads, each of which is a new row in everything. */
const startChurn = (t, pauseUs) => startTarget(t, 'churn', { args: [String(pauseUs), '300'] });

test('at a small memory limit the oldest goes, the rest adds up, and it is said', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startChurn(t, 1);
  const args = ['--memory-limit', '1M', '--frequency', '9973', '--pid', String(target.pid)];
  const daemon = await startDaemon(t, args);
  const forgetful = await until(
    'something is forgotten',
    async () => {
      const session = await daemon.get('/sessions/current');
      return session.knows_since_ns > 0 && session;
    },
    240,
  );
  assert.ok(forgetful.warnings.some((text) => /was forgotten.*memory limit/.test(text)), forgetful.warnings.join());
  await daemon.waitSamples(forgetful.samples.total + 500);
  await daemon.pause();
  const session = await daemon.get('/sessions/current');
  const { lines, unknown, total } = await daemon.get('/sessions/current/lines?limit=10000');
  assert.ok(total.hits > 0 && total.hits < session.samples.total, JSON.stringify(total));
  assert.equal(lines.reduce((sum, row) => sum + row.self_hits, unknown.self_hits), total.hits);
  const { series, start_ns, step_ns } = await daemon.get('/sessions/current/timeline?step_ns=100000000');
  const known = Math.floor((session.knows_since_ns - start_ns) / step_ns);
  for (const { time_ns } of series)
    assert.ok(time_ns.slice(0, known).every((time) => time === 0), 'nothing is invented for what is forgotten');
});

test('what large answers took is given back', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startChurn(t, 1);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await until('2000 threads came and went', async () => {
    const threads = await daemon.get('/sessions/current/threads?limit=10000');
    return threads.length >= 2000;
  }, 200);
  await daemon.pause();
  const base = resident(daemon.pid);
  const path = '/api/v1/sessions/current/timeline?step_ns=';
  let bytes = 0;
  const turns = SANITIZED ? 1 : 6;
  for (let turn = 0; turn < turns; turn++) {
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, i) => daemon.request(`${path}${1_000_000 + 8 * turn + i}`, { seconds: 120 })),
    );
    for (const { body } of answers) bytes += body.length;
  }
  assert.ok(bytes > turns * 15e6, `the answers are large: ${bytes} bytes in all`);
  await sleep(1000);
  // The cache of answers may hold 32 MiB.
  const grown = resident(daemon.pid) - base;
  if (!SANITIZED) assert.ok(grown < 64 * 2 ** 20, `${grown} bytes more`);
});
