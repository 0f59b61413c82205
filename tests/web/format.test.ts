// Numbers for people.
import assert from 'node:assert/strict';
import test from 'node:test';

import { bytes, count, interval, percent, plural, points, splitPath, time } from '../../web/src/format.ts';

const plain = (text: string) => text.replaceAll('\u2009', ' ');

test('times read as a person says them, and units change where the digits would round over', () => {
  const known: [number, string][] = [
    [0, '0'], [1, '1 µs'], [1499, '1 µs'], [999_000, '999 µs'], [999_600, '1.0 ms'], [1_040_000, '1.0 ms'],
    [9_940_000, '9.9 ms'], [9_960_000, '10 ms'], [38_000_000, '38 ms'], [999_400_000, '999 ms'],
    [999_600_000, '1.00 s'], [1_240_000_000, '1.24 s'], [59_990_000_000, '59.99 s'], [59_996_000_000, '1 min 00 s'],
    [125_000_000_000, '2 min 05 s'], [3_600_000_000_000, '1 h 00 min'], [-38_000_000, '\u221238 ms'],
  ];
  for (const [ns, text] of known) assert.equal(plain(time(ns)), text);
});

test('a share is never rounded to all or nothing', () => {
  const known: [number, string][] = [[0, '0.0'], [0.001, '<0.01'], [0.05, '0.05'], [0.12, '0.1'], [50, '50.0'], [99.94, '99.9'], [99.99, '99.9'], [100, '100']];
  for (const [value, text] of known) assert.equal(percent(value), text);
});

test('differences carry their sign', () => {
  assert.deepEqual([1.23, -0.3, 0.02, 0, -0.001].map(points), ['+1.2', '\u22120.3', '+0.02', '0.0', '0.0']);
});

test('counts, sizes, paths, plurals', () => {
  assert.equal(plain(count(1234567)), '1 234 567');
  assert.deepEqual([1, 1024, 3 << 20, 2.5 * (1 << 30)].map((value) => plain(bytes(value))), ['1 KiB', '1 KiB', '3 MiB', '2.5 GiB']);
  assert.deepEqual(splitPath('/a/b.c'), ['/a/', 'b.c']);
  assert.deepEqual([plural(1, 'thread'), plural(2, 'thread')], ['1 thread', '2 threads']);
});

test('an interval as wide as its value is too wide to rank by', () => {
  assert.equal(interval({ percent_low: 49, percent_high: 51 }).wide, false);
  assert.equal(interval({ percent_low: 0, percent_high: 4 }).wide, true);
});
