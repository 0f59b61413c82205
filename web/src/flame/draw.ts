// Draws what is seen of a graph on a canvas of the size of the window on it.
import { knownOf, rowOf, type Graph } from './graph.ts';
import { hashText } from './names.ts';
import { SHADES, shadeOf, type Palette } from './palette.ts';
import { visitRow, type Span } from './rows.ts';

export const ROW_HEIGHT = 20; // CSS pixels
const FONT_SIZE = 11.5;
const LABEL_FROM = 22; // narrower frames have no label; CSS pixels
const PADDING = 5;
const PLAIN = /^[ -~…]*$/;

export interface Scene {
  graph: Graph;
  span: Span;
  /** CSS pixels; the canvas has `scale` times as many. */
  width: number;
  height: number;
  scale: number;
  /** Where row 0 has (or would have) its upper edge, in CSS pixels of the canvas; rows go up when flipped. */
  origin: number;
  flip: boolean;
  /** Rows before this one are not shown. */
  firstRow: number;
  /** The rows above this one are only the way there. */
  zoomRow: number;
  selected: number;
  hovered: number;
  /** By name, 1: found. */
  found: Uint8Array | null;
  font: string;
}

const shades = new WeakMap<Graph, Uint16Array>();

/** By name: the fill. By names alone, so that it is the same in every answer and on every day. */
function fillsOf(graph: Graph): Uint16Array {
  let fills = shades.get(graph);
  if (!fills) {
    const modules = graph.modules.map((path) => hashText(path));
    fills = Uint16Array.from(graph.names, (name, i) => graph.kinds[i]! * (SHADES + 1) + shadeOf(hashText(name), modules[graph.nameModule[i]!]!));
    shades.set(graph, fills);
  }
  return fills;
}

/** The upper edge of a row in CSS pixels of the canvas. */
export function rowTop(scene: Pick<Scene, 'origin' | 'flip'>, row: number): number {
  return scene.origin + (scene.flip ? -row : row) * ROW_HEIGHT;
}

/** The row at a height of the canvas. It may not exist. */
export function rowAt(scene: Pick<Scene, 'origin' | 'flip'>, y: number): number {
  const rows = Math.floor((y - scene.origin) / ROW_HEIGHT);
  return scene.flip ? -rows : rows;
}

interface Label {
  node: number;
  left: number;
  top: number;
  width: number;
  color: string;
}

function hasFound(graph: Graph, found: Uint8Array, node: number, frames: number): boolean {
  for (let i = node; i < node + frames; i++) if (found[graph.name[i]!]) return true;
  return false;
}

export function draw(context: CanvasRenderingContext2D, scene: Scene, palette: Palette): void {
  const { graph, span, scale, found } = scene;
  const pixels = Math.round(scene.width * scale);
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = palette.paper;
  context.fillRect(0, 0, pixels, Math.round(scene.height * scale));
  const fills = fillsOf(graph);
  const labels: Label[] = [];
  const gap = Math.max(1, Math.round(scale));
  const ends = [rowAt(scene, 0), rowAt(scene, scene.height)].sort((a, b) => a - b);
  let last = '';
  for (let row = Math.max(scene.firstRow, ends[0]!); row <= Math.min(graph.rows - 1, ends[1]!); row++) {
    const top = Math.round(rowTop(scene, row) * scale);
    const height = Math.round((rowTop(scene, row) + ROW_HEIGHT) * scale) - top - gap;
    const isWay = row < scene.zoomRow;
    visitRow(graph, row, span, pixels, (node, begin, end, frames) => {
      const name = graph.name[node]!;
      const isFound = found !== null && hasFound(graph, found, node, frames);
      const isDim = isWay || (found !== null && !isFound);
      const fill = isFound ? palette.match
        : isDim ? palette.dim[graph.kinds[name]!]!
          : palette.fills[frames > 1 ? graph.kinds[name]! * (SHADES + 1) + SHADES : fills[name]!]!;
      const left = Math.round(begin);
      const right = Math.max(left + 1, Math.round(end));
      const width = right - left > 3 * gap ? right - left - gap : right - left;
      if (fill !== last) context.fillStyle = last = fill;
      context.fillRect(left, top, width, height);
      if (palette.outlined) outline(context, left, top, width, height, palette.text, 1, isDim);
      if (width >= LABEL_FROM * scale && frames === 1)
        labels.push({ node, left, top, width, color: isFound ? palette.matchText : isDim ? palette.dimText : palette.text });
    });
  }
  mark(context, scene, palette, scene.hovered, false);
  mark(context, scene, palette, scene.selected, true);
  if (palette.outlined) last = '';
  drawLabels(context, scene, palette, labels);
}

function outline(context: CanvasRenderingContext2D, left: number, top: number, width: number, height: number, color: string, thick: number, dashed = false): void {
  context.strokeStyle = color;
  context.lineWidth = thick;
  context.setLineDash(dashed ? [2, 2] : []);
  context.strokeRect(left + thick / 2, top + thick / 2, Math.max(0.5, width - thick), height - thick);
}

/** Marks the node that is pointed at, or chosen. */
function mark(context: CanvasRenderingContext2D, scene: Scene, palette: Palette, node: number, isChosen: boolean): void {
  const { graph, span, scale } = scene;
  if (node < 0 || node >= graph.count) return;
  const row = rowOf(graph, node);
  const pixels = Math.round(scene.width * scale);
  const perUnit = pixels / (span.to - span.from);
  const left = Math.round(Math.max(0, (graph.start[node]! - span.from) * perUnit));
  const right = Math.round(Math.min(pixels, (graph.start[node]! + graph.width[node]! - span.from) * perUnit));
  if (right < 0 || left > pixels || right < left) return;
  const top = Math.round(rowTop(scene, row) * scale);
  const height = Math.round((rowTop(scene, row) + ROW_HEIGHT) * scale) - top - Math.max(1, Math.round(scale));
  const width = Math.max(3, right - left - Math.round(scale));
  if (!isChosen) {
    context.fillStyle = palette.hover;
    context.fillRect(left, top, width, height);
    if (palette.outlined) outline(context, left, top, width, height, palette.selected, 2 * scale);
    return;
  }
  if (palette.selectedFill) {
    context.fillStyle = palette.selectedFill;
    context.fillRect(left, top, width, height);
  }
  outline(context, left, top, width, height, palette.selected, Math.max(2, Math.round(2 * scale)));
}

function drawLabels(context: CanvasRenderingContext2D, scene: Scene, palette: Palette, labels: Label[]): void {
  const { graph, scale } = scene;
  context.font = `${FONT_SIZE * scale}px ${scene.font}`;
  context.textBaseline = 'alphabetic';
  context.direction = 'ltr';
  const advance = context.measureText('mmmmmmmmmm').width / 10;
  const padding = PADDING * scale;
  const baseline = Math.round(13.5 * scale);
  let last = '';
  for (const { node, left, top, width, color } of labels) {
    const { folded } = knownOf(graph, node);
    const text = folded ? `${folded} more…` : graph.labels[graph.name[node]!]!;
    const room = width - 2 * padding;
    const fits = Math.floor(room / advance);
    if (fits < 2) continue;
    const shown = text.length <= fits ? text : `${text.slice(0, fits - 1)}…`;
    const wanted = palette.selectedText && node === scene.selected ? palette.selectedText : color;
    if (wanted !== last) context.fillStyle = last = wanted;
    // Other scripts are as wide as they are: squeezed where need be, which takes time to find out.
    if (PLAIN.test(shown)) context.fillText(shown, left + padding, top + baseline);
    else context.fillText(shown, left + padding, top + baseline, room);
  }
}
