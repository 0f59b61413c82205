// The timeline's arithmetic.
import assert from 'node:assert/strict';
import test from 'node:test';

import { stacked, typedTime } from '../../web/src/timeline/stack.ts';

test('threads are stacked as CPUs, the first on top', () => {
  const series = [{ tid: 1, name: 'a', time_ns: [100, 50] }, { tid: 2, name: 'b', time_ns: [100, 0] }];
  assert.deepEqual(stacked({ start_ns: 1e9, step_ns: 100, series }), [[1, 1.0000001], [2, 0.5], [1, 0]]);
});

test('one step is drawn as wide as it is', () => {
  assert.deepEqual(stacked({ start_ns: 0, step_ns: 1e9, series: [{ tid: 1, name: '', time_ns: [5e8] }] }), [[0, 1], [0.5, 0.5]]);
});

test('times are typed in seconds', () => {
  assert.deepEqual(['1.5', ' 2 ', '0,25', '.5', '3.'].map(typedTime), [1.5e9, 2e9, 0.25e9, 0.5e9, 3e9]);
  for (const bad of ['', 'x', '-1', '1e3', '99999999999999', '1.2.3']) assert.equal(typedTime(bad), null, bad);
});
