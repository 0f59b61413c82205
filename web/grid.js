// A list of very many rows of one height, of which only the visible ones exist; they are recycled.
import {h} from './dom.js';

const OVERSCAN = 12;

export class Grid {
  // make() gives an element; fill(element, index) writes row `index` into it.
  constructor({label, columns, make, fill}) {
    Object.assign(this, {make, fill, count: 0, pool: [], first: 0});
    this.spacer = h('div', {class: 'grid-spacer', role: 'presentation'});
    this.element = h('div', {class: 'grid', role: 'grid', tabindex: '0', 'aria-label': label, 'aria-colcount': columns,
      onscroll: () => this.schedule()}, this.spacer);
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.element);
  }

  setCount(count) {
    this.count = count;
    this.element.setAttribute('aria-rowcount', count);
    const probe = this.row(0);
    this.height = probe.getBoundingClientRect().height || 20;
    this.spacer.style.height = `${count * this.height}px`;
    this.draw();
  }

  row(slot) {
    if (!this.pool[slot]) {
      this.pool[slot] = this.make();
      this.spacer.append(this.pool[slot]);
    }
    return this.pool[slot];
  }

  schedule() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  draw() {
    if (!this.height) return;
    const view = this.element;
    const first = Math.max(0, Math.floor(view.scrollTop / this.height) - OVERSCAN);
    const last = Math.min(this.count, Math.ceil((view.scrollTop + view.clientHeight) / this.height) + OVERSCAN);
    const used = Math.max(0, last - first);
    const slots = Math.max(used, 1);
    for (let slot = 0; slot < this.pool.length || slot < used; slot++) {
      const element = this.row(slot);
      // Row i always lives in slot i modulo the pool, so that scrolling rewrites only what comes in.
      const index = first + ((slot - (first % slots) + slots) % slots);
      element.hidden = slot >= used;
      if (element.hidden) continue;
      element.style.transform = `translateY(${index * this.height}px)`;
      element.setAttribute('aria-rowindex', index + 1);
      this.fill(element, index);
    }
  }

  scrollTo(index) {
    this.element.scrollTop = Math.max(0, index * this.height - this.element.clientHeight / 3);
    this.draw();
  }

  firstVisible() {
    return Math.ceil(this.element.scrollTop / this.height);
  }

  close() {
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
  }
}
