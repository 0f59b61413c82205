// The arithmetic of the timeline: CPU time of steps as CPUs, threads stacked on each other.
import type { Timeline } from '../types.ts';

/** Columns as the plot wants them: x in seconds, then one curve a thread, highest stack first. */
export type Columns = [x: number[], ...curves: number[][]];

/** Curve i is the sum of the series i and all after it, so that painting in order stacks them. */
export function stacked({ start_ns, step_ns, series }: Timeline): Columns {
  const steps = series[0]?.time_ns.length ?? 0;
  const x = Array.from({ length: steps }, (_, i) => (start_ns + i * step_ns) / 1e9);
  const curves: number[][] = [];
  let above: number[] = new Array<number>(steps).fill(0);
  for (let i = series.length - 1; i >= 0; i--) {
    const time = series[i]!.time_ns;
    above = above.map((sum, at) => sum + (time[at] ?? 0) / step_ns);
    curves.unshift(above);
  }
  if (steps === 1) { // a plot needs two points
    x.push((start_ns + step_ns) / 1e9);
    for (const curve of curves) curve.push(curve[0]!);
  }
  return [x, ...curves];
}

/** Seconds as somebody typed them, in ns; null: not a time within the session. */
export function typedTime(text: string): number | null {
  const trimmed = text.trim().replace(',', '.');
  if (!/^\d+(\.\d*)?$|^\.\d+$/.test(trimmed)) return null;
  const ns = Math.round(Number(trimmed) * 1e9);
  return Number.isSafeInteger(ns) ? ns : null;
}
