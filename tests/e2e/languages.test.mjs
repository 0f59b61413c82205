// Programs of other languages: stacks reach their roots, lines are right, names are readable.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { lineRow, startDaemon } from './helpers/daemon.mjs';
import { startTarget, until } from './helpers/processes.mjs';
import { knownLine, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';

/** Of all samples, those whose stack ended with this as its outermost frame. */
function endedWith({ names, nodes }, name) {
  return nodes.total.reduce((sum, total, i) =>
    sum + (i > 0 && nodes.parent[i] === 0 && names[nodes.name[i]] === name ? total : 0), 0);
}

/**
 * Samples a target until the line of `mark` is known; everything that is asserted of it. Stacks reach
 * the root, or go on on another stack where `switches` says that the runtime has its own.
 */
async function measure(t, name, source, mark, switches = false) {
  const target = await startTarget(t, name);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1500);
  await daemon.waitNames();
  const lines = await until('the lines are there', async () => {
    const document = await daemon.get('/sessions/current/lines?limit=200');
    return lineRow(document, source, knownLine(source, mark)).total_percent > 0 && document;
  });
  const graph = await daemon.get('/sessions/current/flamegraph?min_percent=0&max_nodes=10000');
  const { samples } = await daemon.get('/sessions/current'); // no fewer than in the graph
  const whole = samples.unwound_to_root + (switches ? endedWith(graph, '[on another stack]') : 0);
  assert.ok(whole >= 0.99 * samples.total, `${endedWith(graph, '[on another stack]')} ${JSON.stringify(samples)}`);
  const row = (wanted) => lineRow(lines, source, knownLine(source, wanted));
  const functions = await daemon.get('/sessions/current/functions?limit=10000&sort=total');
  return { row, names: JSON.stringify(functions) };
}

const assertNear = (what, value, expected, slack) =>
  assert.ok(Math.abs(value - expected) <= slack, `${what}: ${value}, expected ${expected}`);

for (const mangling of ['legacy', 'v0']) {
  test(`Rust (${mangling} names): lines, inlined closures and demangled names`, async (t) => {
    if (!needsRoot(t)) return;
    if (!needsFiles(t, [targetPath(`rusty-${mangling}`)], 'rustc')) return;
    const { row, names } = await measure(t, `rusty-${mangling}`, 'rusty.rs', 'step');
    assert.match(names, /<rusty::Stepper<u64> as rusty::Step>::step/);
    assert.match(names, /rusty::closure/);
    assert.match(names, /rusty::written/);
    assert.ok(!/_ZN|_R[A-Z]/.test(names), names);
    // The two calls of main() are all that it does, whatever a division costs beside its loop.
    assertNear('main', row('three').total_percent + row('one').total_percent, 100, 2);
    assert.ok(row('step').self_percent > 0.7 * row('three').total_percent);
    assert.ok(row('written').total_percent > 0.6 * row('one').total_percent);
  });
}

for (const [name, what] of [['gopher', 'Go'], ['gopher-stripped', 'Go without symbols and DWARF']]) {
  test(`${what}: goroutines end at their roots, and their lines have their shares`, async (t) => {
    if (!needsRoot(t)) return;
    if (!needsFiles(t, [targetPath(name)], 'golang-go')) return;
    const { row, names } = await measure(t, name, 'gopher.go', 'divide', true);
    assert.match(names, /main\.divide/);
    assert.match(names, /runtime\.goexit/);
    assertNear('three', row('three').total_percent, 75, 6);
    assertNear('one', row('one').total_percent, 25, 6);
  });
}

test('C++: stacks reach the root in the middle of throwing an exception', async (t) => {
  if (!needsRoot(t)) return;
  if (!needsFiles(t, [targetPath('throws')], 'g++')) return;
  const { row, names } = await measure(t, 'throws', 'throws.cpp', 'throw');
  assert.match(names, /descend<unsigned int>/);
  assert.match(names, /_Unwind_RaiseException/);
  assert.ok(row('call').total_percent > 98, JSON.stringify(row('call')));
  assert.ok(row('throw').total_percent > 50, JSON.stringify(row('throw')));
});
