// The map beside the scrollbar: where in the file the cost is. A click goes there.
import type { CostRow } from './costs.ts';
import type { Rows } from './folds.ts';
import type { Sort } from '../types.ts';

const LEAST_PX = 2;

/** The heat of each pixel row, 0 to 1: that of its dearest line. */
export function heatOf(costs: Iterable<CostRow>, rows: Rows, by: Sort, height: number): Float32Array {
  const heat = new Float32Array(height);
  let most = 0;
  for (const cost of costs) {
    const time = cost[`${by}_time_ns`];
    if (!time || !rows.has(cost.line)) continue;
    const first = Math.min(height - 1, Math.floor((rows.rowOf(cost.line) / rows.count) * height));
    for (let y = first; y < Math.min(height, first + LEAST_PX); y++) if (time > heat[y]!) heat[y] = time;
    if (time > most) most = time;
  }
  // The square root lets small costs be seen beside great ones.
  if (most) for (let y = 0; y < height; y++) heat[y] = Math.sqrt(heat[y]! / most);
  return heat;
}

export class HotMap {
  readonly element = document.createElement('div');
  #canvas = document.createElement('canvas');
  #window = document.createElement('div');
  #cursor = document.createElement('div');
  #drawn = '';
  #width = 0;
  #height = 0;
  /** How much of the height is used: a file that is shorter than the view has its marks beside its lines. */
  #used = 1;

  /** `jump` is told a share of the file, 0 to 1. */
  constructor(jump: (share: number) => void) {
    this.element.className = 'hot-map';
    this.element.setAttribute('aria-hidden', 'true'); // n and p go the same ways
    this.element.title = 'Where the cost is in this file. Click to go there.';
    this.#window.className = 'hot-window';
    this.#cursor.className = 'hot-cursor';
    this.element.append(this.#canvas, this.#window, this.#cursor);
    const go = (event: PointerEvent): void => {
      const box = this.element.getBoundingClientRect();
      jump(Math.min(1, Math.max(0, (event.clientY - box.top) / (box.height * this.#used))));
    };
    this.element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      this.element.setPointerCapture(event.pointerId);
      go(event);
    });
    this.element.addEventListener('pointermove', (event) => {
      if (this.element.hasPointerCapture(event.pointerId)) go(event);
    });
  }

  /** Takes its size from the page; what follows only writes. */
  measure(): void {
    this.#width = this.element.clientWidth;
    this.#height = this.element.clientHeight;
  }

  /** `size`: of the rows, in views; `version`: when nothing of it is new, nothing is drawn. */
  draw(costs: Iterable<CostRow>, rows: Rows, by: Sort, size: number, version: string): void {
    this.#used = Math.min(1, size);
    const [width, height] = [this.#width, this.#height];
    const ratio = Math.min(3, devicePixelRatio || 1);
    const key = `${version}/${this.#used}/${width}x${height}@${ratio}`;
    if (!width || !height || key === this.#drawn) return;
    this.#drawn = key;
    const canvas = this.#canvas;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const context = canvas.getContext('2d');
    if (!context || !rows.count) return;
    const heat = heatOf(costs, rows, by, Math.max(1, Math.round(canvas.height * this.#used)));
    context.fillStyle = getComputedStyle(this.element).color;
    heat.forEach((value, y) => {
      if (!value) return;
      context.globalAlpha = 0.25 + 0.75 * value;
      const length = Math.max(0.35, value) * canvas.width;
      context.fillRect(canvas.width - length, y, length, 1);
    });
  }

  /** Where the view and the cursor are, in shares of the file. */
  place(from: number, to: number, cursor: number | null): void {
    const height = this.#height * this.#used;
    this.#window.hidden = from <= 0 && to >= 1;
    this.#window.style.transform = `translateY(${from * height}px)`;
    this.#window.style.height = `${Math.max(4, (to - from) * height)}px`;
    this.#cursor.hidden = cursor === null;
    if (cursor !== null) this.#cursor.style.transform = `translateY(${cursor * height}px)`;
  }
}
