// The graph on the screen: a canvas the size of the window on it, which scrolls up and down and zooms
// from left to right. Draws when something changed, at most once a frame.
import { effect } from '@preact/signals';

import { draw, ROW_HEIGHT, rowAt, rowTop, type Scene } from './draw.ts';
import { rowOf, type Graph } from './graph.ts';
import { palette, wantsStillness } from './palette.ts';
import { nodeAt } from './rows.ts';

const ZOOM_MS = 220;
const AROUND = 2; // rows to keep in sight above and below what is revealed
const WAY = 3; // rows to keep in sight of the way to the zoom

/** A part of the whole width, 0 to 1: it means the same when the numbers have grown. */
interface Part {
  from: number;
  to: number;
}

const ease = (x: number) => 1 - (1 - x) ** 3;

/** The part of the graph that a node covers. */
function partOf(graph: Graph, node: number): Part {
  const whole = graph.width[0]! || 1;
  return { from: graph.start[node]! / whole, to: (graph.start[node]! + graph.width[node]!) / whole };
}

export class FlameCanvas {
  graph: Graph | null = null;
  private part: Part = { from: 0, to: 1 };
  private target: Part = { from: 0, to: 1 };
  private origin: Part = { from: 0, to: 1 };
  private began = 0; // of the zoom, ms; 0: stands still
  private scroll: { from: number; to: number } | null = null; // during the zoom
  private zoom = 0;
  private flip = false;
  private found: Uint8Array | null = null;
  private selected = -1;
  private hovered = -1;
  private width = 0;
  private height = 0;
  private frame = 0;
  private readonly context: CanvasRenderingContext2D;
  private readonly font: string;
  private readonly ends: (() => void)[] = [];

  constructor(private readonly canvas: HTMLCanvasElement, private readonly scroller: HTMLElement, private readonly spacer: HTMLElement, private readonly firstRow: number) {
    this.context = canvas.getContext('2d', { alpha: false })!;
    this.font = getComputedStyle(canvas).fontFamily;
    const watch = new ResizeObserver(() => this.resize());
    watch.observe(scroller);
    const redraw = () => this.draw();
    scroller.addEventListener('scroll', redraw, { passive: true });
    this.ends.push(
      () => watch.disconnect(),
      () => scroller.removeEventListener('scroll', redraw),
      effect(() => {
        void palette.value;
        redraw();
      }),
    );
    this.resize();
  }

  close(): void {
    cancelAnimationFrame(this.frame);
    for (const end of this.ends) end();
  }

  /** Another answer: what is seen stays where it is, as far as it is still there. */
  show(graph: Graph, found: Uint8Array | null, zoom: number, flip: boolean): void {
    const fresh = this.graph === null;
    const turned = flip !== this.flip;
    const fromEnd = this.scroller.scrollHeight - this.scroller.scrollTop;
    const moved = zoom !== this.zoom || fresh;
    const sameGraph = graph === this.graph;
    Object.assign(this, { graph, found, zoom, flip });
    this.measure();
    if (turned || fresh) this.scroller.scrollTop = flip ? this.scroller.scrollHeight : 0;
    else if (flip) this.scroller.scrollTop = this.scroller.scrollHeight - fromEnd;
    const target = partOf(graph, zoom);
    const isNear = Math.abs(target.from - this.target.from) + Math.abs(target.to - this.target.to) < 1e-9;
    if (sameGraph && moved && !fresh && !isNear) this.animate(target, this.scrollFor(zoom));
    else if (!this.began || !sameGraph) {
      this.target = target;
      if (!this.began) this.part = target;
    }
    if (moved && !this.began && zoom) this.scroller.scrollTop = this.scrollFor(zoom);
    this.draw();
  }

  mark(selected: number, hovered: number): void {
    if (selected === this.selected && hovered === this.hovered) return;
    this.selected = selected;
    this.hovered = hovered;
    this.draw();
  }

  /** Scrolls no more than is needed to see a node and what is around it. */
  reveal(node: number): void {
    if (!this.graph) return;
    const { scroller } = this;
    const top = this.topOf(node);
    const margin = Math.min(AROUND * ROW_HEIGHT, Math.max(0, (this.height - ROW_HEIGHT) / 2));
    if (top - margin < scroller.scrollTop) scroller.scrollTop = top - margin;
    else if (top + ROW_HEIGHT + margin > scroller.scrollTop + this.height) scroller.scrollTop = top + ROW_HEIGHT + margin - this.height;
  }

  /** The node at a place of the window, or -1. */
  at(clientX: number, clientY: number): number {
    const { graph } = this;
    if (!graph || !this.width) return -1;
    const box = this.canvas.getBoundingClientRect();
    const whole = graph.width[0]! || 1;
    const row = rowAt({ origin: this.originY(), flip: this.flip }, clientY - box.top);
    if (row < this.firstRow) return -1;
    const x = this.part.from + ((clientX - box.left) / this.width) * (this.part.to - this.part.from);
    return nodeAt(graph, row, x * whole);
  }

  /** Where a node is drawn, in the coordinates of the window: its left edge and its lower one. */
  place(node: number): { x: number; y: number } {
    const box = this.canvas.getBoundingClientRect();
    if (!this.graph) return { x: box.left, y: box.top };
    const { from } = partOf(this.graph, node);
    const x = ((from - this.part.from) / (this.part.to - this.part.from)) * this.width;
    const y = rowTop({ origin: this.originY(), flip: this.flip }, rowOf(this.graph, node)) + ROW_HEIGHT;
    return { x: box.left + Math.min(this.width, Math.max(0, x)), y: box.top + Math.min(this.height, Math.max(0, y)) };
  }

  /** Draws with the next frame. */
  draw(): void {
    this.frame ||= requestAnimationFrame((now) => {
      this.frame = 0;
      this.step(now);
      this.paint();
      if (this.began) this.draw();
    });
  }

  private contentHeight(): number {
    return Math.max(this.height, ((this.graph?.rows ?? 0) - this.firstRow) * ROW_HEIGHT);
  }

  /** Where row 0 is, in CSS pixels of the canvas. */
  private originY(scrollTop = this.scroller.scrollTop): number {
    const skipped = this.firstRow * ROW_HEIGHT;
    return (this.flip ? this.contentHeight() - ROW_HEIGHT + skipped : -skipped) - scrollTop;
  }

  /** Where a node is, from the top of all rows. */
  private topOf(node: number): number {
    return rowTop({ origin: this.originY(0), flip: this.flip }, rowOf(this.graph!, node));
  }

  /** How far to scroll to see most of what is below a node, and a little of the way there. */
  private scrollFor(node: number): number {
    const top = this.topOf(node);
    const wanted = this.flip ? top + (WAY + 1) * ROW_HEIGHT - this.height : top - WAY * ROW_HEIGHT;
    return Math.max(0, Math.min(this.contentHeight() - this.height, wanted));
  }

  private measure(): void {
    this.spacer.style.height = `${Math.max(0, this.contentHeight() - this.height)}px`;
  }

  /** What is chosen stays in sight when the window on it becomes smaller. */
  private resize(): void {
    const before = this.graph && this.selected >= 0 ? this.topOf(this.selected) - this.scroller.scrollTop : -1;
    const wasSeen = before >= 0 && before < this.height;
    this.width = this.scroller.clientWidth;
    this.height = this.scroller.clientHeight;
    const scale = devicePixelRatio;
    this.canvas.width = Math.max(1, Math.round(this.width * scale));
    this.canvas.height = Math.max(1, Math.round(this.height * scale));
    this.canvas.style.width = `${this.width}px`;
    this.canvas.style.height = `${this.height}px`;
    this.measure();
    if (wasSeen && this.selected < this.graph!.count) this.reveal(this.selected);
    cancelAnimationFrame(this.frame);
    this.frame = 0;
    this.paint(); // at once: an empty canvas would flash
  }

  private animate(target: Part, scrollTo: number): void {
    this.target = target;
    if (wantsStillness()) {
      this.part = target;
      this.began = 0;
      this.scroller.scrollTop = scrollTo;
      return;
    }
    this.origin = { ...this.part };
    this.scroll = { from: this.scroller.scrollTop, to: scrollTo };
    this.began = performance.now();
  }

  private step(now: number): void {
    if (!this.began) return;
    const done = Math.min(1, Math.max(0, (now - this.began) / ZOOM_MS));
    const x = ease(done);
    const between = ({ from, to }: Part) => from + (to - from) * x;
    this.part = {
      from: between({ from: this.origin.from, to: this.target.from }),
      to: between({ from: this.origin.to, to: this.target.to }),
    };
    if (this.scroll) this.scroller.scrollTop = between(this.scroll);
    if (done < 1) return;
    this.part = this.target;
    this.began = 0;
    this.scroll = null;
  }

  private paint(): void {
    const { graph } = this;
    const scale = devicePixelRatio;
    if (!graph?.count) {
      this.context.setTransform(1, 0, 0, 1, 0, 0);
      this.context.fillStyle = palette.value.paper;
      this.context.fillRect(0, 0, this.canvas.width, this.canvas.height);
      return;
    }
    const whole = graph.width[0]! || 1;
    const scene: Scene = {
      graph, scale, width: this.width, height: this.height, origin: this.originY(), flip: this.flip,
      span: { from: this.part.from * whole, to: this.part.to * whole }, firstRow: this.firstRow, zoomRow: rowOf(graph, this.zoom),
      selected: this.selected, hovered: this.hovered, found: this.found, font: this.font,
    };
    draw(this.context, scene, palette.value);
  }
}
