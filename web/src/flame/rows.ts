// Which rectangles a row of the graph shows: frames that are narrower than a pixel become one.
import type { Graph } from './graph.ts';

/** The part of the graph from left to right that is shown, in its own unit. */
export interface Span {
  from: number;
  to: number;
}

/** Narrower frames are merged; device pixels. */
export const MERGE_BELOW = 1.5;

/** A rectangle: from left to right in pixels; how many frames it shows, the first of which is `node`. */
export type Visit = (node: number, left: number, right: number, frames: number) => void;

/** The last node of [low, high) that begins at or before x; low when there is none. O(log of the distance). */
function gallop(start: Float64Array, low: number, high: number, x: number): number {
  let step = 1;
  let last = low;
  while (last + step < high && start[last + step]! <= x) {
    last += step;
    step *= 2;
  }
  let end = Math.min(high, last + step);
  while (last + 1 < end) {
    const middle = (last + end) >> 1;
    if (start[middle]! <= x) last = middle;
    else end = middle;
  }
  return last;
}

/** Visits what is seen of a row in a span that is `pixels` wide. O(pixels * log nodes). */
export function visitRow(graph: Graph, row: number, span: Span, pixels: number, visit: Visit): void {
  const { start, width } = graph;
  const high = graph.rowFirst[row + 1]!;
  const scale = pixels / (span.to - span.from);
  let node = gallop(start, graph.rowFirst[row]!, high, span.from);
  if (start[node]! + width[node]! <= span.from) node++;
  while (node < high && start[node]! < span.to) {
    const left = (start[node]! - span.from) * scale;
    let right = left + width[node]! * scale;
    if (right - left >= MERGE_BELOW) {
      visit(node, Math.max(0, left), Math.min(pixels, right), 1);
      node++;
      continue;
    }
    // All up to the last that begins in this pixel are narrower than it, but perhaps that last one.
    const first = node++;
    while (node < high) {
      const last = gallop(start, node, high, span.from + (right + 1) / scale);
      if ((start[node]! - span.from) * scale >= right + 1) break;
      const wide = width[last]! * scale >= MERGE_BELOW;
      right = Math.max(right, (start[last]! - span.from + (wide ? 0 : width[last]!)) * scale);
      node = wide ? last : last + 1;
      if (wide) break;
    }
    visit(first, Math.max(0, left), Math.min(pixels, right), node - first);
  }
}

/** The node of a row at a place of the graph, or -1. */
export function nodeAt(graph: Graph, row: number, x: number): number {
  if (row < 0 || row >= graph.rows) return -1;
  const low = graph.rowFirst[row]!;
  const node = gallop(graph.start, low, graph.rowFirst[row + 1]!, x);
  const begin = graph.start[node]!;
  return x >= begin && x < begin + graph.width[node]! ? node : -1;
}
