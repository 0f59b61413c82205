// Bounds for what random sampling may show. Nothing here is tuned to what lprofd shows.
import assert from 'node:assert/strict';

/** The Wilson score interval of hits out of n, as shares; z = 1.96 gives 95 %. */
export function wilson(hits, n, z = 1.959963984540054) {
  const share = hits / n;
  const middle = (share + (z * z) / (2 * n)) / (1 + (z * z) / n);
  const half = (z / (1 + (z * z) / n)) * Math.sqrt((share * (1 - share)) / n + (z * z) / (4 * n * n));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

/** What a test may fail by chance alone: seldom enough for all of them to run all day. */
export const FALSE_ALARM = 1e-6;

/** The least count of successes out of n, each of chance p, that chance undercuts seldom enough. */
export function binomialLeast(n, p, alarm = FALSE_ALARM) {
  let chance = (1 - p) ** n; // of exactly k
  let below = 0;
  for (let k = 0; k < n; k++) {
    below += chance;
    if (below > alarm) return k;
    chance *= ((n - k) / (k + 1)) * (p / (1 - p));
  }
  return n;
}

/** The standard normal distribution function: Abramowitz and Stegun 7.1.26, good to 1e-7. */
export function normal(x) {
  const t = 1 / (1 + 0.3275911 * (Math.abs(x) / Math.SQRT2));
  const series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t;
  const upper = (series * Math.exp((-x * x) / 2)) / 2;
  return x < 0 ? upper : 1 - upper;
}

/**
 * Asserts that hits out of n agree with a share known from arithmetic: within 4.9 standard errors,
 * which chance leaves once in FALSE_ALARM^-1 times, widened by `slack`, the part of the time that
 * arithmetic leaves out (calls, loops around, the kernel).
 */
export function assertShare(what, hits, n, share, slack = 0.005) {
  const { low, high } = wilson(hits, n, 4.9);
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

/** The mean distance of the two when the pooled samples are dealt out anew (a permutation test). */
function meanDistance(left, right, turns) {
  const pool = [];
  for (const map of [left, right])
    for (const [key, count] of map) for (let i = 0; i < count; i++) pool.push(key);
  const size = [...left.values()].reduce((a, b) => a + b, 0);
  const next = random(1);
  let sum = 0;
  for (let turn = 0; turn < turns; turn++) {
    for (let i = pool.length - 1; i > 0; i--) {
      const j = Math.floor(next() * (i + 1));
      [pool[i], pool[j]] = [pool[j], pool[i]];
    }
    const count = (keys) => keys.reduce((map, key) => map.set(key, (map.get(key) ?? 0) + 1), new Map());
    sum += totalVariation(count(pool.slice(0, size)), count(pool.slice(size)));
  }
  return sum / turns;
}

/**
 * How far apart two samples of one and the same distribution lie: `mean`, and `bound`, beyond which
 * chance takes them once in 1 / `alarm` times.
 *
 * The differences D of the lines' shares are nearly normal, with the covariances of a multinomial
 * distribution, diag(p) - p p', times 1/n + 1/m. Independent ones with s^2 = p (1/n + 1/m) have
 * larger covariances, so their sum of |D| / 2, a norm, is at least as likely to be large (Anderson's
 * theorem, 1955). With u = t s / 2, ln E exp(t (|D| - E|D|) / 2) is ln 2 Phi(u) + u^2 / 2 -
 * u sqrt(2 / pi), and by Chernoff's bound the sum exceeds its mean by x with a chance of at most
 * exp(-t x) times the product of those expectations, for each t; the t with the least x is taken.
 */
export function samplingNoise(left, right, alarm = FALSE_ALARM) {
  const sum = (map) => [...map.values()].reduce((a, b) => a + b, 0);
  const [n, m] = [sum(left), sum(right)];
  const deviations = [...new Set([...left.keys(), ...right.keys()])].map((key) =>
    Math.sqrt((((left.get(key) ?? 0) + (right.get(key) ?? 0)) / (n + m)) * (1 / n + 1 / m)),
  );
  const excess = (t) => {
    let logarithm = -Math.log(alarm);
    for (const s of deviations) {
      const u = (t * s) / 2;
      logarithm += Math.log(2 * normal(u)) + (u * u) / 2 - u * Math.sqrt(2 / Math.PI);
    }
    return logarithm / t;
  };
  let least = Infinity;
  for (let t = 10; t < 1e6; t *= 1.05) least = Math.min(least, excess(t));
  const mean = meanDistance(left, right, 200);
  return { mean, bound: mean + least };
}
