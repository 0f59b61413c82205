// Comparisons: two ranges of one run, and two runs of a program that was changed in between.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { assertProblem } from './helpers/http.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { run, start, startTarget, until } from './helpers/processes.mjs';
import { LPROF, LPROFD, needsRoot } from './helpers/programs.mjs';
import { FALSE_ALARM, normal } from './helpers/statistics.mjs';

/** The self hits of all rows and of what has no line are those of the side. */
function assertSums(diff) {
  assert.equal(diff.rows.length, diff.count, 'all rows are on the page');
  for (const side of ['a', 'b']) {
    const known = diff.rows.reduce((sum, row) => sum + row[side].self_hits, 0);
    const unknown = diff[side].unknown?.self_hits ?? 0;
    assert.equal(known + unknown, diff[side].total.hits, side);
  }
}

/** Every number of a row follows from both sides' counts. */
function assertEvidence(diff) {
  const adjusted = diff.rows.map((row) => row.p_value).sort((x, y) => x - y);
  for (const row of diff.rows) {
    const change = row.b[`${diff.share}_percent`] - row.a[`${diff.share}_percent`];
    assert.ok(Math.abs(row.delta_percent - change) < 2e-4, row.function);
    assert.ok(row.delta_low <= row.delta_percent && row.delta_percent <= row.delta_high);
    assert.equal(row.significant, row.q_value <= 0.05);
    if (row.test === 'z') {
      const [n, m] = [diff.a.total.hits, diff.b.total.hits];
      const [p, q] = ['a', 'b'].map((side) => row[side][`${diff.share}_percent`] / 100);
      const pooled = (p * n + q * m) / (n + m);
      const z = (q - p) / Math.sqrt(pooled * (1 - pooled) * (1 / n + 1 / m));
      // Percentages are rounded to four decimals, which a small difference feels.
      assert.ok(Math.abs(row.p_value - 2 * normal(-Math.abs(z))) < 5e-3, `${row.function} ${z}`);
    }
    // Benjamini and Hochberg: at least p * rows / rank of the last equal one.
    const rank = adjusted.lastIndexOf(row.p_value) + 1;
    assert.ok(row.q_value <= (row.p_value * diff.count) / rank + 1e-5);
    assert.ok(row.q_value >= row.p_value);
  }
}

test('two ranges of one run add up, and nothing changed that did not', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(3000);
  const { duration_ns: end } = await daemon.pause();
  const middle = Math.round(end / 2);
  for (const kind of ['lines', 'functions'])
    for (const share of ['self', 'total']) {
      const diff = await daemon.get(
        `/diff?a_to_ns=${middle}&b_from_ns=${middle}&kind=${kind}&share=${share}&limit=10000`);
      assert.ok(diff.a.total.hits > 500 && diff.b.total.hits > 500);
      assertSums(diff);
      assertEvidence(diff);
      for (const row of diff.rows) {
        assert.equal(row.presence, 'both');
        if (kind === 'lines') assert.equal(row.alignment, 'same');
        assert.ok(row.p_value > FALSE_ALARM, `${row.function} changed: ${row.p_value}`);
      }
      const whole = await daemon.get(`/sessions/current/${kind}?limit=10000`);
      assert.equal(diff.a.total.hits + diff.b.total.hits, whole.total.hits);
    }
});

test('rows are those of the two tables', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'threads');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(1000);
  await daemon.pause();
  const [{ tid: first }, { tid: second }] = await daemon.get('/sessions/current/threads');
  const diff = await daemon.get(`/diff?a_tid=${first}&b_tid=${second}&limit=10000`);
  assertSums(diff);
  for (const [side, tid] of [['a', first], ['b', second]]) {
    const table = await daemon.get(`/sessions/current/lines?tid=${tid}&limit=10000`);
    assert.deepEqual(diff[side].total, table.total);
    for (const line of table.lines) {
      const row = diff.rows.find((one) =>
        one[side].file === line.file && one[side].line === line.line);
      for (const name of ['self_hits', 'total_hits', 'self_time_ns', 'total_time_ns'])
        assert.equal(row[side][name], line[name], `${line.path}:${line.line} ${name}`);
    }
  }
});

const PROGRAM = `#include <stdio.h>
volatile unsigned long turns;
// ABOVE
static void __attribute__((noinline)) work(void)
{
    // INSIDE
    for (unsigned i = 0; i < 1000000; i++)
        turns += i; /* hot */
}

static void __attribute__((noinline)) rest(void)
{
    for (unsigned i = 0; i < 100000; i++)
        turns -= i; /* cold */
}

int main(void)
{
    puts("ready");
    fflush(stdout);
    for (;;) {
        work();
        rest();
    }
}
`;

/** Writes the program, compiles it and starts it. */
async function build(t, folder, text) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'program.c'), text);
  const compiled = await run(t, 'gcc', ['-g', '-O0', '-o', 'program', 'program.c'], { cwd: folder });
  assert.equal(compiled.code, 0, compiled.stderr);
  const target = start(t, join(folder, 'program'));
  await until('program says ready', () => target.stdout.includes('ready'));
  return target;
}

/** Attaches and takes samples. */
async function sample(daemon, target) {
  const session = await daemon.attach({ pid: target.pid });
  await daemon.waitSamples(800, { session });
  await until('the lines of the program are known', async () => {
    const { lines } = await daemon.get(`${session}/lines?limit=10000`);
    return lines.some((line) => line.path?.endsWith('program.c'));
  });
  await daemon.pause(session);
  target.kill('SIGKILL');
  await daemon.waitState('exited', { session });
  return Number(session.split('/').at(-1));
}

/**
 * Two runs: of PROGRAM, and of what `edit` makes of it, in the same folder or in another. `without`
 * is a file that is gone before the first run is looked at.
 */
async function compareRuns(t, { edit, inPlace = false, without }) {
  const folder = publicFolder(t);
  const after = edit(PROGRAM);
  const daemon = await startDaemon(t);
  const first = await build(t, join(folder, 'v1'), PROGRAM);
  if (without) rmSync(join(folder, 'v1', without));
  const a = await sample(daemon, first);
  const b = await sample(daemon, await build(t, join(folder, inPlace ? 'v1' : 'v2'), after));
  const diff = await daemon.get(`/diff?a=${a}&b=${b}&limit=10000`);
  assertSums(diff);
  assertEvidence(diff);
  const lineOf = (text, mark) => text.split('\n').findIndex((line) => line.includes(mark)) + 1;
  const row = (mark) => diff.rows.find((one) => one.a.path?.endsWith('program.c') &&
    one.a.line === lineOf(PROGRAM, mark) && one.a.self_hits > 0);
  return { daemon, a, b, diff, row, line: (mark) => lineOf(after, mark) };
}

const insert = (mark, lines) => (text) =>
  text.replace(`// ${mark}\n`, `// ${mark}\n${'// one line more\n'.repeat(lines)}`);

test('an edit above the hot line does not shift the comparison', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, a, b, diff, row, line } = await compareRuns(t, {
    edit: (text) => insert('INSIDE', 3)(insert('ABOVE', 5)(text)),
  });
  assert.equal(line('/* hot */'), 8 + 8);
  for (const mark of ['/* hot */', '/* cold */']) {
    assert.equal(row(mark).b.line, line(mark));
    assert.equal(row(mark).alignment, 'text');
    assert.ok(row(mark).b.self_hits > 0);
    assert.ok(row(mark).p_value > FALSE_ALARM);
  }
  const file = row('/* hot */').b.file;
  const whole = await daemon.get(`/diff?a=${a}&b=${b}&file=${file}`);
  assert.equal(whole.file.alignment, 'text');
  assert.deepEqual(whole.file.runs, [[1, 1, 3], [4, 9, 3], [7, 15, 19]]);
  const lines = whole.rows.map((one) => one.b.line);
  assert.deepEqual(lines, [...lines].sort((x, y) => x - y));
  assert.deepEqual(
    whole.rows.reduce((sum, one) => sum + one.b.self_hits, 0),
    diff.rows.filter((one) => one.b.file === file)
      .reduce((sum, one) => sum + one.b.self_hits, 0),
  );
});

test('what became slower is found, and only that', async (t) => {
  if (!needsRoot(t)) return;
  const { diff, row } = await compareRuns(t, {
    edit: (text) => text.replace('i < 100000;', 'i < 1000000;'), // rest(): from 1/11 to 1/2
  });
  assert.ok(row('/* cold */').significant && row('/* cold */').delta_percent > 0);
  assert.ok(row('/* hot */').significant && row('/* hot */').delta_percent < 0);
  assert.ok(Math.abs(diff.rows[0].delta_percent) >= Math.abs(diff.rows.at(-1).delta_percent));
  // The changed line of the loop is one that went and one that came.
  const changed = diff.rows.filter((one) => one.presence !== 'both' &&
    (one.a.path ?? one.b.path)?.endsWith('program.c'));
  assert.deepEqual(changed.map((one) => one.presence).sort(), ['a', 'b']);
});

test('the text that a file had is kept when it is changed in place', async (t) => {
  if (!needsRoot(t)) return;
  const edit = (text) => insert('INSIDE', 3)(insert('ABOVE', 7)(text));
  const { daemon, a, row, line } = await compareRuns(t, { edit, inPlace: true });
  for (const mark of ['/* hot */', '/* cold */']) {
    assert.equal(row(mark).b.line, line(mark));
    assert.equal(row(mark).alignment, 'text');
    assert.ok(row(mark).b.self_hits > 0);
  }
  // What is there now is another text: the one that the program was built from is shown, and that is said.
  const { file } = row('/* hot */').a;
  const text = await daemon.request(`/api/v1/sessions/${a}/files/${file}/text`);
  assert.equal(text.headers['source-status'], 'kept');
  assert.ok(!text.text.includes('one line more'));
});

test('lines whose text is not known are found by their function', async (t) => {
  if (!needsRoot(t)) return;
  const { row, line } = await compareRuns(t, { edit: insert('ABOVE', 7), without: 'program.c' });
  for (const mark of ['/* hot */', '/* cold */']) {
    assert.equal(row(mark).b.line, line(mark));
    assert.equal(row(mark).alignment, 'function');
  }
});

test('lprof diff prints what changed, and says what it cannot compare', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, a, b, row, line } = await compareRuns(t, {
    edit: (text) => insert('ABOVE', 5)(text).replace('i < 100000;', 'i < 1000000;'),
  });
  const url = (id) => `${daemon.url}/api/v1/sessions/${id}`;
  const cold = row('/* cold */');
  const shown = await run(t, LPROF, ['diff', url(a), url(b)]);
  assert.deepEqual([shown.code, shown.stderr], [0, '']);
  const text = shown.stdout.split('\n').find((one) =>
    one.includes(`program.c:${line('/* cold */')} (was ${cold.a.line})`));
  assert.ok(text, shown.stdout);
  const [left, , right, , delta] = text.trim().split(/\s+/);
  assert.equal(left, cold.a.self_percent.toFixed(2));
  assert.equal(right, cold.b.self_percent.toFixed(2));
  assert.equal(delta, `+${cold.delta_percent.toFixed(2)}`);
  assert.match(text, / \* .*rest$/);

  const functions = await run(t, LPROF, ['diff', url(a), url(b), '--functions', '--limit', '1']);
  assert.match(functions.stdout, /\* .*(work|rest) +\S*program\.c:\d+/);
  const range = await run(t, LPROF, ['diff', `${url(a)}?to_ns=300000000`,
    `${url(a)}?from_ns=300000000`]);
  assert.match(range.stdout, /^a {2}session \d+, 0\.0 to 0\.3 s.*\nb {2}session \d+, 0\.3 to /);

  const fails = async (...words) => {
    const { code, stdout, stderr } = await run(t, LPROF, ['diff', ...words]);
    assert.equal(stdout, '');
    assert.match(stderr, /^lprof: .*\n$/);
    return code;
  };
  assert.equal(await fails(url(a)), 2);
  assert.equal(await fails('a.lprof', url(b)), 2);
  assert.equal(await fails(url(a), 'http://localhost:1'), 2);
  assert.equal(await fails(`${url(a)}?sort=self`, url(b)), 2);
  assert.equal(await fails(`${daemon.url}/#/session/${a}/lines`, url(b)), 2); // an address of the page
  assert.equal(await fails(url(a), url(77)), 1);
});

test('two saved profiles are compared with the texts that they were built from', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const edits = [(text) => text, insert('INSIDE', 3)];
  const files = [];
  for (const edit of edits) {
    const target = await build(t, folder, edit(PROGRAM)); // in place
    files.push(join(folder, `${files.length}.lprof`));
    const { code, stderr } = await run(t, LPROFD, ['--no-http', '--duration', '1', '--output',
      files.at(-1), '--pid', String(target.pid)]);
    assert.equal(code, 0, stderr);
    target.kill('SIGKILL');
  }
  const { code, stdout, stderr } = await run(t, LPROF, ['diff', ...files]);
  assert.deepEqual([code, stderr], [0, '']);
  assert.match(stdout, /\/program\.c:11 \(was 8\) +work\n/);
  assert.ok(!stdout.includes('~'), stdout);
  const missing = await run(t, LPROF, ['diff', files[0], join(folder, 'none.lprof')]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /none\.lprof/);
});

test('what cannot be compared is said', async (t) => {
  const daemon = await startDaemon(t);
  assertProblem(await daemon.request('/api/v1/diff'), 404);
  assertProblem(await daemon.request('/api/v1/diff?a=1&b=2'), 404);
  assertProblem(await daemon.request('/api/v1/diff?a=1&c=2'), 400);
});
