// A session from its beginning to its end, with the backends that every machine can have.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

import { lineRow, startDaemon } from './helpers/daemon.mjs';
import {
  isAlive,
  isStopped,
  openFiles,
  run,
  sleep,
  start,
  startTarget,
  until,
} from './helpers/processes.mjs';
import { LPROF, LPROFD, knownLine, needsRoot, targetPath } from './helpers/programs.mjs';

const BACKENDS = ['perf-cpu', 'perf-task', 'perf-thread', 'ptrace'];

for (const backend of BACKENDS) {
  const args = ['--backend', backend];

  test(`${backend}: attaching by --pid shows the hot line of a running program`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'ratios');
    const daemon = await startDaemon(t, [...args, '--pid', String(target.pid)]);
    const session = await daemon.waitSamples(300);
    assert.equal(session.state, 'running');
    assert.equal(session.pid, target.pid);
    assert.equal(session.backend, backend);
    assert.match(session.executable, /\/ratios$/);
    assert.match(session.command, /ratios 300$/);
    assert.equal(session.frequency_hz, 997);
    assert.equal(session.threads, 1);
    const hottest = await until('the hottest line has its name', async () => {
      const { lines } = await daemon.get('/sessions/current/lines?limit=1');
      return lines[0]?.line > 0 && lines[0];
    });
    assert.equal(hottest.line, knownLine('ratios.c', 'five'));
    assert.match(hottest.path, /tests\/targets\/ratios\.c$/);
    assert.equal(hottest.function, 'five');
  });

  test(`${backend}: launching profiles from the first instruction`, async (t) => {
    if (!needsRoot(t)) return;
    const daemon = await startDaemon(t, [...args, '--', targetPath('ratios'), '4']);
    const session = await daemon.waitState('exited');
    assert.match(daemon.program.stdout, /^ready$/m, "the command's stdio is its own");
    // It worked for 4 s as far as others left it a CPU; lprofd saw all of that but for an instant.
    const sampled = session.time.sampled_ns / 1e9; // a ptrace sample may stand for several periods
    const accounted = session.time.accounted_ns / 1e9;
    assert.ok(accounted > 0.1, `${accounted} s`);
    // A tick of ptrace that came too late for the end leaves the last stretch out.
    const least = backend === 'ptrace' ? 0.4 : 0.8;
    assert.ok(sampled > least * accounted, `${sampled} s sampled of ${accounted} s`);
    await daemon.waitNames();
    const functions = await daemon.get('/sessions/current/functions?limit=10000');
    const names = functions.functions.map((row) => row.function);
    assert.ok(names.includes('five') && names.includes('main'), names.join());
    const threads = await daemon.get('/sessions/current/threads');
    assert.deepEqual(threads.map(({ tid, name }) => [tid, name]), [[session.pid, 'ratios']], 'samples of its last moments are its own');
    assert.deepEqual([session.threads, session.threads_seen], [0, 1]);
    const report = await run(t, LPROF, ['report', daemon.url]);
    assert.match(report.stdout, / of CPU time in .*, 1 thread; /);
    const { lines, unknown } = await daemon.get('/sessions/current/lines?limit=10000');
    const rows = lines.reduce((all, row) => all + row.self_time_ns, unknown.self_time_ns);
    const { accounted_ns, unsampled_ns } = session.time;
    assert.ok(Math.abs(rows - accounted_ns) < 1e-5 * accounted_ns, `${rows} ns in rows, ${accounted_ns} ns in all`);
    assert.equal(unsampled_ns, 0);
  });

  test(`${backend}: a command that ends at once has one thread, with its own name`, async (t) => {
    if (!needsRoot(t)) return;
    for (let i = 0; i < 3; i++) {
      const daemon = await startDaemon(t, [...args, '--', 'true']);
      const session = await daemon.waitState('exited');
      const threads = await daemon.get('/sessions/current/threads');
      assert.deepEqual(threads.map(({ tid, name }) => [tid, name]), [[session.pid, 'true']]);
      assert.deepEqual([session.threads, session.threads_seen], [0, 1]);
      await daemon.stop();
    }
  });

  test(`${backend}: the target's end keeps the data`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'ratios');
    const daemon = await startDaemon(t, [...args, '--pid', String(target.pid)]);
    const before = await daemon.waitSamples(200);
    target.kill('SIGKILL');
    const after = await daemon.waitState('exited');
    assert.ok(after.samples.total >= before.samples.total);
    await daemon.waitNames();
    const { lines } = await daemon.get('/sessions/current/lines');
    assert.ok(lineRow({ lines }, 'ratios.c', knownLine('ratios.c', 'five')).self_hits > 50);
    const again = await daemon.send('PATCH', '/sessions/current', { state: 'running' });
    assert.ok(again.status >= 400 && again.status < 500, 'the dead cannot be resumed');
  });

  test(`${backend}: pause holds the numbers, resume lets them grow`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'ratios');
    const daemon = await startDaemon(t, [...args, '--pid', String(target.pid)]);
    await daemon.waitSamples(200);
    const paused = await daemon.pause();
    await sleep(1500);
    const later = await daemon.get('/sessions/current');
    // Samples that were under way when the pause came may still arrive; 1.5 s of them may not.
    assert.ok(later.samples.total - paused.samples.total < 300, JSON.stringify(later.samples));
    await daemon.waitNames();
    const first = await daemon.get('/sessions/current/lines');
    await sleep(500);
    assert.deepEqual(await daemon.get('/sessions/current/lines'), first);
    assert.equal(isStopped(target.pid), false, 'pausing the profile does not pause the target');
    const resumed = await daemon.send('PATCH', '/sessions/current', { state: 'running' });
    assert.equal(resumed.status, 200, resumed.text);
    await daemon.waitSamples(later.samples.total + 200);
  });

  test(`${backend}: detaching ends sampling; target and data stay`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'threads');
    const daemon = await startDaemon(t, args);
    const idleFiles = openFiles(daemon.pid).length;
    const path = await daemon.attach({ pid: target.pid });
    await daemon.waitSamples(200);
    const response = await daemon.request(`/api/v1${path}`, { method: 'DELETE' });
    assert.ok([200, 202, 204].includes(response.status), response.text);
    const session = await daemon.waitState('detached', { session: path });
    await sleep(500);
    const later = await daemon.get(path);
    assert.deepEqual(later.samples, session.samples);
    await until('its lines', async () => (await daemon.get(`${path}/lines`)).lines.length > 0);
    assert.ok(isAlive(target.pid) && !isStopped(target.pid));
    const events = openFiles(daemon.pid).filter((link) => /perf_event|bpf/.test(link));
    assert.deepEqual(events, []);
    const forgotten = await daemon.request(`/api/v1${path}?forget=1`, { method: 'DELETE' });
    assert.ok(forgotten.status < 300, forgotten.text);
    assert.equal((await daemon.request(`/api/v1${path}`)).status, 404);
    const left = () => openFiles(daemon.pid);
    await until('nothing is left open', () => left().length <= idleFiles + 2).catch((error) =>
      assert.fail(`${error.message}: ${left()}`),
    );
  });

  test(`${backend}: idle start, then attach over REST, twice`, async (t) => {
    if (!needsRoot(t)) return;
    const targets = [await startTarget(t, 'ratios'), await startTarget(t, 'inlines')];
    const daemon = await startDaemon(t, args);
    assert.deepEqual((await daemon.get('/status')).sessions, []);
    const paths = [];
    for (const target of targets)
      paths.push(await daemon.attach({ pid: target.pid, frequency_hz: 499 }));
    for (const [i, path] of paths.entries()) {
      const session = await daemon.waitSamples(100, { session: path });
      assert.equal(session.pid, targets[i].pid);
      assert.equal(session.frequency_hz, 499);
    }
    assert.equal((await daemon.get('/status')).sessions.length, 2);
    assert.equal((await daemon.get('/sessions/current')).pid, targets[1].pid);
    const listed = await daemon.get('/processes');
    const row = (listed.processes ?? listed).find(({ pid }) => pid === targets[0].pid);
    assert.match(row.command, /ratios/);
  });

  test(`${backend}: the target survives kill -9 of lprofd`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'threads');
    const daemon = await startDaemon(t, [...args, '--pid', String(target.pid)]);
    await daemon.waitSamples(200);
    await daemon.kill();
    await sleep(500);
    assert.ok(isAlive(target.pid) && !isStopped(target.pid));
    const again = await startDaemon(t, [...args, '--pid', String(target.pid)]);
    await again.waitSamples(100);
  });

  test(`${backend}: threads that come later are sampled, those that went stay known`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'briefthreads');
    const daemon = await startDaemon(t, [...args, '--pid', String(target.pid)]);
    await daemon.waitSamples(500);
    const threads = await daemon.get('/sessions/current/threads?limit=10000');
    const brief = threads.filter(({ tid, self_time_ns }) => tid !== target.pid && self_time_ns > 0);
    assert.ok(brief.length > 20, `${brief.length} of the short threads were seen`);
    assert.ok(brief.some(({ state }) => state === 'exited'));
    const named = brief.filter(({ name }) => name === 'briefthreads');
    assert.ok(named.length > 0.9 * brief.length, `${named.length} of ${brief.length} have the name of their parent`);
  });

  test(`${backend}: where threads come and go all the time, those that are there are counted`, async (t) => {
    if (!needsRoot(t)) return;
    const creators = 12;
    const target = await startTarget(t, 'storm', { args: [String(creators), '20000', '120'] });
    const daemon = await startDaemon(t, [...args, '--pid', String(target.pid)]);
    const first = await daemon.waitState('running'); // brief threads have few samples, or none
    const told = [];
    await until('3 s are over', async () => {
      const { threads, duration_ns } = await daemon.get('/sessions/current');
      told.push(threads);
      return duration_ns > first.duration_ns + 3e9;
    });
    // A count is as old as the last record that was read, so that it now and then has some too many.
    const usual = told.toSorted((a, b) => a - b)[Math.floor(told.length / 2)];
    const most = 1 + 2 * creators;
    assert.ok(usual > creators && usual < 2 * most, `${usual} of at most ${most}: ${told}`);
  });
}

test('perf-cpu never stops the target', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--backend', 'perf-cpu', '--pid', String(target.pid)]);
  for (const deadline = Date.now() + 2000; Date.now() < deadline; )
    assert.equal(isStopped(target.pid), false);
  assert.ok((await daemon.get('/sessions/current')).samples.total > 0);
});

test('the automatic backend is perf-cpu for root, and says why', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'sleeper');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  assert.equal((await daemon.get('/sessions/current')).backend, 'perf-cpu');
});

for (const [who, args] of [['its main thread', []], ['another thread', ['thread']]])
  for (const backend of BACKENDS)
    test(`${backend}: what follows exec by ${who} is profiled under its new names`, async (t) => {
      if (!needsRoot(t)) return;
      const target = await startTarget(t, 'execs', { args: ['60', ...args] });
      const daemon = await startDaemon(t, ['--backend', backend, '--pid', String(target.pid)]);
      const after = knownLine('execs.c', 'after');
      await until('the line after exec', async () => {
        const document = await daemon.get('/sessions/current/lines?limit=100');
        return lineRow(document, 'execs.c', after).self_hits > 300;
      });
      const document = await daemon.get('/sessions/current/lines?limit=100');
      assert.ok(lineRow(document, 'execs.c', knownLine('execs.c', 'before')).self_hits > 100);
      const session = await until('the thread that was is gone', async () => {
        const now = await daemon.get('/sessions/current'); // some backends see that once a second only
        return now.threads === 1 && now;
      });
      assert.equal(session.state, 'running');
      // What a thread used before it became the main one counts once.
      const threads = await daemon.get('/sessions/current/threads');
      const sum = threads.reduce((all, { self_time_ns }) => all + self_time_ns, 0);
      assert.ok(Math.abs(sum / session.time.accounted_ns - 1) < 0.15, `${sum} ns by thread, ${session.time.accounted_ns} ns in all`);
    });

test('the command that lprofd started ends with it, whatever else is profiled by then', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'sleeper');
  const daemon = await startDaemon(t, ['--', targetPath('ratios'), '300']);
  const { pid } = await daemon.waitSamples(100);
  await daemon.attach({ pid: target.pid });
  await daemon.stop();
  await until('the command has ended', () => !isAlive(pid));
  assert.ok(isAlive(target.pid), 'what was attached to lives on');
});

const perfEvents = (daemon) => openFiles(daemon.pid).filter((link) => link.includes('perf_event'));

for (const moment of ['while it is sampled', 'while sampling is paused'])
  test(`perf-thread: a thread that executes a program ${moment} has one event afterwards`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'execs', { args: ['120', 'thread'] });
    const daemon = await startDaemon(t, ['--backend', 'perf-thread', '--pid', String(target.pid)]);
    const pauses = moment.includes('paused');
    if (pauses) await daemon.pause();
    const hasExecuted = () => readFileSync(`/proc/${target.pid}/cmdline`, 'utf8') === 'execs\0after\0';
    await until('it executes the other program', hasExecuted);
    if (pauses) await daemon.send('PATCH', '/sessions/current', { state: 'running' });
    const first = await daemon.waitState('running');
    const looked = await until('all threads were looked for twice', async () => {
      const session = await daemon.get('/sessions/current');
      return session.duration_ns > first.duration_ns + 3e9 && session;
    });
    assert.ok(looked.samples.total > 0);
    assert.equal(perfEvents(daemon).length, 1);
  });

test('children are not profiled unless asked for', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startDaemon(t, ['--', targetPath('children'), '60']);
  await daemon.waitSamples(500);
  await daemon.waitNames();
  const { functions } = await daemon.get('/sessions/current/functions');
  assert.ok(functions.some((row) => row.function === 'parent_work'));
  assert.ok(!functions.some((row) => row.function === 'child_work'));
});

for (const backend of ['perf-cpu', 'perf-task'])
  test(`${backend}: --follow profiles children, each under its own process`, async (t) => {
    if (!needsRoot(t)) return;
    const args = ['--backend', backend, '--follow', '--', targetPath('children'), '60'];
    const daemon = await startDaemon(t, args);
    const session = await daemon.waitSamples(1000);
    assert.equal(session.processes, 2);
    const names = await until('both are seen', async () => {
      const { functions } = await daemon.get('/sessions/current/functions');
      const seen = functions.filter((row) => row.self_hits > 100).map((row) => row.function);
      return seen.includes('parent_work') && seen.includes('child_work') && seen;
    });
    assert.ok(names.length >= 2);
    const threads = await daemon.get('/sessions/current/threads');
    const busy = threads.filter((thread) => thread.self_hits > 100);
    assert.equal(new Set(busy.map((thread) => thread.pid)).size, 2);
  });

for (const backend of ['perf-cpu', 'perf-task'])
  test(`${backend}: --follow takes in children that ran before it attached`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'children');
    const args = ['--backend', backend, '--follow', '--pid', String(target.pid)];
    const daemon = await startDaemon(t, args);
    const session = await daemon.waitSamples(500);
    assert.equal(session.processes, 2);
    await until('both are seen', async () => {
      const { functions } = await daemon.get('/sessions/current/functions');
      const hits = (name) => functions.find((row) => row.function === name)?.self_hits ?? 0;
      return hits('parent_work') > 100 && hits('child_work') > 100;
    });
    const { time } = await daemon.get('/sessions/current');
    const difference = Math.abs(time.sampled_ns - time.accounted_ns);
    assert.ok(difference < 0.2 * time.accounted_ns + 2e8, JSON.stringify(time));
  });

test('a target that waits while its children work says so and names --follow', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startDaemon(t, ['--', '/bin/sh', '-c', `setpriv --pdeathsig KILL ${targetPath('ratios')} 300; :`]);
  const warning = await until('it is told', async () => {
    const { warnings } = await daemon.get('/sessions/current');
    return warnings.find((text) => text.includes('child processes'));
  });
  assert.match(warning, /child processes \([01] now\) used [0-9.]+ s .* itself 0\.0 s: .*--follow/);
});

test('--follow goes through fork and exec, and every sample is accounted for', async (t) => {
  if (!needsRoot(t)) return;
  const script = `for i in 1 2 3; do ${targetPath('ratios')} 1 >/dev/null; done`;
  const daemon = await startDaemon(t, ['--follow', '--', '/bin/sh', '-c', script]);
  const session = await daemon.waitState('exited');
  await daemon.waitNames();
  const document = await daemon.get('/sessions/current/lines?limit=10000');
  assert.ok(lineRow(document, 'ratios.c', knownLine('ratios.c', 'five')).self_hits > 20); // of three seconds, on any machine
  const sum = document.lines.reduce((hits, row) => hits + row.self_hits, 0);
  assert.equal(sum + document.unknown.self_hits, session.samples.total);
});

test('a backend that cannot follow children says so', async (t) => {
  if (!needsRoot(t)) return;
  const args = ['--backend', 'ptrace', '--follow', '--', 'true'];
  const { code, stderr } = await run(t, LPROFD, args);
  assert.equal(code, 1);
  assert.match(stderr, /cannot follow children/);
});

test('--duration ends sampling, not the target', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const { code, stdout, stderr } = await run(t, LPROFD, [
    ...['--pid', String(target.pid), '--duration', '2', '--no-http'],
  ]);
  assert.equal(code, 0, stderr);
  assert.match(stdout, /ratios\.c/);
  assert.ok(isAlive(target.pid) && !isStopped(target.pid));
});

test('a command that ends after --duration leaves no zombie', async (t) => {
  if (!needsRoot(t)) return;
  const daemon = await startDaemon(t, ['--duration', '1', '--', targetPath('ratios'), '4']);
  const { pid } = await daemon.waitState('detached');
  await until('it is gone', () => !existsSync(`/proc/${pid}`));
  assert.equal((await daemon.request('/healthz')).status, 200);
});

test('Ctrl-C ends lprofd quickly and with success', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const program = start(t, LPROFD, ['--listen', '127.0.0.1:0', '--pid', String(target.pid)]);
  await until('its URL', () => program.stdout.includes('http://'));
  program.kill('SIGINT');
  const { code } = await program.ended;
  assert.equal(code, 0, program.stderr);
  assert.ok(isAlive(target.pid));
});
