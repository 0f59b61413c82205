// The observer strip: what is being measured, how well, and at what cost.
import {h, setText, setAttribute} from './dom.js';
import {bytes, count, percent, time} from './format.js';

const figures = [
  ['backend', 'How samples are taken', (s) => s.backend],
  ['event', 'What makes a sample be taken', (s) => s.event],
  ['rate', 'Samples per second of CPU time and thread', (s) => `${count(s.frequency_hz)}\u2009Hz`],
  ['time', 'How long this session has been sampling', (s) => time(s.duration_ns)],
  ['threads', 'Threads alive now', (s) => count(s.threads)],
  ['samples', 'Samples so far', (s) => count(s.samples.total)],
  ['lost', 'Records that lprofd was too slow for', (s) => count(s.samples.lost), (s) => s.samples.lost > 0],
  ['truncated', 'Stacks that were deeper than the copy of them', (s) => count(s.samples.truncated_stacks),
    (s) => s.samples.truncated_stacks > 0.01 * s.samples.total],
  ['lprofd CPU', 'Share of one CPU that lprofd uses', (s) => `${percent(s.observer.daemon_cpu_percent)}\u2009%`],
  ['lprofd memory', 'Memory that lprofd holds', (s) => bytes(s.observer.rss_bytes)],
  ['cost to target', 'Estimated slow-down of the target', (s) => `${percent(s.observer.target_overhead_percent)}\u2009%`],
];

export class Strip {
  constructor(root) {
    this.root = root;
    this.state = h('span', {class: 'state'});
    this.command = h('span', {class: 'command'});
    this.values = figures.map(([name, title]) => {
      const value = h('dd', {}, '–');
      return {value, box: h('div', {class: 'figure', title}, h('dt', {}, name), value)};
    });
    this.summary = h('summary');
    this.list = h('ul');
    this.warnings = h('details', {class: 'warnings', hidden: true}, this.summary, this.list);
    root.replaceChildren(
      h('p', {class: 'target'}, this.state, this.command),
      h('dl', {class: 'figures'}, ...this.values.map(({box}) => box)),
      this.warnings);
  }

  update(session, lost) {
    this.root.hidden = !session;
    if (!session) return;
    const state = lost ? 'no connection' : session.state;
    setText(this.state, state);
    setAttribute(this.state, 'data-state', lost ? 'lost' : session.state);
    setText(this.command, `${session.command || session.executable} · pid ${session.pid}`);
    setAttribute(this.command, 'title', session.executable);
    figures.forEach(([, , read, isBad], i) => {
      setText(this.values[i].value, read(session));
      this.values[i].value.classList.toggle('bad', Boolean(isBad?.(session)));
    });
    this.warn(session.warnings ?? []);
  }

  warn(warnings) {
    this.warnings.hidden = warnings.length === 0;
    setText(this.summary, warnings.length === 1 ? warnings[0] : `${warnings.length} warnings: ${warnings[0]}`);
    const text = warnings.join('\n');
    if (this.warned === text) return;
    this.warned = text;
    this.list.replaceChildren(...warnings.map((warning) => h('li', {}, warning)));
  }
}
