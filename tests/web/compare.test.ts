// The comparison's choice in the URL, and how the lines of two texts stand beside each other.
import assert from 'node:assert/strict';
import test from 'node:test';

import { choiceOf, isChosen, optionsOf } from '../../web/src/compare/choice.ts';
import { compareLines, foldLines } from '../../web/src/compare/listing.ts';
import { parse } from '../../web/src/state.ts';
import type { Diff } from '../../web/src/types.ts';

test('a choice is read from the URL and written back', () => {
  const route = parse('#/session/2/compare?a=1&af=1.5&at=3&ai=7,12,7&bf=0&bt=1&kind=functions&order=b&file=4');
  const choice = choiceOf(route);
  assert.deepEqual(choice, {
    a: { session: 1, range: { from_ns: 1.5e9, to_ns: 3e9 }, threads: [7, 12] }, b: { session: 2, range: { from_ns: 0, to_ns: 1e9 }, threads: [] },
    kind: 'functions', order: 'b', file: 4,
  });
  assert.deepEqual(optionsOf(choice, 2), { a: '1', af: '1.5', at: '3', ai: '7,12', bf: '0', bt: '1', kind: 'functions', order: 'b', file: '4' });
});

test('nothing is chosen while both sides are the same', () => {
  assert.equal(isChosen(choiceOf(parse('#/session/2/compare'))), false);
  assert.equal(isChosen(choiceOf(parse('#/session/2/compare?af=1&at=2&bf=1&bt=2'))), false);
  assert.equal(isChosen(choiceOf(parse('#/session/2/compare?a=1'))), true);
  assert.equal(isChosen(choiceOf(parse('#/session/2/compare?af=1&at=2'))), true);
  assert.equal(isChosen(choiceOf(parse('#/session/2/compare?ai=7,8&bi=8,7'))), false);
  assert.equal(isChosen(choiceOf(parse('#/session/2/compare?ai=7&bi=8'))), true);
  assert.equal(choiceOf(parse('#/session/2/compare?a=-7&af=3&at=1')).a.range, null);
});

const cost = { self_hits: 1, total_hits: 1 };
function diff(alignment: string, runs: number[][], rows: [a: number | null, b: number | null][]): Diff {
  return { file: { a: 1, b: 1, alignment, runs }, rows: rows.map(([a, b]) => ({ a: { ...cost, line: a }, b: { ...cost, line: b } })) } as unknown as Diff;
}

test('lines of two texts: those on one side stand where they were', () => {
  // a: 1 2 3 4, b: 1 (new 2) 2 4; line 3 is gone
  const lines = compareLines(diff('text', [[1, 1, 1], [2, 3, 1], [4, 4, 1]], [[4, 4], [3, null]]), 4, 4);
  assert.deepEqual(lines.map(({ a, b, row }) => [a, b, row !== null]), [[1, 1, false], [null, 2, false], [2, 3, false], [3, null, true], [4, 4, true]]);
});

test('equal texts have one number; far from cost they are folded, and nothing goes missing', () => {
  const lines = compareLines(diff('same', [], [[50, 50]]), 100, 100);
  const folded = foldLines(lines);
  assert.deepEqual(folded[0], { folded: 45 });
  assert.deepEqual(folded.at(-1), { folded: 46 });
  assert.equal(folded.reduce((sum, one) => sum + ('folded' in one ? one.folded : 1), 0), 100);
});

test('without the text of A its lines have the numbers of their costs, and none is called missing', () => {
  const lines = compareLines(diff('number', [], [[6, 9], [40, null]]), 0, 10);
  assert.deepEqual(lines.filter(({ row }) => row).map(({ a, b, only }) => [a, b, only]), [[6, 9, null], [40, null, 'a']]);
  assert.equal(lines.filter(({ only }) => only).length, 1);
});

test('a line that only wrong debug information can name is one row', () => {
  const lines = compareLines(diff('same', [], [[2, 2], [4e9, 4e9]]), 3, 3);
  assert.deepEqual(lines.map(({ a, b, row }) => [a, b, row !== null]), [[1, 1, false], [2, 2, true], [3, 3, false], [4e9, 4e9, true]]);
  assert.ok(lines.every(({ only }) => only === null));
});
