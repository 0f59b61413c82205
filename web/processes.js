// The processes that can be attached to, one click each.
import {attach, listProcesses} from './api.js';
import {h, setText} from './dom.js';
import {count, percent} from './format.js';
import {go} from './route.js';

const REFRESH_MS = 3000;
const ROWS_MAX = 300;

export class ProcessesView {
  constructor(root, route, notify) {
    Object.assign(this, {root, notify, rows: new Map(), processes: [], closed: false});
    this.filter = h('input', {type: 'search', placeholder: 'Filter by name, pid or user', 'aria-label': 'Filter', oninput: () => this.show()});
    this.body = h('tbody');
    this.empty = h('p', {class: 'empty'}, 'Looking for processes…');
    root.replaceChildren(
      h('div', {class: 'attach-bar'}, h('h1', {}, 'Attach to a running program'), this.filter),
      h('table', {class: 'processes'},
        h('caption', {class: 'hidden'}, 'Processes'),
        h('thead', {}, h('tr', {}, ...[['PID', 'number pid'], ['CPU %', 'number cpu'], ['Threads', 'number threads'], ['User', 'user'], ['Runtime', 'runtime'], ['Command', 'command'], ['', 'act']]
          .map(([text, name]) => h('th', {scope: 'col', class: name}, text)))),
        this.body),
      this.empty);
    this.load();
  }

  async load() {
    try {
      if (!document.hidden) this.processes = await listProcesses();
      if (!this.closed) this.show();
    } catch (problem) {
      if (!this.closed) setText(this.empty, problem.message);
    }
    if (!this.closed) this.timer = setTimeout(() => this.load(), REFRESH_MS);
  }

  make(process) {
    const cells = ['number pid', 'number cpu', 'number threads', 'user', 'runtime', 'command'].map((name) => h('td', {class: name}));
    const button = h('button', {type: 'button', class: 'primary', onclick: () => this.attach(process.pid, button)}, 'Profile');
    return {cells, element: h('tr', {}, ...cells, h('td', {class: 'act'}, button))};
  }

  show() {
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const shown = this.processes.filter((process) => {
      const text = `${process.pid} ${process.user} ${process.runtime} ${process.command}`.toLowerCase();
      return words.every((word) => text.includes(word));
    }).slice(0, ROWS_MAX);
    const rows = new Map();
    for (const process of shown) {
      const row = this.rows.get(process.pid) ?? this.make(process);
      rows.set(process.pid, row);
      const texts = [String(process.pid), percent(process.cpu_percent), count(process.threads), process.user, process.runtime, process.command];
      texts.forEach((text, i) => setText(row.cells[i], text));
      row.cells[5].title = process.command;
    }
    // A focused button must not lose the focus: elements move only when the order changed.
    const wanted = [...rows.values()].map(({element}) => element);
    if (wanted.length !== this.body.children.length || wanted.some((element, i) => this.body.children[i] !== element)) {
      const focused = document.activeElement;
      this.body.replaceChildren(...wanted);
      if (this.body.contains(focused)) focused.focus({preventScroll: true});
    }
    this.rows = rows;
    this.empty.hidden = shown.length > 0;
    setText(this.empty, this.processes.length ? 'No process matches the filter.' : 'There is no process that lprofd may attach to. As root it may attach to all.');
  }

  async attach(pid, button) {
    button.disabled = true;
    try {
      const session = await attach(pid);
      go({view: 'lines', id: session.id, by: 'self'});
    } catch (problem) {
      this.notify(problem.message);
    } finally {
      button.disabled = false;
    }
  }

  update() {}

  close() {
    this.closed = true;
    clearTimeout(this.timer);
  }
}
