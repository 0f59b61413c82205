// Who may talk to lprofd, and what it never gives away.
import assert from 'node:assert/strict';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { assertProblem, rawRequest, request } from './helpers/http.mjs';
import { NOBODY, publicCopy, publicFolder } from './helpers/nobody.mjs';
import { atEnd, run, start, startTarget, until } from './helpers/processes.mjs';
import { LPROF, LPROFD, needsFiles, needsRoot, targetPath } from './helpers/programs.mjs';

const TOKEN = 'correct-horse-battery-staple';

test('only its own names are answered for', async (t) => {
  const daemon = await startDaemon(t);
  const { port } = new URL(daemon.url);
  const as = (host) => daemon.request('/api/v1/status', { headers: { host } });
  for (const host of [`127.0.0.1:${port}`, `localhost:${port}`])
    assert.equal((await as(host)).status, 200, host);
  for (const host of ['evil.example', `evil.example:${port}`, '127.0.0.1', `localhost.evil:${port}`])
    assert.ok([400, 403, 421].includes((await as(host)).status), host);
  assert.match(await rawRequest(daemon.url, 'GET /api/v1/status HTTP/1.1\r\n\r\n'), /^HTTP\/1.1 4/);
  const page = await daemon.request('/', { headers: { host: 'evil.example' } });
  assert.ok(page.status >= 400, 'the page, too');
});

test('another site cannot change anything', async (t) => {
  const daemon = await startDaemon(t);
  const target = await startTarget(t, 'sleeper');
  const post = (headers) =>
    daemon.request('/api/v1/sessions', {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ pid: target.pid }),
    });
  for (const headers of [
    { origin: 'http://evil.example' },
    { origin: 'null' },
    { origin: daemon.url.replace('http:', 'https:') },
    { origin: `${daemon.url}.evil.example` },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site' },
  ])
    assertProblem(await post(headers), 403);
  for (const method of ['PATCH', 'DELETE']) {
    const response = await daemon.request('/api/v1/sessions/1', {
      method,
      headers: { origin: 'http://evil.example', 'content-type': 'application/json' },
      body: '{"state":"paused"}',
    });
    assertProblem(response, 403);
  }
  assert.deepEqual((await daemon.get('/status')).sessions, []);
  const preflight = await daemon.request('/api/v1/sessions', {
    method: 'OPTIONS',
    headers: { origin: 'http://evil.example', 'access-control-request-method': 'POST' },
  });
  assert.equal(preflight.headers['access-control-allow-origin'], undefined);
});

test('every answer carries a strict policy', async (t) => {
  const daemon = await startDaemon(t);
  for (const path of ['/', '/api/v1/status', '/nothing', '/metrics']) {
    const { headers } = await daemon.request(path);
    assert.match(headers['content-security-policy'], /default-src 'none'/, path);
    assert.doesNotMatch(headers['content-security-policy'], /unsafe|\*/, path);
    assert.equal(headers['x-content-type-options'], 'nosniff', path);
    assert.equal(headers['access-control-allow-origin'], undefined, path);
  }
});

test('other addresses than loopback need a token file', async (t) => {
  const args = ['--listen', '0.0.0.0:0'];
  const refused = await run(t, LPROFD, args, { seconds: 60 });
  assert.ok([2, 77, 78].includes(refused.code), `${refused.code} ${refused.signal}`);
  assert.match(refused.stderr, /^lprofd: .*token.*\n$/);

  const folder = publicFolder(t);
  const file = join(folder, 'token');
  writeFileSync(file, `${TOKEN}\n`, { mode: 0o600 });
  const daemon = start(t, LPROFD, [...args, '--token-file', file]);
  const url = await until('its URL', () => {
    assert.ok(!daemon.over, daemon.stderr);
    return /http:\/\/\S+/.exec(daemon.stdout)?.[0];
  });
  const status = `http://127.0.0.1:${new URL(url).port}/api/v1/status`;
  const as = (token) => request(status, { headers: { authorization: `Bearer ${token}` } });
  assertProblem(await request(status), 401);
  for (const wrong of ['', TOKEN.slice(1), `${TOKEN}x`, TOKEN.toUpperCase(), TOKEN.repeat(2)])
    assertProblem(await as(wrong), 401);
  assert.equal((await as(TOKEN)).status, 200);

  // lprof has it from a file, too, and says so.
  const lprof = (...words) => run(t, LPROF, ['report', `http://127.0.0.1:${new URL(url).port}`, ...words]);
  const other = join(folder, 'other');
  writeFileSync(other, `${TOKEN}x\n`, { mode: 0o600 });
  const [without, wrong, right] = [await lprof(), await lprof('--token-file', other), await lprof('--token-file', file)];
  assert.match(without.stderr, /^lprof: \S+ wants a token: .*--token-file FILE\n$/);
  assert.match(wrong.stderr, /^lprof: \S+ wants another token .*--token-file\n$/);
  assert.match(right.stderr, /Nothing is being profiled/);

  chmodSync(file, 0o600);
  writeFileSync(file, '\n');
  const empty = await run(t, LPROFD, [...args, '--token-file', file], { seconds: 60 });
  assert.ok([2, 78].includes(empty.code), `${empty.code}`);
  const none = await run(t, LPROFD, [...args, '--token-file', '/nowhere'], { seconds: 60 });
  assert.ok([1, 78].includes(none.code) && /\/nowhere/.test(none.stderr), none.stderr);
});

/** Of a target whose debug information says that its hot line is in /etc/shadow. */
async function assertShadowIsDenied(daemon) {
  const secret = readFileSync('/etc/shadow', 'utf8');
  await daemon.waitSamples(300);
  const file = await until('the file of the hot line', async () => {
    const document = await daemon.get('/sessions/current/files');
    return (Array.isArray(document) ? document : document.files).find(
      ({ path }) => path === '/etc/shadow',
    );
  });
  const base = `/api/v1/sessions/current/files/${file.id}`;
  const text = await daemon.request(`${base}/text`);
  assertProblem(text, 404);
  const listing = await daemon.request(`${base}/listing`);
  for (const answer of [text.text, listing.text])
    for (const line of secret.split('\n').filter(Boolean))
      assert.ok(!answer.includes(line), 'a line of /etc/shadow');
}

test('debug information that names /etc/shadow yields nothing', async (t) => {
  if (!needsRoot(t)) return;
  const target = start(t, publicCopy(t, targetPath('shadow')), ['60'], NOBODY);
  await until('ready', () => target.stdout.includes('ready'));
  await assertShadowIsDenied(await startDaemon(t, ['--pid', String(target.pid)]));
});

for (const way of ['found', 'heard of'])
  test(`a child that is ${way} and that is another user has not its parent's rights`, async (t) => {
    if (!needsRoot(t)) return;
    if (!needsFiles(t, ['/usr/bin/setpriv'], 'util-linux')) return;
    const { uid, gid } = NOBODY;
    const child = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
    const command = ['/bin/sh', '-c', '"$@" & wait', 'sh', ...child, publicCopy(t, targetPath('shadow')), '60'];
    if (way === 'heard of')
      return assertShadowIsDenied(await startDaemon(t, ['--follow', '--', ...command]));
    const parent = start(t, command[0], command.slice(1));
    await until('ready', () => parent.stdout.includes('ready'));
    atEnd(t, () => {
      const children = readFileSync(`/proc/${parent.pid}/task/${parent.pid}/children`, 'utf8');
      for (const pid of children.trim().split(' ')) process.kill(Number(pid), 'SIGKILL');
    });
    return assertShadowIsDenied(await startDaemon(t, ['--follow', '--pid', String(parent.pid)]));
  });

test('files that no debug information names cannot be had', async (t) => {
  if (!needsRoot(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(100);
  for (const path of [
    '/api/v1/sessions/current/files/..%2f..%2fetc%2fpasswd/text',
    '/api/v1/sessions/current/files/%2fetc%2fpasswd/text',
    '/api/v1/sessions/current/files/0/text',
    '/assets/../../../../etc/passwd',
    '/assets/..%2f..%2f..%2fetc%2fpasswd',
    '/..%2fetc%2fpasswd',
  ]) {
    const answer = await rawRequest(
      daemon.url,
      `GET ${path} HTTP/1.1\r\nHost: ${new URL(daemon.url).host}\r\nConnection: close\r\n\r\n`,
    );
    assert.match(answer, /^HTTP\/1.1 4\d\d/, path);
    assert.doesNotMatch(answer, /root:/);
  }
});

test('a source that became a link to a secret is not followed with our rights', async (t) => {
  if (!needsRoot(t)) return;
  const folder = publicFolder(t);
  const secret = join(folder, 'secret');
  writeFileSync(secret, 'top secret\n', { mode: 0o600 });
  const source = join(folder, 'hot.c');
  writeFileSync(source, 'int main(void) { for (volatile unsigned i = 0;; i++); }\n');
  const program = join(folder, 'hot');
  const built = await run(t, 'gcc', ['-g', '-o', program, source]);
  assert.equal(built.code, 0, built.stderr);
  const moved = await run(t, 'ln', ['-sf', secret, source]);
  assert.equal(moved.code, 0);
  const target = start(t, program, [], NOBODY);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(300);
  const { lines } = await until('a line of it', async () => {
    const document = await daemon.get('/sessions/current/lines');
    return document.lines.some((row) => row.path === source) && document;
  });
  const { file } = lines.find((row) => row.path === source);
  const text = await daemon.request(`/api/v1/sessions/current/files/${file}/text`);
  assertProblem(text, 404);
  assert.ok(!text.text.includes('top secret'));
});

test('malformed and oversized requests are refused, and the next one is served', async (t) => {
  const daemon = await startDaemon(t);
  const { host } = new URL(daemon.url);
  const head = `Host: ${host}\r\nConnection: close\r\n`;
  for (const bytes of [
    'nonsense\r\n\r\n',
    `GET ${'/x'.repeat(50000)} HTTP/1.1\r\n${head}\r\n`,
    `GET / HTTP/1.1\r\n${head}X: ${'y'.repeat(100000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${head}${'A: b\r\n'.repeat(20000)}\r\n`,
    `GET /%00 HTTP/1.1\r\n${head}\r\n`,
    `POST /api/v1/sessions HTTP/1.1\r\n${head}Content-Length: -1\r\n\r\n`,
    `POST /api/v1/sessions HTTP/1.1\r\n${head}Content-Length: 99999999999999999999\r\n\r\n`,
    `POST /api/v1/sessions HTTP/1.1\r\n${head}Transfer-Encoding: chunked\r\n\r\nzz\r\n`,
  ]) {
    const answer = await rawRequest(daemon.url, bytes, 2);
    assert.doesNotMatch(answer, /^HTTP\/1\.[01] [235]\d\d/, bytes.slice(0, 60));
  }
  assert.equal((await daemon.request('/healthz')).status, 200);
});

test('many idle connections do not keep others out for good', async (t) => {
  const daemon = await startDaemon(t);
  const idle = Array.from({ length: 300 }, () => rawRequest(daemon.url, '', 3).catch(() => ''));
  await Promise.all(idle);
  assert.equal((await daemon.request('/healthz')).status, 200);
});
