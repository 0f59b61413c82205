// What only a debuginfod server has: lines and sources come from there, in the background.
import assert from 'node:assert/strict';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { lineRow, startDaemon, warningsOfFaults } from './helpers/daemon.mjs';
import { publicFolder } from './helpers/nobody.mjs';
import { atEnd, run, start, startTarget, until } from './helpers/processes.mjs';
import { knownLine, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';

const FIVE = knownLine('ratios.c', 'five');

/** A root folder with a program without symbols, whose debug file is in another folder. */
async function splitProgram(t) {
  const root = publicFolder(t);
  const debug = publicFolder(t);
  copyFileSync(targetPath('ratios-static'), join(root, 'hidden'));
  const split = `objcopy --only-keep-debug hidden "${debug}/hidden.debug" && strip -s hidden`;
  assert.equal((await run(t, 'sh', ['-c', split], { cwd: root })).code, 0);
  return { root, debug };
}

async function startHidden(t, root) {
  const target = start(t, '/usr/sbin/chroot', [root, '/hidden', '300']);
  await until('the target says ready', () => target.stdout.includes('ready'));
  return target;
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Debian's server, once it has looked at all files of the folder. */
async function startServer(t, folder) {
  const port = await freePort();
  const server = start(t, '/usr/bin/debuginfod',
    ['--fdcache-mbs=16', '--database=:memory:', `--port=${port}`, '--fdcache-fds=16', '-F', folder]);
  const url = `http://127.0.0.1:${port}`;
  await until('debuginfod has indexed the debug file', async () => {
    if (server.over) throw new Error(`debuginfod ended: ${server.stderr}`);
    const metrics = await fetch(`${url}/metrics`).then((answer) => answer.text(), () => '');
    return /^groom\{statistic="buildids"\} [1-9]/m.test(metrics)
      || /^found_debuginfo_total\{source="files"\} [1-9]/m.test(metrics);
  });
  return url;
}

/** lprofd that asks this server, with a cache of its own. */
function attach(t, pid, urls, environment = {}) {
  const env = { ...process.env, DEBUGINFOD_URLS: urls,
    DEBUGINFOD_CACHE_PATH: publicFolder(t), ...environment };
  return startDaemon(t, ['--pid', String(pid)], { env });
}

/** Waits for a warning of the session. */
function waitWarning(daemon, pattern, seconds = 90) {
  return until(`a warning like ${pattern}`, async () => {
    const { warnings } = await daemon.get('/sessions/current');
    return warnings.find((warning) => pattern.test(warning));
  }, seconds);
}

const skips = (t) => !needsRoot(t) || !needsFiles(t, ['/usr/bin/debuginfod'], 'debuginfod');

test('lines and source come from a debuginfod server', async (t) => {
  if (skips(t)) return;
  const { root, debug } = await splitProgram(t);
  const url = await startServer(t, debug);
  const target = await startHidden(t, root);
  const daemon = await attach(t, target.pid, url);

  const lines = await until('the lines are there', async () => {
    const document = await daemon.get('/sessions/current/lines?limit=100');
    return document.total.hits > 1000 && lineRow(document, 'ratios.c', FIVE).self_percent > 50
      && document;
  });
  for (const [mark, share] of [['one', 1 / 8], ['two', 2 / 8], ['five', 5 / 8]]) {
    const row = lineRow(lines, 'ratios.c', knownLine('ratios.c', mark));
    assert.ok(Math.abs(row.self_percent - share * 100) < 6, `${mark}: ${JSON.stringify(row)}`);
  }
  const session = await daemon.get('/sessions/current');
  assert.deepEqual(warningsOfFaults(session), []);
  assert.equal(session.samples.unresolved_frames, 0);

  const file = lineRow(lines, 'ratios.c', FIVE).file;
  const text = await until('the source is there', async () => {
    const answer = await daemon.request(`/api/v1/sessions/current/files/${file}/text`);
    if (answer.status !== 200) assert.equal(answer.json().reason, 'fetching', answer.text);
    return answer.status === 200 && answer.text;
  });
  assert.match(text.split('\n')[FIVE - 1], /known: five/);
  const files = await daemon.get('/sessions/current/files?limit=100');
  assert.equal(files.find(({ id }) => id === file).status, 'found');
});

test('a debug file that no server has is said to be missing', async (t) => {
  if (skips(t)) return;
  const { root } = await splitProgram(t);
  const other = publicFolder(t);
  copyFileSync(targetPath('primes'), join(other, 'primes'));
  const url = await startServer(t, other);
  const target = await startHidden(t, root);
  const daemon = await attach(t, target.pid, url);
  assert.match(await waitWarning(daemon, /not found on any debuginfod server/), /\/hidden/);
});

/** A server on loopback that answers every request in this way. */
async function startFake(t, answer) {
  const server = createServer(answer);
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${server.address().port}`;
}

test('while a server is slow, all else goes on, and lprofd ends at once', async (t) => {
  if (skips(t)) return;
  const { root } = await splitProgram(t);
  const url = await startFake(t, (request, response) => {
    response.writeHead(200, { 'content-length': 1 << 28, 'x-debuginfod-size': 1 << 28 });
    response.write(Buffer.alloc(3 << 20));
  });
  const target = await startHidden(t, root);
  const daemon = await attach(t, target.pid, url);
  await waitWarning(daemon, /^fetching debug information of \/hidden \([0-9.]+ MiB so far\)$/);
  const other = await startTarget(t, 'ratios');
  const location = await daemon.attach({ pid: other.pid });
  await until('lines of another session', async () => {
    const document = await daemon.get(`${location}/lines?limit=100`);
    return lineRow(document, 'ratios.c', FIVE).self_percent > 50;
  });
  const { total, unknown } = await daemon.get('/sessions/current/lines?limit=1');
  assert.ok(total.hits > 0 && unknown, 'samples are counted meanwhile');
  const before = performance.now();
  await daemon.stop();
  assert.ok(performance.now() - before < 30_000, 'the transfer was given up');
});

test('what has come is told also when the server does not say how much there is', async (t) => {
  if (skips(t)) return;
  const { root } = await splitProgram(t);
  const url = await startFake(t, (request, response) => {
    response.writeHead(200); // in chunks: no Content-Length
    response.write(Buffer.alloc(3 << 20));
  });
  const target = await startHidden(t, root);
  const daemon = await attach(t, target.pid, url);
  await waitWarning(daemon, /^fetching debug information of \/hidden \(3\.0 MiB so far\)$/);
});

test('a file of another build is refused', async (t) => {
  if (skips(t)) return;
  const { root, debug } = await splitProgram(t);
  const wrong = join(debug, 'wrong');
  mkdirSync(wrong);
  writeFileSync(join(wrong, 'empty.c'), 'int main(void) { return 0; }\n');
  const build = await run(t, 'gcc', ['-g', '-o', 'wrong', 'empty.c'], { cwd: wrong });
  assert.equal(build.code, 0, build.stderr);
  const url = await startFake(t, (request, response) => {
    response.end(readFileSync(join(wrong, 'wrong')));
  });
  const target = await startHidden(t, root);
  const daemon = await attach(t, target.pid, url);
  assert.match(await waitWarning(daemon, /another build/), /\/hidden/);
});

test('without DEBUGINFOD_URLS no server is asked', async (t) => {
  if (skips(t)) return;
  const { root } = await splitProgram(t);
  const target = await startHidden(t, root);
  const daemon = await attach(t, target.pid, '');
  const warning = await waitWarning(daemon, /has no debug information/);
  assert.doesNotMatch(warning, /debuginfod/);
});
