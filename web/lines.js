// The hottest lines of all files, live.
import {h, setAttribute, setBar, setText} from './dom.js';
import {count, percent, splitPath, time, unknownReasons} from './format.js';
import {format, go} from './route.js';

const ROWS = 100;

function header(name, kind, view) {
  const button = h('button', {type: 'button', class: 'sort', onclick: () => go({...view.route, by: kind})}, name);
  const cell = h('th', {scope: 'col', class: 'number'}, button);
  setAttribute(cell, 'aria-sort', view.route.by === kind ? 'descending' : 'none');
  return cell;
}

class Row {
  constructor() {
    this.rank = h('td', {class: 'number rank'});
    this.directory = h('span', {class: 'directory'});
    this.file = h('span', {class: 'file'});
    this.link = h('a', {}, this.directory, this.file);
    this.callee = h('td', {class: 'function'});
    this.self = h('td', {class: 'number'});
    this.total = h('td', {class: 'number'});
    this.time = h('td', {class: 'number time'});
    this.hits = h('td', {class: 'number hits'});
    this.bar = h('span', {class: 'bar', 'aria-hidden': 'true'});
    this.element = h('tr', {onclick: (event) => this.click(event)},
      this.rank, h('td', {class: 'location'}, this.bar, this.link), this.callee, this.self, this.total, this.time, this.hits);
  }

  // The whole row is a target for the mouse; the link in it is one for everybody.
  click(event) {
    if (event.target.closest('a') || String(getSelection())) return;
    this.link.click();
  }

  show(row, rank, live, route) {
    const [directory, file] = splitPath(row.path);
    const by = route.by;
    const share = live.share(row, by);
    setText(this.rank, String(rank));
    setText(this.directory, directory);
    setText(this.file, `${file}:${row.line}`);
    setAttribute(this.link, 'href', format({view: 'source', id: route.id, file: row.file, line: row.line, by}));
    setAttribute(this.link, 'title', `${row.path}:${row.line}`);
    setText(this.callee, row.function);
    setAttribute(this.callee, 'title', row.function);
    setText(this.self, percent(live.share(row, 'self')));
    setText(this.total, percent(live.share(row, 'total')));
    setText(this.time, time(row[`${by}_time_ns`]));
    setText(this.hits, count(row[`${by}_hits`]));
    const interval = `95 % interval of the ${by} share: ${percent(row.percent_low)} to ${percent(row.percent_high)} %`;
    setAttribute(by === 'self' ? this.self : this.total, 'title', interval);
    // A share that is no larger than its uncertainty cannot be ranked.
    this.element.classList.toggle('vague', row.percent_high - row.percent_low > share);
    setBar(this.bar, share);
    this.element.hidden = false;
  }
}

export class LinesView {
  constructor(root, route, live) {
    Object.assign(this, {root, route, live});
    this.rows = [];
    this.body = h('tbody');
    this.unknownShare = h('td', {class: 'number'});
    this.unknownTime = h('td', {class: 'number time'});
    this.unknownHits = h('td', {class: 'number hits'});
    this.unknownText = h('td', {class: 'location'});
    this.unknownRow = h('tr', {class: 'unknown', hidden: true},
      h('td', {class: 'number rank'}), this.unknownText, h('td', {class: 'function'}),
      this.unknownShare, h('td', {class: 'number'}), this.unknownTime, this.unknownHits);
    this.empty = h('p', {class: 'empty'}, 'Connecting…');
    this.table = h('table', {class: 'lines', hidden: true},
      h('caption', {class: 'hidden'}, 'The hottest source lines'),
      h('thead', {}, h('tr', {},
        h('th', {scope: 'col', class: 'number rank'}, '#'), h('th', {scope: 'col', class: 'location'}, 'Line'),
        h('th', {scope: 'col', class: 'function'}, 'Function'), header('Self %', 'self', this), header('Total %', 'total', this),
        h('th', {scope: 'col', class: 'number time'}, 'Time'), h('th', {scope: 'col', class: 'number hits'}, 'Samples'))),
      this.body, h('tfoot', {}, this.unknownRow));
    root.replaceChildren(this.table, this.empty);
    this.update('lines');
  }

  update(kind) {
    if (kind === 'totals' && !this.empty.hidden) this.explain();
    if (kind === 'lost' && this.live.problem && !this.live.session) setText(this.empty, this.live.problem.message);
    if (kind !== 'lines') return;
    const rows = this.live.sorted(this.route.by, ROWS);
    rows.forEach((row, i) => {
      if (!this.rows[i]) {
        this.rows[i] = new Row();
        this.body.append(this.rows[i].element);
      }
      this.rows[i].show(row, i + 1, this.live, this.route);
    });
    for (const row of this.rows.slice(rows.length)) row.element.hidden = true;
    this.showUnknown();
    this.explain(rows.length);
  }

  showUnknown() {
    const {unknown, total} = this.live;
    this.unknownRow.hidden = !unknown?.self_hits;
    if (this.unknownRow.hidden) return;
    setText(this.unknownText, `No source line: ${unknownReasons(unknown, total.hits)}`);
    setText(this.unknownShare, percent(unknown.self_percent));
    setText(this.unknownTime, time(unknown.self_time_ns));
    setText(this.unknownHits, count(unknown.self_hits));
  }

  explain(rows = this.live.rows.size) {
    const {session, total} = this.live;
    this.table.hidden = rows === 0 && !total.hits;
    this.empty.hidden = !this.table.hidden && rows > 0;
    if (this.empty.hidden || !session) return;
    setText(this.empty, total.hits ? 'No sample could be given a source line yet. The last row says why.' : noSamples(session));
  }

  close() {}
}

function noSamples(session) {
  if (session.state === 'paused') return 'Paused before the first sample. Resume to go on.';
  if (session.state === 'running')
    return 'No samples yet: the program has not used the CPU since lprofd attached. Numbers appear as soon as it does; while it sleeps or waits there is nothing to sample.';
  return 'The program used no CPU time while it was sampled, so there is nothing to show.';
}
