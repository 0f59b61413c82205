// The first page in a real browser: live, clickable, without errors and without policy violations.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { canBrowse, open } from './helpers/browser.mjs';
import { startTarget } from './helpers/processes.mjs';
import { artifacts, knownLine } from './helpers/programs.mjs';

test('hot lines appear, grow, and a click shows the listing', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/`);
  const line = knownLine('ratios.c', 'five');
  const hot = page.getByText(new RegExp(`ratios\\.c:${line}\\b`)).first();
  await hot.waitFor({ timeout: 20000 });
  await page.screenshot({ path: join(artifacts(), 'page-lines.png') });
  const before = await page.locator('body').innerText();
  await page.waitForFunction((old) => document.body.innerText !== old, before, { timeout: 20000 });
  await hot.click();
  await page.getByText('WORK(value, 5 * unit)').first().waitFor({ timeout: 20000 });
  await page.screenshot({ path: join(artifacts(), 'page-listing.png') });
  assert.deepEqual(complaints, []);
});

test('idle, the page offers processes to attach to', async (t) => {
  if (!canBrowse(t)) return;
  await startTarget(t, 'sleeper');
  const daemon = await startDaemon(t);
  const { page, complaints } = await open(t, `${daemon.url}/`);
  await page.getByText(/sleeper/).first().waitFor({ timeout: 20000 });
  await page.screenshot({ path: join(artifacts(), 'page-idle.png') });
  assert.deepEqual(complaints, []);
});

test('the page survives the end of the target', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/`);
  await page.getByText(/ratios\.c:/).first().waitFor({ timeout: 20000 });
  target.kill('SIGKILL');
  await page.getByText(/exited/i).first().waitFor({ timeout: 20000 });
  assert.ok(await page.getByText(/ratios\.c:/).count());
  assert.deepEqual(complaints, []);
});
