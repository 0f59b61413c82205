// The plot itself: uPlot with stacked threads; a drag selects a range.
import uPlot from 'uplot';

import { count, time } from '../format.ts';
import type { Range } from '../state.ts';
import { remPixels } from '../rem.ts';
import type { Timeline } from '../types.ts';
import { stacked } from './stack.ts';

export const COLOURS = 8;
const TOLERANCE = 0.1; // CPUs: a step's share of a CPU is not exact, and does not earn a CPU more of height
const MARGIN: [top: number, right: number, bottom: number, left: number] = [6, 16, 0, 0]; // right: half a label

/** 0, 500 ms, 1.5 s, 2 min, 2:30 min */
function axisTime(value: number): string {
  if (value === 0) return '0';
  if (value < 1) return time(value * 1e9);
  if (value < 120) return `${Number(value.toFixed(3))}\u2009s`;
  const rest = Math.round(value % 60);
  return `${count(Math.floor(value / 60))}${rest ? `:${String(rest).padStart(2, '0')}` : ''}\u2009min`;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** The colour of the series at `index`; the last one may stand for all other threads. */
function seriesColour(timeline: Timeline, index: number): string {
  const rest = index >= COLOURS || timeline.series[index]?.tid === 0;
  return colour(rest ? '--thread-rest' : `--thread-${index + 1}`);
}

export class Plot {
  private plot: uPlot | null = null;
  private shape = '';
  private range: Range | null = null;
  private isDragging = false;
  private waiting: (() => void) | null = null; // what came during a drag

  constructor(
    private readonly root: HTMLElement,
    private readonly select: (range: Range | null) => void,
  ) {}

  show(timeline: Timeline, range: Range | null, theme: string): void {
    this.range = range;
    this.waiting = null;
    if (this.isDragging) { // the plot under the pointer stays, whatever threads come and go
      this.waiting = () => this.show(timeline, range, theme);
      return;
    }
    const shape = `${theme} ${timeline.series.map(({ tid }) => tid).join()}`;
    if (!this.plot || shape !== this.shape) this.build(timeline, shape);
    else this.plot.setData(stacked(timeline) as uPlot.AlignedData);
  }

  resize(): void {
    this.plot?.setSize({ width: this.root.clientWidth, height: this.root.clientHeight });
  }

  close(): void {
    this.plot?.destroy();
    this.plot = null;
  }

  private build(timeline: Timeline, shape: string): void {
    this.close();
    this.shape = shape;
    const scale = remPixels('1rem') / 16;
    const axis = { stroke: colour('--quiet'), font: `${11 * scale}px system-ui`, grid: { stroke: colour('--rule'), width: 1 }, ticks: { show: false } };
    this.plot = new uPlot({
      width: this.root.clientWidth,
      height: this.root.clientHeight,
      padding: MARGIN.map((margin) => margin * scale) as typeof MARGIN,
      legend: { show: false },
      cursor: {
        y: false,
        points: { show: false },
        drag: { x: true, y: false, setScale: false },
        bind: {
          mousedown: (_u, _target, handler) => (event) => { this.isDragging = true; handler(event); return null; },
          mouseup: (_u, _target, handler) => (event) => { handler(event); this.isDragging = false; this.waiting?.(); return null; },
          dblclick: () => () => { this.select(null); return null; },
        },
      },
      scales: { x: { time: false }, y: { range: (_u, _min, max) => [0, Math.max(1, Math.ceil(max - TOLERANCE))] } },
      axes: [
        { ...axis, size: 20 * scale, values: (_u, splits) => splits.map(axisTime), space: 50 * scale },
        { ...axis, size: 34 * scale, values: (_u, splits) => splits.map((value) => (Number.isInteger(value) ? count(value) : '')), space: 24 * scale },
      ],
      series: [
        {},
        ...timeline.series.map((_, index) => ({
          fill: seriesColour(timeline, index), stroke: seriesColour(timeline, index), width: 0,
          points: { show: false }, paths: uPlot.paths.stepped!({ align: 1 }),
        })),
      ],
      hooks: { setSelect: [(plot) => this.selected(plot)], ready: [(plot) => this.mark(plot)], draw: [(plot) => this.mark(plot)] },
    }, stacked(timeline) as uPlot.AlignedData, this.root);
  }

  private selected(plot: uPlot): void {
    if (!this.isDragging) return;
    const { left, width } = plot.select;
    if (width < 2) return;
    const from_ns = Math.max(0, Math.round(plot.posToVal(left, 'x') * 1e9));
    const to_ns = Math.round(plot.posToVal(left + width, 'x') * 1e9);
    if (to_ns > from_ns) this.select({ from_ns, to_ns });
  }

  /** Paints the range that the URL names. */
  private mark(plot: uPlot): void {
    if (this.isDragging) return;
    if (!this.range) {
      plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      return;
    }
    const height = plot.over.clientHeight;
    const clamp = (ns: number) => Math.min(Math.max(plot.valToPos(ns / 1e9, 'x'), 0), plot.over.clientWidth);
    const left = clamp(this.range.from_ns);
    plot.setSelect({ left, top: 0, width: Math.max(1, clamp(this.range.to_ns) - left), height }, false);
  }
}
