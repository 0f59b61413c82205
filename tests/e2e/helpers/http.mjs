// HTTP as a client that may say anything: fetch() forbids the headers that matter for security.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { gunzipSync } from 'node:zlib';

/** One request: {status, headers, body (Buffer), text, json()}. */
export function request(url, { method = 'GET', headers = {}, body, seconds = 120 } = {}) {
  return new Promise((resolve, reject) => {
    const call = http.request(url, { method, headers, agent: false }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', reject);
      response.on('end', () => {
        const raw = Buffer.concat(parts);
        const packed = response.headers['content-encoding'] === 'gzip';
        const text = () => (packed ? gunzipSync(raw) : raw).toString('utf8');
        resolve({
          status: response.statusCode,
          headers: response.headers,
          body: raw,
          get text() {
            return text();
          },
          json: () => JSON.parse(text()),
        });
      });
    });
    call.setTimeout(seconds * 1000, () => call.destroy(new Error(`no answer: ${method} ${url}`)));
    call.on('error', reject);
    call.end(body);
  });
}

/** Sends bytes as they are and collects what comes back until the peer closes or falls silent. */
export function rawRequest(url, bytes, seconds = 60) {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = net.connect(Number(port), hostname, () => socket.write(bytes));
    socket.setTimeout(seconds * 1000, () => socket.destroy());
    socket.setEncoding('latin1').on('data', (text) => (answer += text));
    socket.on('error', (error) => (error.code === 'ECONNRESET' ? resolve(answer) : reject(error)));
    socket.on('close', () => resolve(answer));
  });
}

/** Asserts an RFC 9457 problem with this status, and gives it. */
export function assertProblem(response, status) {
  assert.equal(response.status, status, response.text);
  assert.match(response.headers['content-type'], /^application\/problem\+json/);
  const problem = response.json();
  assert.equal(problem.status, status);
  assert.equal(typeof problem.type, 'string');
  assert.ok(problem.title.length > 0 && problem.detail.length > 0, JSON.stringify(problem));
  return problem;
}

/**
 * Server-Sent Events as they come: an async iterator of {event, id, data}, until `signal` aborts.
 */
export async function* events(url, { headers = {}, signal } = {}) {
  const response = await fetch(url, {
    headers: { accept: 'text/event-stream', ...headers },
    signal,
  });
  assert.equal(response.status, 200);
  assert.match(response.headers.get('content-type'), /^text\/event-stream/);
  let rest = '';
  for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
    rest += part.replaceAll('\r\n', '\n');
    for (let end; (end = rest.indexOf('\n\n')) >= 0; rest = rest.slice(end + 2)) {
      const event = { event: 'message', id: undefined, data: '' };
      for (const line of rest.slice(0, end).split('\n')) {
        const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
        if (field === 'data') event.data += (event.data ? '\n' : '') + value;
        else if (field) event[field] = value;
      }
      if (event.data) yield event;
    }
  }
}

/** The events of `seconds`, or the first `count`. */
export async function collectEvents(url, { seconds = 10, count = Infinity, ...options } = {}) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), seconds * 1000);
  const collected = [];
  try {
    for await (const event of events(url, { ...options, signal: abort.signal })) {
      collected.push(event);
      if (collected.length >= count) break;
    }
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
  return collected;
}
