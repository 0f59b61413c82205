// Starts lprofd on a port of its own, and asks it things.
import assert from 'node:assert/strict';

import { request } from './http.mjs';
import { atEnd, start, until } from './processes.mjs';
import { LPROFD } from './programs.mjs';

const KEEP_NOTHING = ['--symbol-cache', 'off'];

/**
 * Starts lprofd and waits for its URL. When the test ends it must stop on SIGTERM, with success and
 * without a sanitizer's report, unless it was killed before. `under` is a program, with arguments, that
 * executes it: prlimit, say; `program` is a copy of lprofd. `symbol_cache` are the options that say where symbols are kept.
 */
export async function startDaemon(
  t,
  args = [],
  { program: lprofd = LPROFD, under = [], symbol_cache = KEEP_NOTHING, ...options } = {},
) {
  const [command, ...rest] = [...under, lprofd, '--listen', '127.0.0.1:0', ...symbol_cache, ...args];
  const program = start(t, command, rest, options);
  const daemon = Object.assign(Object.create(methods), { program, pid: program.pid });
  atEnd(t, () => daemon.stop());
  daemon.url = await until('lprofd prints its URL', () => {
    if (program.over) throw new Error(`lprofd ended: ${program.stderr}`);
    return /^https?:\/\/\S+$/m.exec(program.stdout)?.[0].replace(/\/$/, '');
  });
  return daemon;
}

const methods = {
  /** Stops lprofd as a service manager would. */
  async stop() {
    if (this.stopped) return;
    this.stopped = true;
    const deadline = setTimeout(() => this.program.kill('SIGKILL'), 90_000);
    this.program.kill('SIGTERM');
    const { code, signal } = await this.program.ended;
    clearTimeout(deadline);
    const report = this.program.stderr;
    assert.ok(!/Sanitizer|runtime error/.test(report), report);
    if (!this.killed) assert.deepEqual({ code, signal, report }, { code: 0, signal: null, report });
  },

  /** Ends lprofd without giving it a chance. */
  async kill() {
    this.killed = true;
    this.program.kill('SIGKILL');
    await this.program.ended;
  },

  /** Any request below the URL. */
  request(path, options) {
    return request(this.url + path, options);
  },

  /** GET of a JSON document that must succeed, below /api/v1. */
  async get(path) {
    const response = await this.request(`/api/v1${path}`);
    assert.equal(response.status, 200, `GET ${path}: ${response.text}`);
    return response.json();
  },

  /** A request with a JSON body, below /api/v1. */
  send(method, path, document) {
    return this.request(`/api/v1${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      body: document === undefined ? undefined : JSON.stringify(document),
    });
  },

  /** Attaches over REST and gives the new session's path, as in Location. */
  async attach(document) {
    const response = await this.send('POST', '/sessions', document);
    assert.equal(response.status, 201, response.text);
    const location = response.headers.location.replace(/^.*\/api\/v1/, '');
    assert.match(location, /^\/sessions\/\d+$/);
    return location;
  },

  /** The session, once it has so many samples. */
  waitSamples(count, { session = '/sessions/current', seconds = 300 } = {}) {
    return until(
      `${count} samples`,
      async () => {
        const document = await this.get(session);
        return document.samples.total >= count && document;
      },
      seconds,
    );
  },

  /** The session, once it is in this state. */
  waitState(state, { session = '/sessions/current', seconds = 90 } = {}) {
    return until(
      `state ${state}`,
      async () => {
        const document = await this.get(session);
        return document.state === state && document;
      },
      seconds,
    );
  },

  /** Waits until all that was sampled so far has been looked up: names and lines come in the background. */
  waitNames(session = '/sessions/current') {
    return until('nothing has still to be looked up', async () => {
      const { functions } = await this.get(`${session}/functions?limit=10000`);
      return functions.every((one) => one.function !== '[not looked up yet]');
    });
  },

  /** Stops the numbers of a session, so that several queries see the same ones. */
  async pause(session = '/sessions/current') {
    const response = await this.send('PATCH', session, { state: 'paused' });
    assert.equal(response.status, 200, response.text);
    return this.waitState('paused', { session });
  },
};

/**
 * A session's warnings, but for records lost: a ring holds what a tenth of a second brings, and on a busy
 * machine lprofd, slow under sanitizers, may be kept from reading for longer. That is said, as it should be.
 */
export const warningsOfFaults = ({ warnings }) =>
  warnings.filter((text) => !/records were lost because lprofd was kept from reading/.test(text));

/** The row of a line, or one without cost. */
export function lineRow(document, path, line) {
  const row = document.lines.find((one) => one.line === line && one.path.endsWith(path));
  return row ?? { path, line, self_hits: 0, total_hits: 0, self_percent: 0, total_percent: 0 };
}
