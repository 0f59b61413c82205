// Answers that are many, large, or wanted by nobody: what lprofd holds of them, and when it ends.
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { atEnd, run, sleep, start, startTarget } from './helpers/processes.mjs';
import { SANITIZED, needsRoot } from './helpers/programs.mjs';

const resident = (pid) => Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096;

/** A connection that asks for `path`, perhaps packed, and reads nothing. */
function ask(t, url, path, header = '') {
  const { host, hostname, port } = new URL(url);
  const socket = net.connect(Number(port), hostname, () =>
    socket.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\n${header}\r\n`));
  socket.on('error', () => {});
  socket.pause();
  atEnd(t, () => socket.destroy());
  return socket;
}

const SOURCE_BYTES = 8 << 20;

/** A daemon, and the path of a text of 8 MiB, which nothing keeps and everybody gets anew. */
async function serveLargeText(t) {
  const folder = publicFolder(t);
  let text = 'volatile unsigned long turns;\nint main(void)\n{\n    for (;;)\n        turns++;\n}\n';
  for (let i = 0; text.length < SOURCE_BYTES; i++) text += `/* line ${i * 7919} that says ${i % 991} */\n`;
  writeFileSync(join(folder, 'large.c'), text);
  const compiled = await run(t, 'gcc', ['-g', '-O0', '-o', 'large', 'large.c'], { cwd: folder });
  assert.equal(compiled.code, 0, compiled.stderr);
  const target = start(t, join(folder, 'large'));
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(200);
  await daemon.waitNames();
  const files = await daemon.get('/sessions/current/files?limit=1000');
  const { id } = files.find(({ path }) => path.endsWith('large.c'));
  return { daemon, path: `/api/v1/sessions/current/files/${id}/text` };
}

test('answers that nobody reads take no more than there is a limit for', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, path } = await serveLargeText(t);
  const base = resident(daemon.pid);
  for (let i = 0; i < 100; i++) ask(t, daemon.url, path);
  let most = 0;
  for (let i = 0; i < 40; i++) {
    await sleep(250);
    most = Math.max(most, resident(daemon.pid) - base);
  }
  // 256 MiB may wait, and what four threads make meanwhile.
  if (!SANITIZED) assert.ok(most < 400 * 2 ** 20, `${most} bytes`);
  assert.equal((await daemon.request('/healthz')).status, 200);
  assert.equal((await daemon.request('/api/v1/sessions/current')).status, 503);
});

test('a server that ends makes no answers any more', async (t) => {
  if (!needsRoot(t)) return;
  const { daemon, path } = await serveLargeText(t);
  const began = performance.now();
  await daemon.request(path, { headers: { 'accept-encoding': 'gzip' } });
  const one = performance.now() - began;
  for (let i = 0; i < 200; i++) ask(t, daemon.url, path, 'Accept-Encoding: gzip\r\n');
  await sleep(300); // they have been asked for
  const ending = performance.now();
  assert.equal((await daemon.request('/healthz')).status, 200, 'that waits for nobody');
  await daemon.stop();
  const ms = performance.now() - ending;
  assert.ok(ms < 20 * one + 1000, `${ms} ms, where one answer takes ${one} ms`);
});

test('requests that never begin, for they have too many parameters, leave nothing behind', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'sleeper');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const path = `/api/v1/status?${'&'.repeat(8000)}`;
  const round = async (count) => {
    for (let i = 0; i < count; i++) {
      const socket = ask(t, daemon.url, path);
      await new Promise((resolve) => setTimeout(() => resolve(socket.destroy()), 4));
    }
    await daemon.request('/healthz');
    return resident(daemon.pid);
  };
  const base = await round(200);
  const grown = (await round(1000)) - base;
  if (!SANITIZED) assert.ok(grown < 12 * 2 ** 20, `${grown} bytes more`); // else it is told at the end
});
