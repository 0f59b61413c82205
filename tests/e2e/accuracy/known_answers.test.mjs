// Programs whose profile arithmetic gives, measured by each backend.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lineRow, startDaemon } from '../helpers/daemon.mjs';
import { start, startTarget, threadTimes, until } from '../helpers/processes.mjs';
import { knownLine, needsRoot, targetPath } from '../helpers/programs.mjs';
import { assertShare } from '../helpers/statistics.mjs';

const SAMPLES = 5000;

/** Samples a target until there are enough, holds the numbers and gives the queries on them. */
async function measure(t, name, { source = `${name}.c`, samples = SAMPLES, args = [] } = {}) {
  const target = await startTarget(t, name);
  const daemon = await startDaemon(t, [...args, '--pid', String(target.pid)]);
  await daemon.waitSamples(samples, { seconds: 400 });
  await daemon.pause();
  await daemon.waitNames();
  const query = async (parameters = '') => {
    const document = await daemon.get(`/sessions/current/lines?limit=10000${parameters}`);
    const row = (mark) => lineRow(document, source, knownLine(source, mark));
    const hits = document.total.hits;
    return { document, hits, row };
  };
  const session = await daemon.get('/sessions/current');
  return { target, daemon, query, session };
}

for (const backend of ['perf-cpu', 'perf-task', 'perf-thread', 'ptrace']) {
  const args = ['--backend', backend];
  // Stopping for each sample costs the target time in the kernel, on lines of its own.
  const slack = backend === 'ptrace' ? 0.03 : 0.005;

  test(`${backend}: three lines of work 1 : 2 : 5, as leaves and as callers`, async (t) => {
    if (!needsRoot(t)) return;
    const { query } = await measure(t, 'ratios', { args });
    const { hits, row } = await query();
    for (const [mark, share] of [['one', 1 / 8], ['two', 2 / 8], ['five', 5 / 8]]) {
      assertShare(mark, row(mark).self_hits, hits, share, slack);
      assertShare(`call ${mark}`, row(`call ${mark}`).total_hits, hits, share, slack);
      assert.ok(row(`call ${mark}`).self_hits < hits * 0.02, 'the caller itself is cheap');
    }
  });

  test(`${backend}: recursion counts once per line`, async (t) => {
    if (!needsRoot(t)) return;
    const { query } = await measure(t, 'recursion', { args });
    const { hits, row } = await query('&sort=total');
    // But for the calls themselves, and interrupts while they are made.
    assertShare('work', row('work').total_hits, hits, 1, slack + 0.01);
    // Half of the time is direct recursion, half is mutual; 9 and 8 of 10 levels below the calls.
    assertShare('main direct', row('main direct').total_hits, hits, 0.5, slack);
    assertShare('main ping', row('main ping').total_hits, hits, 0.5, slack);
    assertShare('direct', row('direct').total_hits, hits, 0.45, slack);
    assertShare('ping', row('ping').total_hits, hits, 0.45, slack);
    assertShare('pong', row('pong').total_hits, hits, 0.4, slack);
  });

  test(`${backend}: four threads that share the work 1 : 2 : 3 : 4`, async (t) => {
    if (!needsRoot(t)) return;
    const { daemon, query, target } = await measure(t, 'threads', { args });
    const { hits } = await query();
    const threads = await daemon.get('/sessions/current/threads?limit=100');
    // The threads wait for each other in the kernel, which costs the idle ones a little.
    for (const units of [1, 2, 3, 4]) {
      const thread = threads.find(({ name }) => name === `worker-${units}`);
      assert.ok(thread, JSON.stringify(threads));
      // Time, not samples: ptrace also catches threads that wait for a CPU.
      const share = thread.self_percent / 100;
      assertShare(thread.name, share * hits, hits, units / 10, slack + 0.01);
      const filtered = await query(`&tid=${thread.tid}`);
      assert.equal(filtered.hits, thread.self_hits);
      if (backend !== 'ptrace')
        assertShare('its work', filtered.row('work').self_hits, filtered.hits, 1, slack + 0.03);
    }
    assert.equal(threadTimes(target.pid).length, 5);
  });
}

for (const name of ['inlines', 'inlines-dwarf4', 'inlines-dwarf5']) {
  test(`${name}: an inlined line, where it is written and where it is called from`, async (t) => {
    if (!needsRoot(t)) return;
    const { query, daemon } = await measure(t, name, { source: 'inlines.c' });
    const written = await query('&inlines=written');
    assertShare('written', written.row('written').self_hits, written.hits, 1);
    assertShare('between', written.row('between').total_hits, written.hits, 1);
    assertShare('quarter', written.row('quarter').total_hits, written.hits, 1 / 4);
    const called = await query('&inlines=called');
    assertShare('quarter', called.row('quarter').self_hits, called.hits, 1 / 4);
    assertShare('rest', called.row('three quarters').self_hits, called.hits, 3 / 4);
    assert.equal(called.row('written').self_hits, 0);
    const { functions } = await daemon.get('/sessions/current/functions?limit=1000');
    const names = functions.map((row) => row.function);
    for (const wanted of ['innermost', 'between', 'quarter', 'three_quarters'])
      assert.ok(names.includes(wanted), names.join());
  });
}

test('debug information in a file of its own gives the same lines', async (t) => {
  if (!needsRoot(t)) return;
  const { query } = await measure(t, 'ratios-split', { source: 'ratios.c', samples: 2000 });
  const { hits, row } = await query();
  assertShare('five', row('five').self_hits, hits, 5 / 8);
});

test('without debug information nothing is invented, and all is counted', async (t) => {
  if (!needsRoot(t)) return;
  const { query, session } = await measure(t, 'ratios-stripped', { samples: 1000 });
  const { document } = await query();
  const known = document.lines.reduce((sum, row) => sum + row.self_hits, 0);
  assert.equal(known + document.unknown.self_hits, session.samples.total);
  assert.ok(!document.lines.some(({ path }) => path.endsWith('ratios.c')));
  assert.ok(document.unknown.self_hits > 0.9 * session.samples.total);
});

test('primes: the two inner lines take 99 %', async (t) => {
  if (!needsRoot(t)) return;
  const { query } = await measure(t, 'primes');
  const { hits, row } = await query();
  assertShare('both', row('loop').self_hits + row('divide').self_hits, hits, 0.995, 0.005);
});

test('frames of every shape reach the root', async (t) => {
  if (!needsRoot(t)) return;
  const { query, session } = await measure(t, 'frames');
  const { hits, row } = await query();
  assertShare('leaf', row('leaf').self_hits, hits, 0.99, 0.02);
  const { total, unwound_to_root: whole } = session.samples;
  assert.ok(whole >= 0.99 * total, `${whole} of ${total}`);
});

test('a stack that crosses a signal frame reaches the root', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, session } = await measure(t, 'handler', { samples: 1500 });
  const { total, unwound_to_root: whole } = session.samples;
  assert.ok(whole >= 0.99 * total, `${whole} of ${total}`);
  const { functions } = await daemon.get('/sessions/current/functions?sort=total&limit=1000');
  for (const name of ['handler_work', 'wait_for_signals', 'main'])
    assert.ok(functions.find((row) => row.function === name)?.total_percent > 90, name);
});

test('a stack deeper than its copy is counted, and says that it was cut', async (t) => {
  if (!needsRoot(t)) return;
  const { query, session } = await measure(t, 'deep');
  const { total, truncated_stacks: cut, unwound_to_root: whole } = session.samples;
  assert.ok(cut > 0 && cut + whole <= total && cut + whole >= 0.99 * total, JSON.stringify(session));
  const { document, hits, row } = await query('&sort=total');
  assertShare('bottom', row('bottom').self_hits, hits, 0.95, 0.05);
  const known = document.lines.reduce((sum, one) => sum + one.self_hits, 0);
  assert.equal(known + document.unknown.self_hits, total);
});

for (const backend of ['perf-cpu', 'perf-task', 'perf-thread', 'ptrace']) {
  test(`${backend}: more is copied of stacks that are deeper, until they fit`, async (t) => {
    if (!needsRoot(t)) return;
    const target = await startTarget(t, 'deep', { args: ['300', '160'] }); // about 40 KB
    const daemon = await startDaemon(t, ['--backend', backend, '--pid', String(target.pid)]);
    const { stack_bytes: bytes } = await until('copies are large enough', async () => {
      const session = await daemon.get('/sessions/current');
      return session.stack_bytes > 40000 && session;
    }, 120);
    assert.equal(bytes, 65000);
    const { samples: before } = await daemon.waitSamples(1000, { seconds: 400 });
    const { samples, warnings } = await daemon.waitSamples(before.total + 1000, { seconds: 400 });
    assert.equal(samples.truncated_stacks, before.truncated_stacks, 'no stack was truncated since');
    assert.ok(samples.unwound_to_root >= 0.99 * (samples.total - samples.truncated_stacks), JSON.stringify(samples));
    assert.ok(samples.truncated_stacks >= 20, 'those before are told');
    assert.ok(warnings.some((text) => /first \d+\.\d s were deeper.* 65000 bytes are copied instead of 16384/.test(text)), warnings.join());
  });
}

test('as much of each stack is copied as was asked for', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'deep');
  const daemon = await startDaemon(t, ['--stack-size', '16384', '--pid', String(target.pid)]);
  const { stack_bytes: bytes, samples, warnings } = await daemon.waitSamples(1000, { seconds: 400 });
  assert.equal(bytes, 16384);
  assert.ok(samples.truncated_stacks > 0.9 * samples.total, JSON.stringify(samples));
  assert.ok(warnings.some((text) => /raise --stack-size/.test(text)), warnings.join());
});

test('children that are followed are still sampled when more is copied of stacks', async (t) => {
  if (!needsRoot(t)) return;
  const deep = `setpriv --pdeathsig KILL ${targetPath('deep')}`;
  const script = `${deep} 300 20 & sleep 2; ${deep} 300 160 & sleep 2; ${deep} 300 160 & wait`;
  for (const backend of ['perf-cpu', 'perf-task']) {
    const shell = start(t, '/bin/sh', ['-c', script]);
    const daemon = await startDaemon(t, ['--follow', '--backend', backend, '--pid', String(shell.pid)]);
    await until(`${backend}: three of them have samples, and the copies are large`, async () => {
      const { stack_bytes: bytes } = await daemon.get('/sessions/current');
      const threads = await daemon.get('/sessions/current/threads');
      return bytes === 65000 && threads.filter(({ self_hits: hits }) => hits > 100).length === 3;
    }, 120);
    const { samples } = await daemon.get('/sessions/current');
    assert.ok(samples.unwound_to_root + samples.truncated_stacks >= 0.99 * samples.total, JSON.stringify(samples));
    await daemon.stop();
    shell.kill('SIGKILL');
  }
});

test('a sleeper costs what it uses, not what it sleeps', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'sleeper');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const session = await until('10 s of it', async () => {
    const document = await daemon.get('/sessions/current');
    return document.duration_ns > 10e9 && document;
  });
  // About 1 ms of work in 50: a few per cent of 10 s at most, but not nothing.
  assert.ok(session.samples.total > 20 && session.samples.total < 2000, `${session.samples.total}`);
  const cpu = session.time.accounted_ns / session.duration_ns;
  assert.ok(cpu > 0.005 && cpu < 0.2, `${cpu}`);
});

test('ptrace: short bursts of work are shown where they are, not where they are waited for', async (t) => {
  if (!needsRoot(t)) return;
  const { query } = await measure(t, 'bursts', { samples: 200, args: ['--backend', 'ptrace'] });
  const { row } = await query();
  const { self_percent: share } = row('burst');
  assert.ok(share > 75, `${share} %`);
});

test('kernel time is seen, and can be counted at the line that asked for it', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, query } = await measure(t, 'syscalls');
  const { functions } = await daemon.get('/sessions/current/functions?limit=10000');
  const kernel = functions.filter(({ module }) => /kernel/.test(module));
  const share = kernel.reduce((sum, row) => sum + row.self_percent, 0);
  assert.ok(share > 80, `${share} % in ${kernel.length} kernel functions`);
  const { row, hits } = await query('&kernel=0&sort=total');
  const asked = row('write').total_hits + row('read').total_hits;
  assertShare('write and read', asked, hits, 0.99, 0.02);
  const names = (await daemon.get('/sessions/current/functions?kernel=0&limit=10000')).functions;
  assert.ok(!names.some(({ module }) => /kernel/.test(module)));
});

test('C++ names are readable', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, query } = await measure(t, 'shapes', { source: 'shapes.cpp' });
  const { hits, row } = await query();
  assertShare('circle', row('circle').self_hits, hits, 3 / 4);
  assertShare('base', row('base').self_hits, hits, 1 / 4);
  const { functions } = await daemon.get('/sessions/current/functions?limit=1000');
  assert.ok(functions.some((one) => /Circle<.*>::area/.test(one.function)));
  assert.ok(!functions.some((one) => one.function.startsWith('_ZN')));
});
