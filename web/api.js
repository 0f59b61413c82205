// The only file that talks to the daemon.

const BASE = '/api/v1';

export class Problem extends Error {
  constructor(status, title, detail, reason) {
    super(detail || title);
    Object.assign(this, {status, title, reason});
  }
}

async function request(path, options = {}) {
  let response;
  try {
    response = await fetch(BASE + path, {cache: 'no-cache', ...options});
  } catch {
    throw new Problem(0, 'lprofd does not answer', 'lprofd does not answer. It may have been stopped; this page goes on trying.');
  }
  if (response.ok) return response;
  let problem = {};
  try {
    problem = await response.json();
  } catch {
    // not a problem document: the status has to do
  }
  throw new Problem(response.status, problem.title ?? response.statusText, problem.detail, problem.reason);
}

const json = async (path) => (await request(path)).json();
const send = (method, path, body) =>
  request(path, {method, headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)});

export const listSessions = () => json('/sessions');
export const listProcesses = () => json('/processes');
export const attach = async (pid) => (await send('POST', '/sessions', {pid})).json();
export const changeState = (id, state) => send('PATCH', `/sessions/${id}`, {state});
export const detach = (id) => request(`/sessions/${id}`, {method: 'DELETE'});
export const fileLines = (id, file, by) => json(`/sessions/${id}/files/${file}/lines?sort=${by}`);

export async function fileText(id, file) {
  const response = await request(`/sessions/${id}/files/${file}/text`);
  return {text: await response.text(), stale: response.headers.get('Source-Status') === 'stale'};
}

// A session, live. Calls onchange(kind) with 'session', 'totals', 'lines' or 'lost'.
export class Live {
  constructor(id, by, onchange) {
    Object.assign(this, {id, by, onchange, session: null, rows: new Map(), total: {hits: 0, time_ns: 0}});
    this.unknown = null;
    this.lost = null;
    this.problem = null;
    this.closed = false;
    this.connect();
  }

  connect() {
    this.source = new EventSource(`${BASE}/sessions/${this.id}/events?sort=${this.by}&limit=500`);
    this.on('session', (data) => { this.session = data; });
    this.on('totals', (data) => { this.session = {...this.session, ...data}; });
    this.on('lines', (data) => this.merge(data));
    this.source.onopen = () => { this.lost = null; };
    this.source.onerror = () => {
      this.lost = this.source.readyState === EventSource.CLOSED ? 'closed' : 'retrying';
      if (this.lost === 'closed') this.explain();
      else this.onchange('lost');
    };
  }

  // An event stream does not say why it was refused; the session itself does.
  async explain() {
    try {
      await request(`/sessions/${this.id}`);
      this.problem = null;
    } catch (problem) {
      this.problem = problem;
    }
    if (this.closed) return;
    this.timer = setTimeout(() => this.connect(), 3000);
    this.onchange('lost');
  }

  on(name, take) {
    this.source.addEventListener(name, (event) => {
      take(JSON.parse(event.data));
      this.lost = null;
      this.onchange(name);
    });
  }

  merge(data) {
    if (data.reset) this.rows.clear();
    Object.assign(this, {total: data.total, unknown: data.unknown});
    for (const row of data.lines) {
      const key = `${row.file}:${row.line}`;
      if (row.total_hits || row.self_hits) this.rows.set(key, row);
      else this.rows.delete(key);
    }
  }

  // Shares change with every sample, also of rows that nothing was sent about.
  share(row, kind) {
    return this.total.time_ns ? (100 * row[`${kind}_time_ns`]) / this.total.time_ns : 0;
  }

  sorted(kind, limit) {
    const key = `${kind}_time_ns`;
    return [...this.rows.values()].sort((a, b) => b[key] - a[key] || b.total_hits - a.total_hits).slice(0, limit);
  }

  close() {
    this.closed = true;
    clearTimeout(this.timer);
    this.source.close();
  }
}
