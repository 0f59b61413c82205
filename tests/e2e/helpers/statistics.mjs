// Bounds for what random sampling may show. Nothing here is tuned to what lprofd shows.
import assert from 'node:assert/strict';

/** The Wilson score interval of hits out of n, as shares; z = 1.96 gives 95 %. */
export function wilson(hits, n, z = 1.959963984540054) {
  const share = hits / n;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/**
 * Asserts that hits out of n agree with a share known from arithmetic: within 4 standard errors (a
 * chance of 1 in 16,000 to fail) widened by `slack`, the part of the time that arithmetic leaves out
 * (calls, loops around, the kernel).
 */
export function assertShare(what, hits, n, share, slack = 0.005) {
  const { low, high } = wilson(hits, n, 4);
  assert.ok(
    low - slack <= share && share <= high + slack,
    `${what}: ${hits} of ${n} samples is ${(hits / n).toFixed(4)}, ` +
      `between ${low.toFixed(4)} and ${high.toFixed(4)}; arithmetic says ${share}`,
  );
}

/** Half the sum of the differences between two distributions, given as maps from key to count. */
export function totalVariation(left, right) {
  const sum = (map) => [...map.values()].reduce((a, b) => a + b, 0);
  const [n, m] = [sum(left), sum(right)];
  const keys = new Set([...left.keys(), ...right.keys()]);
  let distance = 0;
  for (const key of keys) distance += Math.abs((left.get(key) ?? 0) / n - (right.get(key) ?? 0) / m);
  return distance / 2;
}

/** Pseudo-random numbers in [0, 1), the same in each run (mulberry32). */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/**
 * How far apart two samples of one and the same distribution lie: the pooled samples are dealt out
 * anew 200 times (a permutation test). Gives the mean distance and its standard deviation.
 */
export function samplingNoise(left, right, turns = 200) {
  const pool = [];
  for (const map of [left, right])
    for (const [key, count] of map) for (let i = 0; i < count; i++) pool.push(key);
  const size = [...left.values()].reduce((a, b) => a + b, 0);
  const next = random(1);
  const distances = [];
  for (let turn = 0; turn < turns; turn++) {
    for (let i = pool.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [pool[i], pool[j]] = [pool[j], pool[i]];
    }
    const count = (keys) => keys.reduce((map, key) => map.set(key, (map.get(key) ?? 0) + 1), new Map());
    distances.push(totalVariation(count(pool.slice(0, size)), count(pool.slice(size))));
  }
  const mean = distances.reduce((a, b) => a + b) / turns;
  const variance = distances.reduce((a, b) => a + (b - mean) ** 2, 0) / (turns - 1);
  return { mean, deviation: Math.sqrt(variance) };
}
