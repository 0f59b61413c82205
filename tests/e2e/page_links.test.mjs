// Odd addresses in a real browser, and sessions that go while they are shown: said in place, nothing asked in vain.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { audit, canBrowse, open } from './helpers/browser.mjs';
import { startDaemon } from './helpers/daemon.mjs';
import { startTarget, until } from './helpers/processes.mjs';

const rows = (page) => page.locator('table.cost tbody tr:not(.group)');
const text = (page, what) => page.locator('main, .notice', { hasText: what }).first();

test('odd addresses explain themselves, and nothing is asked that must fail', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(100);
  const file = await until('the source is known', async () => (await daemon.get('/sessions/1/files?sort=total')).find(({ path }) => path.endsWith('/ratios.c')));
  const { page, complaints } = await open(t, `${daemon.url}/`);
  const source = `#/session/1/source/${file.id}`;
  const long = 'x'.repeat(100_000);
  for (const [hash, says] of [
    ['#/session/999/lines', 'There is no session 999'],
    ['#/session/999/source/3', 'There is no session 999'],
    ['#/session/abc/lines', 'There is no such page'],
    ['#/session/1/bananas', 'There is no such page'],
    ['#/%%%zz%', 'There is no such page'],
    [`#/${long}`, '100\u2009002 characters'],
    [`${source}?line=-1`, 'left out: line=-1'],
    [`${source}?line=1e99`, 'left out: line=1e99'],
    [`${source}?line=4000000`, /There is no line 4.000.000: this file has \d+ lines/],
    [`${source}?find=${long}`, 'left out: find=xxx'],
    ['#/session/1/lines?from=5&to=1', 'left out: from=5, to=1'],
    ['#/session/1/lines?from=NaN&to=NaN', 'left out: from=NaN, to=NaN'],
    ['#/session/1/functions?tid=9999999999', 'left out: tid=9999999999'],
    ['#/session/1/functions?tid=4000000', 'No samples in this selection'],
    [`#/session/1/lines?focus=${long}&filter=${long}`, 'left out: focus=xxx'],
    ['#/session/1/lines?focus=%3B%3B&hide=a.c:0', 'left out: focus=;;, hide=a.c:0'],
    ['#/session/1/lines?focus=%ZZ%', 'No samples in this selection'],
    ['#/session/1/compare?a=77', 'There is no session 77'],
    ['#/session/1/compare?af=3&at=1&bi=x', 'left out: af=3, at=1, bi=x'],
  ]) {
    await page.goto(`${daemon.url}/${hash}`);
    await text(page, says).waitFor();
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${hash.slice(0, 60)} sticks out`);
  }
  await audit(page, 'what was left out');
  assert.deepEqual(complaints, []);
  await page.goto(`${daemon.url}/#/session/1/source/999999`);
  await text(page, 'No such file').waitFor();
  assert.deepEqual(complaints.filter((one) => !/404/.test(one)), [], 'only what the browser itself notes');
});

test('a session that is forgotten while it is shown: what was seen stays, and it is asked for no more', async (t) => {
  if (!canBrowse(t)) return;
  const [first, second] = [await startTarget(t, 'ratios'), await startTarget(t, 'ratios')];
  const daemon = await startDaemon(t, ['--pid', String(first.pid)]);
  await daemon.attach({ pid: second.pid });
  await daemon.waitSamples(100, { session: '/sessions/2' });
  const { page, complaints } = await open(t, 'about:blank');
  const [asked, waiting] = [[], new Set()];
  page.on('request', (request) => { if (request.url().includes('/sessions/2')) waiting.add(request) && asked.push(request.url()); });
  for (const end of ['requestfinished', 'requestfailed']) page.on(end, (request) => waiting.delete(request));
  await page.goto(`${daemon.url}/#/session/2/lines?by=total`);
  await rows(page).first().waitFor();
  const { status } = await daemon.send('DELETE', '/sessions/2?forget=1');
  assert.equal(status, 204);
  const alert = page.getByRole('alert').filter({ hasText: 'no session 2' });
  await alert.waitFor();
  assert.ok(await rows(page).count(), 'what was seen stays');
  assert.equal(await page.evaluate(() => location.hash), '#/session/2/lines?by=total');
  await until('what was on its way is answered', () => waiting.size === 0);
  const before = [asked.length, complaints.length];
  await page.waitForTimeout(3000);
  assert.deepEqual([asked.length, complaints.length], before, asked.slice(before[0]).join());
  await alert.getByRole('link', { name: 'newest session' }).click();
  await until('the session that is left', async () => (await page.evaluate(() => location.hash)) === '#/session/1/lines');
  await rows(page).first().waitFor();
});

test('lprofd starts anew with other sessions: the address stays, and what was seen', async (t) => {
  if (!canBrowse(t)) return;
  const [first, second] = [await startTarget(t, 'ratios'), await startTarget(t, 'ratios')];
  const daemon = await startDaemon(t, ['--pid', String(first.pid)]);
  await daemon.attach({ pid: second.pid });
  await daemon.waitSamples(100, { session: '/sessions/2' });
  const { page, complaints } = await open(t, `${daemon.url}/#/session/2/functions`);
  await rows(page).first().waitFor();
  await daemon.kill();
  await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor();
  const again = await startDaemon(t, ['--listen', `127.0.0.1:${new URL(daemon.url).port}`, '--pid', String(first.pid)]);
  await page.getByRole('alert').filter({ hasText: 'no session 2' }).waitFor();
  assert.ok(await rows(page).count(), 'what was seen stays');
  assert.equal(await page.evaluate(() => location.hash), '#/session/2/functions');
  await again.attach({ pid: second.pid });
  await page.locator('.state', { hasText: 'running' }).waitFor();
  assert.deepEqual(complaints.filter((one) => !/ERR_CONNECTION|ERR_EMPTY|ERR_INCOMPLETE|^failed: /.test(one)), [], 'only that nobody answered');
});

test('views that were left are let go: elements and listeners do not grow', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(200);
  const file = await until('the source is known', async () => (await daemon.get('/sessions/1/files?sort=total')).find(({ path }) => path.endsWith('/ratios.c')));
  await daemon.pause(); // as many rows each time
  const { page, context, complaints } = await open(t, `${daemon.url}/#/session/1/lines`);
  const debug = await context.newCDPSession(page);
  await debug.send('Performance.enable');
  await debug.send('HeapProfiler.enable');
  const views = [
    [`source/${file.id}?by=self`, '.grid-rows .hot'], [`source/${file.id}?callers=6`, '.caller'], ['functions', 'table.cost td'],
    ['compare?af=0&at=100000', 'table.compare td'], ['lines', 'table.cost td'],
  ];
  const round = async () => {
    for (const [view, shows] of views) {
      await page.evaluate((hash) => { location.hash = hash; }, `#/session/1/${view}`);
      await page.locator(shows).first().waitFor();
    }
  };
  const kept = async () => {
    await debug.send('HeapProfiler.collectGarbage');
    const { metrics } = await debug.send('Performance.getMetrics');
    return ['Nodes', 'JSEventListeners'].map((name) => metrics.find((one) => one.name === name).value);
  };
  await round();
  await round();
  const [nodes, listeners] = await kept();
  for (let i = 0; i < 5; i++) await round();
  await until('no more elements and listeners than before', async () => {
    const now = await kept();
    return now[0] <= nodes + 150 && now[1] <= listeners + 5; // a listing has 500 and more
  });
  assert.deepEqual(complaints, []);
});
