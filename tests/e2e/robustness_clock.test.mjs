// The wall clock jumps, as when a machine's time is set: only what tells the time of day follows.
import assert from 'node:assert/strict';
import { copyFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { events } from './helpers/http.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { atEnd, sleep, start, startTarget, until } from './helpers/processes.mjs';
import { needsFiles, needsRoot, targetPath, toolPath } from './helpers/programs.mjs';

const HOUR = 3600;
/** By how much the clock is off, one after the other: ahead, behind, another century, right again. */
const SHIFTS = [HOUR, -HOUR, 80 * 365 * 24 * HOUR, 0];

/** An lprofd whose wall clock is `shift(seconds)` ahead of the machine's, without a restart. */
async function startShifted(t, args, { env, ...options } = {}) {
  const file = join(publicFolder(t), 'shift');
  const shift = (seconds) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    writeFileSync(file, bytes, { flag: 'r+' });
  };
  writeFileSync(file, Buffer.alloc(8));
  const preload = {
    LD_PRELOAD: toolPath('clock_shift.so'),
    CLOCK_SHIFT: file,
    ASAN_OPTIONS: `${process.env.ASAN_OPTIONS ?? ''}:verify_asan_link_order=0`, // it comes before ASan
  };
  const daemon = await startDaemon(t, args, { env: { ...process.env, ...env, ...preload }, ...options });
  return { daemon, shift };
}

/** How far a Date header is from our clock, in seconds. */
const ahead = ({ headers }) => (Date.parse(headers.date) - Date.now()) / 1000;

/** Listens to a session's events; `longest()` is the longest time in ms without one. */
function listen(t, daemon) {
  const abort = new AbortController();
  const heard = { count: 0, at: performance.now(), longest: 0, samples: [] };
  const note = () => {
    heard.longest = Math.max(heard.longest, performance.now() - heard.at);
    heard.at = performance.now();
  };
  heard.stop = () => abort.abort();
  heard.ended = (async () => {
    const url = `${daemon.url}/api/v1/sessions/current/events`;
    for await (const { event, data } of events(url, { signal: abort.signal })) {
      note();
      heard.count++;
      if (event === 'session') heard.samples.push(JSON.parse(data).samples.total);
    }
  })().catch((error) => assert.equal(error.name, 'AbortError'));
  atEnd(t, heard.stop);
  return heard;
}

for (const backend of ['perf-cpu', 'ptrace'])
  test(`${backend}: a clock that jumps changes no time that is measured, and stops nothing`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'ratios');
    const { daemon, shift } = await startShifted(t, ['--backend', backend, '--pid', String(target.pid)]);
    const first = await daemon.waitSamples(100);
    assert.ok(Math.abs(Date.parse(first.started_at) - Date.now()) < 60_000, first.started_at);
    const stream = listen(t, daemon);
    const uptime = async () => Number(/^lprofd_uptime_seconds (.*)$/m.exec((await daemon.request('/metrics')).text)[1]);
    const since = { at: performance.now(), duration_ns: first.duration_ns, uptime: await uptime() };
    const elapsed = () => (performance.now() - since.at) / 1000;
    for (const seconds of SHIFTS) {
      const before = await daemon.get('/sessions/current');
      shift(seconds);
      await daemon.waitSamples(before.samples.total + 300);
      const asked = elapsed();
      const session = await daemon.get('/sessions/current');
      assert.equal(session.started_at, first.started_at);
      assert.equal(session.state, 'running');
      const status = await daemon.request('/api/v1/status');
      assert.ok(Math.abs(ahead(status) - seconds) < 30, `${status.headers.date} tells the time of day`);
      const health = await daemon.request('/healthz');
      assert.equal(health.status, 200, health.text);
      const duration = (session.duration_ns - since.duration_ns) / 1e9;
      const up = (await uptime()) - since.uptime;
      const answered = elapsed();
      for (const time of [duration, up])
        assert.ok(time > asked - 5 && time < answered + 5, `${time} s, and ${asked} to ${answered} s passed`);
    }
    stream.stop();
    await stream.ended;
    assert.ok(stream.longest < 30_000, `${stream.longest} ms without an event`);
    assert.ok(stream.samples.every((count, i) => i === 0 || count >= stream.samples[i - 1]));

    shift(-HOUR);
    await daemon.pause();
    const { duration_ns, time } = await daemon.get('/sessions/current');
    const { series, start_ns, step_ns } = await daemon.get('/sessions/current/timeline?step_ns=1000000000');
    const [{ time_ns }] = series;
    assert.equal(start_ns, 0);
    assert.ok(Math.abs(time_ns.length - duration_ns / step_ns) <= 1, `${time_ns.length} steps`);
    for (const one of time_ns.slice(0, -1)) assert.ok(one > 0 && one < 1.2 * step_ns, time_ns.join());
    const sum = time_ns.reduce((a, b) => a + b, 0);
    assert.ok(Math.abs(sum - time.accounted_ns) < 0.02 * sum, `${sum}, accounted ${time.accounted_ns}`);
  });

test('a session that begins while the clock is wrong and a limit of its length', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const { daemon, shift } = await startShifted(t, ['--duration', '4']);
  shift(-HOUR);
  const begun = performance.now();
  const session = await daemon.attach({ pid: target.pid });
  const { started_at } = await daemon.waitSamples(100, { session });
  assert.ok(Math.abs(Date.parse(started_at) - Date.now() + HOUR * 1000) < 60_000, started_at);
  shift(HOUR);
  await daemon.waitState('detached', { session });
  const passed = performance.now() - begun;
  assert.ok(passed > 4000 && passed < 60_000, `${passed} ms`);
  const end = await daemon.get(session);
  assert.equal(end.started_at, started_at);
  assert.ok(Math.abs(end.duration_ns - 4e9) < 3e9, `${end.duration_ns}`);
});

test('a clock that jumps neither ends nor prolongs the wait for a debuginfod server', async (t) => {
  if (!needsRoot(t) || !needsFiles(t, ['/usr/bin/debuginfod'], 'debuginfod')) return;
  const asked = [];
  const server = createServer(() => asked.push(performance.now())); // and never answers
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  const root = publicFolder(t);
  copyFileSync(targetPath('ratios-stripped'), join(root, 'hidden'));
  const target = start(t, join(root, 'hidden'), ['300']);
  const env = {
    DEBUGINFOD_URLS: `http://127.0.0.1:${server.address().port}`,
    DEBUGINFOD_CACHE_PATH: publicFolder(t),
    DEBUGINFOD_TIMEOUT: '15',
  };
  const { daemon, shift } = await startShifted(t, ['--pid', String(target.pid)], { env });
  await until('the server is asked', () => asked.length > 0);
  for (const seconds of SHIFTS) {
    shift(seconds);
    await sleep(1000);
    const { warnings } = await daemon.get('/sessions/current');
    assert.ok(warnings.some((one) => one.startsWith('fetching')), warnings.join());
  }
  await until('the wait is over', async () => {
    const { warnings } = await daemon.get('/sessions/current');
    return warnings.some((one) => /hidden .*the debuginfod server takes too long/.test(one));
  });
  const passed = performance.now() - asked[0];
  assert.ok(passed > 14_000, `${passed} ms`);
});
