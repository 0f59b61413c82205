// Stacks through code that says little about itself: to the root, or an honest end.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lineRow, startDaemon } from './helpers/daemon.mjs';
import { startTarget } from './helpers/processes.mjs';
import { knownLine, needsRoot } from './helpers/programs.mjs';

/** Samples a target and gives its session and its functions, most expensive with callees first. */
async function measure(t, name, { source = `${name}.c`, args = ['300'], options = [] } = {}) {
  const target = await startTarget(t, name, { args });
  const daemon = await startDaemon(t, [...options, '--pid', String(target.pid)]);
  await daemon.waitSamples(2000);
  await daemon.pause();
  await daemon.waitNames();
  const { functions } = await daemon.get('/sessions/current/functions?sort=total&limit=1000');
  const lines = await daemon.get('/sessions/current/lines?sort=total&limit=1000');
  return {
    samples: (await daemon.get('/sessions/current')).samples,
    functions,
    warnings: (await daemon.get('/sessions/current')).warnings,
    total: (function_) => functions.find((row) => row.function === function_)?.total_percent ?? 0,
    line: (mark) => lineRow(lines, source, knownLine(source, mark)).total_percent,
  };
}

const assertNear = (what, value, expected, slack = 5) =>
  assert.ok(Math.abs(value - expected) <= slack, `${what}: ${value}, expected ${expected}`);

for (const pack of ['none', 'zlib', 'zstd']) {
  test(`.debug_frame (compression ${pack}) is used where there is no .eh_frame`, async (t) => {
    if (!needsRoot(t)) return;
    const { samples, line } = await measure(t, `recursion-debug-frame-${pack}`, { source: 'recursion.c' });
    const { total, unwound_to_root: whole } = samples;
    assert.ok(whole >= 0.99 * total, JSON.stringify(samples));
    assertNear('direct', line('direct'), 45);
    assertNear('ping', line('ping'), 45);
    assertNear('pong', line('pong'), 40);
  });
}

test('assembly with a frame pointer reaches the root; without any frame it says so', async (t) => {
  if (!needsRoot(t)) return;
  const { samples, functions, total, line, warnings } = await measure(t, 'assembly');
  assertNear('framed', total('framed'), 75);
  assertNear('bare', total('bare'), 25);
  assertNear('the call of framed', line('framed'), 75);
  assertNear('main', line('main framed'), 75);
  assertNear('to the root', (100 * samples.unwound_to_root) / samples.total, 75);
  assertNear('by frame pointer', (100 * samples.frame_pointer_stacks) / samples.total, 75);
  assertNear('the reason', total('[no unwind information]'), 25);
  // Nothing was made up: bare was called by call_bare, and who cannot know does not name others.
  assert.ok(line('main bare') < 2, JSON.stringify(functions));
  const advice = /without unwind information, most of them in \/.*\/assembly: build it with unwind tables/;
  assert.ok(warnings.some((text) => advice.test(text)), `${warnings}`);
});

test('a program that begins with a function in C has that one as its root', async (t) => {
  if (!needsRoot(t)) return;
  const { samples, total, line } = await measure(t, 'begins');
  assertNear('work', total('work'), 100, 2);
  assertNear('begin', total('begin'), 100, 2);
  assertNear('the call', line('call'), 100, 2);
  const { total: all, unwound_to_root: whole } = samples;
  assert.ok(whole >= 0.99 * all, JSON.stringify(samples));
});

test('calls through the procedure linkage table reach the root', async (t) => {
  if (!needsRoot(t)) return;
  const { samples, total, line } = await measure(t, 'plt');
  assert.ok(total('labs@plt') > 1, `${total('labs@plt')} %`);
  assertNear('main', total('main'), 100, 2);
  // What is inside the stub is the calling line's; how much that is, is the processor's affair.
  assert.ok(line('call') >= total('labs@plt') + total('labs') - 0.01, `${line('call')} %`);
  const { total: all, unwound_to_root: whole } = samples;
  assert.ok(whole >= 0.99 * all, JSON.stringify(samples));
  assert.ok(samples.frame_pointer_stacks <= 0.01 * all, 'there is unwind information');
});

test('a handler on a stack of its own: what it interrupted is named, its callers are not', async (t) => {
  if (!needsRoot(t)) return;
  const { total, functions } = await measure(t, 'altstack');
  for (const name of ['handler_work', 'on_signal'])
    assertNear(name, total(name), 100, 10);
  assertNear('the reason', total('[on another stack]'), 100, 10);
  assert.ok(functions.some(({ function: name }) => /pause/.test(name)), JSON.stringify(functions));
});

for (const backend of ['perf-cpu', 'ptrace']) {
  test(`${backend}: the same of a handler whose stack is right below the interrupted one`, async (t) => {
    if (!needsRoot(t)) return;
    const options = ['--backend', backend];
    const { total, warnings } = await measure(t, 'altstack', { args: ['300', 'near'], options });
    for (const name of ['handler_work', 'on_signal', '[on another stack]'])
      assertNear(name, total(name), 100, 10);
    assert.ok(warnings.some((text) => /% of the stacks go on on another stack/.test(text)), `${warnings}`);
  });
}

test('a stack that was switched to by code ends with that reason, and the session tells', async (t) => {
  if (!needsRoot(t)) return;
  for (const [more, frame] of [[[], 'run_on'], [['expression'], 'run_by_expression']]) {
    const { total, warnings } = await measure(t, 'switch', { args: ['300', ...more] });
    for (const name of ['switched_work', frame, '[on another stack]'])
      assertNear(name, total(name), 100, 2);
    assert.ok(warnings.some((text) => /% of the stacks go on on another stack/.test(text)));
  }
});

test('a page of the stack that nobody has touched hides its callers for a moment only', async (t) => {
  if (!needsRoot(t)) return;
  const { samples, total } = await measure(t, 'untouched');
  assertNear('run', total('run'), 100, 2);
  assert.ok(samples.unwound_to_root >= 0.98 * samples.total, JSON.stringify(samples));
});

test('compiled code without a frame record does not hide the caller that has one', async (t) => {
  if (!needsRoot(t)) return;
  const { total } = await measure(t, 'frameless');
  for (const name of ['[anon]', 'owner', 'outer', 'main'])
    assertNear(name, total(name), 100, 2);
});
