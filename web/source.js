// The annotated source of one file, live.
import {fileLines, fileText} from './api.js';
import {h, setBar, setText} from './dom.js';
import {count, percent, splitPath, time} from './format.js';
import {Grid} from './grid.js';
import {format, replace} from './route.js';

const REFRESH_MS = 1000;
const COLUMNS_MAX = 1000;

function makeRow() {
  const cells = ['line', 'hits', 'time', 'percent'].map((name) => h('span', {role: 'gridcell', class: `number ${name}`}));
  const bar = h('span', {class: 'bar', 'aria-hidden': 'true'});
  const code = h('span', {role: 'gridcell', class: 'code'});
  const row = h('div', {role: 'row', class: 'source-row'}, bar, h('span', {class: 'gutter', role: 'presentation'}, ...cells), code);
  row.parts = {cells, bar, code};
  return row;
}

export class SourceView {
  constructor(root, route, live, notify) {
    Object.assign(this, {root, route, live, notify, costs: new Map(), hot: [], lines: null, closed: false, updated: 0});
    this.name = h('h1');
    this.note = h('p', {class: 'note', hidden: true});
    this.position = h('span', {class: 'position'});
    this.grid = new Grid({label: 'Annotated source', columns: 5, make: makeRow, fill: (row, i) => this.fill(row, i)});
    const head = h('div', {class: 'source-head', 'aria-hidden': 'true'},
      ...[['Line', 'line'], ['Samples', 'hits'], ['Time', 'time'], ['% Time', 'percent']].map(([text, name]) => h('span', {class: `number ${name}`}, text)),
      h('span', {class: 'code'}, 'Source'));
    root.replaceChildren(
      h('div', {class: 'source-bar'}, this.name, this.position,
        h('div', {class: 'buttons'}, this.toggle('self', 'Self'), this.toggle('total', 'With callees'),
          h('button', {type: 'button', title: 'Previous hot line (p)', onclick: () => this.step(-1)}, '↑ hot'),
          h('button', {type: 'button', title: 'Next hot line (n)', onclick: () => this.step(1)}, '↓ hot'))),
      this.note, head, this.grid.element);
    this.keys = (event) => this.key(event);
    document.addEventListener('keydown', this.keys);
    this.load();
  }

  toggle(by, text) {
    return h('a', {class: 'toggle', href: format({...this.route, by, line: null}), 'aria-current': this.route.by === by ? 'true' : null}, text);
  }

  async load() {
    const [source, costs] = await Promise.allSettled([
      fileText(this.route.id, this.route.file), fileLines(this.route.id, this.route.file, this.route.by)]);
    if (this.closed) return;
    if (costs.status === 'rejected') {
      this.explain(costs.reason.message);
      return;
    }
    this.take(costs.value);
    this.showPath(costs.value.path);
    if (source.status === 'fulfilled') this.showText(source.value);
    else this.showWithoutText(source.reason.message);
    this.fetching = source.reason?.reason === 'fetching';
    const target = this.route.line ?? this.hottest();
    if (target) this.select(target);
  }

  showPath(path) {
    const [directory, file] = splitPath(path);
    this.name.replaceChildren(h('span', {class: 'directory'}, directory), h('span', {class: 'file'}, file));
    this.name.title = path;
  }

  // A source that comes from a server was not there at first.
  async lookForText() {
    try {
      const text = await fileText(this.route.id, this.route.file);
      if (this.closed) return;
      this.fetching = false;
      this.note.hidden = true;
      this.showText(text);
    } catch (problem) {
      this.fetching = problem.reason === 'fetching';
      this.explain(problem.message);
    }
  }

  showText({text, stale}) {
    this.lines = text.split('\n');
    if (this.lines.at(-1) === '') this.lines.pop();
    let longest = 0;
    for (const line of this.lines) if (line.length > longest) longest = line.length;
    this.grid.spacer.style.setProperty('--columns', Math.min(longest, COLUMNS_MAX) + 4);
    if (stale) this.explain('This file is not the one that the program was built from: it is newer, or differs. Lines may be off.');
    this.grid.setCount(Math.max(this.lines.length, this.costs.size ? Math.max(...this.costs.keys()) : 0));
  }

  // Without the text there are only the lines with cost.
  showWithoutText(why) {
    this.explain(`${why} Only lines with cost are listed.`);
    this.lines = null;
    this.numbers = [...this.costs.keys()];
    this.grid.setCount(this.numbers.length);
  }

  explain(text) {
    this.note.hidden = false;
    setText(this.note, text);
  }

  take(data) {
    this.total = data.total;
    this.costs = new Map(data.lines.map((line) => [line.line, line]));
    const key = `${this.route.by}_time_ns`;
    this.heat = data.lines.reduce((most, line) => Math.max(most, line[`${this.route.by}_percent`]), 0);
    this.hot = data.lines.filter((line) => line[key] > 0).sort((a, b) => b[key] - a[key]).slice(0, 50).map((line) => line.line).sort((a, b) => a - b);
    const share = data.lines.reduce((sum, line) => sum + line.self_percent, 0);
    setText(this.position, `${percent(share)} % of the CPU time was spent in this file itself`);
  }

  hottest() {
    const key = `${this.route.by}_time_ns`;
    let best = null;
    for (const line of this.costs.values()) if (!best || line[key] > best[key]) best = line;
    return best?.line ?? null;
  }

  lineAt(index) {
    return this.lines ? index + 1 : this.numbers[index];
  }

  indexOf(line) {
    return this.lines ? line - 1 : Math.max(0, this.numbers.indexOf(line));
  }

  fill(row, index) {
    const {cells: [line, hits, spent, share], bar, code} = row.parts;
    const number = this.lineAt(index);
    const cost = this.costs.get(number);
    const by = this.route.by;
    const visible = cost && cost[`${by}_hits`] > 0;
    setText(line, String(number));
    setText(hits, visible ? count(cost[`${by}_hits`]) : '');
    setText(spent, visible ? time(cost[`${by}_time_ns`]) : '');
    setText(share, visible ? percent(cost[`${by}_percent`]) : '');
    share.title = visible ? `95 % interval: ${percent(cost.percent_low)} to ${percent(cost.percent_high)} %` : '';
    setText(code, this.lines ? (this.lines[index] ?? '') : (cost?.function ?? ''));
    setBar(bar, visible && this.heat ? (100 * cost[`${by}_percent`]) / this.heat : 0);
    row.classList.toggle('hot', Boolean(visible));
    row.classList.toggle('selected', number === this.selected);
  }

  select(line) {
    this.selected = line;
    this.grid.scrollTo(this.indexOf(line));
    replace({...this.route, line});
  }

  step(direction) {
    if (!this.hot.length) return;
    const from = this.selected ?? this.lineAt(this.grid.firstVisible());
    const next = direction > 0 ? this.hot.find((line) => line > from) ?? this.hot[0]
      : this.hot.findLast((line) => line < from) ?? this.hot.at(-1);
    this.select(next);
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select')) return;
    if (event.key === 'n') this.step(1);
    else if (event.key === 'p') this.step(-1);
  }

  async update(kind) {
    if (kind !== 'lines' || this.busy || performance.now() - this.updated < REFRESH_MS) return;
    this.busy = true;
    this.updated = performance.now();
    try {
      const data = await fileLines(this.route.id, this.route.file, this.route.by);
      if (this.closed) return;
      this.take(data);
      if (this.fetching) await this.lookForText();
      if (!this.lines) {
        this.numbers = [...this.costs.keys()];
        this.grid.setCount(this.numbers.length);
      }
      this.grid.draw();
    } catch (problem) {
      if (!this.closed) this.notify(problem.message);
    } finally {
      this.busy = false;
    }
  }

  close() {
    this.closed = true;
    document.removeEventListener('keydown', this.keys);
    this.grid.close();
  }
}
