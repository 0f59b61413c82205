// Compare in a real browser: ranges of one session, and two sessions of a program that was rebuilt.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { audit, canBrowse, open, shots } from './helpers/browser.mjs';
import { startDaemon } from './helpers/daemon.mjs';
import { atEnd, run, start, until } from './helpers/processes.mjs';

const WORK = `#include <stdint.h>
volatile uint64_t sink;
static void __attribute__((noinline)) slow(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        sink += i; /* hot */
}
static void __attribute__((noinline)) fast(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        sink ^= i; /* other */
}
int main(void)
{
    for (;;) {
        slow(SLOW);
        fast(100000);
    }
}
`;

/** Compiles the program as PATH/work, as another version when `lines` stand above its code. */
async function build(t, folder, slow, lines = '') {
  writeFileSync(join(folder, 'work.c'), lines + WORK);
  const { code, stderr } = await run(t, 'gcc', ['-g', '-O1', `-DSLOW=${slow}`, '-o', join(folder, 'work'), join(folder, 'work.c')]);
  assert.equal(code, 0, stderr);
}

const hash = (page) => page.evaluate(() => location.hash);

test('two runs of a rebuilt program: the edit above does not shift the comparison', async (t) => {
  if (!canBrowse(t)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lprofd-compare-'));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  await build(t, folder, 300000);
  const first = start(t, join(folder, 'work'));
  const daemon = await startDaemon(t, ['--pid', String(first.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/`);
  await until('the first run has samples', async () => (await daemon.get('/sessions/1')).samples.total > 1000, 300);
  await until('its text was read', async () => {
    const { lines } = await daemon.get('/sessions/1/lines?limit=1');
    const text = await daemon.request(`/api/v1/sessions/1/files/${lines[0].file}/text`);
    return text.status === 200 && text.text.includes('/* hot */');
  });
  first.kill('SIGKILL');
  await first.ended;
  rmSync(join(folder, 'work'));
  await build(t, folder, 50000, '/* one */\n/* more */\n/* comment */\n');
  const second = start(t, join(folder, 'work'));
  const { status } = await daemon.send('POST', '/sessions', { pid: second.pid });
  assert.equal(status, 201);
  await until('the second run has samples', async () => (await daemon.get('/sessions/2')).samples.total > 1000, 300);

  await page.goto(`${daemon.url}/#/session/2/compare`);
  await page.getByText('Compare what with what?').waitFor();
  await audit(page, 'compare, empty');
  await page.getByLabel('Session of A').selectOption('1');
  const slow = page.locator('table.compare tr', { hasText: 'slow' }).first();
  await slow.waitFor();
  await until('B spends a smaller share there, and that is no chance', async () => /\u2212\d[\s\S]*●|●[\s\S]*\u2212\d/.test(await slow.innerText()));
  assert.match(await page.locator('table.compare tr', { hasText: 'fast' }).first().innerText(), /\+\d/);
  await audit(page, 'compare');
  await shots(page, 'page-compare');

  await slow.getByRole('button').first().click();
  const hot = page.locator('table.compare-source tr', { hasText: '/* hot */' });
  await hot.waitFor();
  assert.equal(await hot.count(), 1, 'one row for the line of both versions');
  assert.match(await hot.innerText(), /^\s*6\s+9\s/);
  assert.equal(await page.locator('table.compare-source tr.only-b').count(), 3, 'the comment, and nothing behind the last line');
  assert.equal(await page.locator('table.compare-source tr.only-a').count(), 0);
  await audit(page, 'compare, source');
  await shots(page, 'page-compare-source');
  await page.goBack();
  await slow.waitFor();
  await page.keyboard.press('x');
  await until('exchanged, B spends more', async () => /\+\d/.test(await slow.innerText()));
  assert.match(await hash(page), /a=2|b=1/);
  assert.deepEqual(complaints, []);
});

test('two ranges of one session, typed and from the timeline', async (t) => {
  if (!canBrowse(t)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lprofd-compare-'));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  await build(t, folder, 100000);
  const target = start(t, join(folder, 'work'));
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/#/session/1/compare?kind=functions`);
  await daemon.waitSamples(500);
  await until('the page knows three seconds of it', async () => parseFloat(await page.locator('.figures dd').nth(3).innerText()) >= 3);
  await page.getByRole('button', { name: 'First half against second' }).click();
  await page.locator('table.compare tbody tr').first().waitFor();
  assert.match(await hash(page), /af=0&at=[\d.]+&bf=[\d.]+&bt=[\d.]+/);
  await page.getByLabel('A to, in seconds').fill('0.5');
  await page.getByLabel('A to, in seconds').press('Enter');
  await until('the URL has the typed end', async () => /at=0\.5/.test(await hash(page)));
  await page.getByLabel('A to, in seconds').fill('nonsense');
  await page.getByLabel('A to, in seconds').press('Enter');
  await page.getByRole('alert').filter({ hasText: 'Two times in seconds' }).waitFor();
  await page.goto(`${daemon.url}/#/session/1/compare?af=100000&at=100001&bf=0&bt=2`);
  await page.getByText('No samples in A').waitFor();
  assert.deepEqual(complaints, []);
});

const TWO_THREADS = `#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
volatile uint64_t sink;
static void __attribute__((noinline)) left(void) { for (uint64_t i = 0; i < 100000; i++) sink += i; }
static void __attribute__((noinline)) right(void) { for (uint64_t i = 0; i < 100000; i++) sink ^= i; }
static void *other(void *argument)
{
    pthread_setname_np(pthread_self(), "other");
    for (;;)
        right();
    return argument;
}
int main(void)
{
    pthread_t thread;
    pthread_create(&thread, 0, other, 0);
    for (;;)
        left();
}
`;

test('one thread against another, chosen and from the URL', async (t) => {
  if (!canBrowse(t)) return;
  const folder = mkdtempSync(join(tmpdir(), 'lprofd-compare-'));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'two.c'), TWO_THREADS);
  const { code, stderr } = await run(t, 'gcc', ['-g', '-O1', '-pthread', '-o', join(folder, 'two'), join(folder, 'two.c')]);
  assert.equal(code, 0, stderr);
  const target = start(t, join(folder, 'two'));
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/#/session/1/compare?kind=functions`);
  const other = await until('both threads have samples', async () => {
    const threads = (await daemon.get('/sessions/1/threads')).filter((one) => one.self_time_ns > 3e8);
    return threads.length === 2 && threads.find(({ name }) => name === 'other').tid;
  }, 300);
  await daemon.pause();
  await page.getByText('Compare what with what?').waitFor();
  await page.getByLabel('Threads of A').selectOption(String(target.pid));
  await page.getByLabel('Threads of B').selectOption(String(other));
  await until('the URL has both', async () => (await hash(page)).includes(`ai=${target.pid}&bi=${other}`));
  const shares = async (name) => {
    const cells = await page.locator('table.compare tbody tr', { hasText: name }).first().locator('td.percent').allInnerTexts();
    return cells.map(Number);
  };
  const isApart = async () => {
    const [left, right] = [await shares('left'), await shares('right')];
    return left[0] > 90 && left[1] === 0 && right[0] === 0 && right[1] > 90;
  };
  await until('each function is in its thread alone', () => isApart().catch(() => false));
  await audit(page, 'compare, threads');
  await shots(page, 'page-compare-threads');
  await page.reload();
  await until('the URL is enough', () => isApart().catch(() => false));
  await page.keyboard.press('x');
  await until('exchanged', async () => { const left = await shares('left').catch(() => []); return left[0] === 0 && left[1] > 90; });
  await page.getByRole('button', { name: `Remove thread ${other} from A` }).click();
  await until('A counts all threads', async () => { const right = await shares('right').catch(() => []); return right[0] > 10 && right[1] === 0; });
  await page.goto(`${daemon.url}/#/session/1/compare?ai=999999`);
  await page.getByText('No samples in A').waitFor();
  assert.deepEqual(complaints, []);
});
