// The first page in a real browser: live, clickable, without errors and without policy violations.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { startDaemon } from './helpers/daemon.mjs';
import { atEnd, startTarget } from './helpers/processes.mjs';
import { artifacts, knownLine, needsFiles, needsRoot } from './helpers/programs.mjs';

const CHROMIUM = '/usr/bin/chromium';

/** Opens the page in headless chromium, and collects whatever the console complains about. */
async function open(t, url) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage'],
  });
  atEnd(t, () => browser.close());
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => {
    // A stream that ends with the page is no failure.
    if (!request.url().endsWith('/events')) complaints.push(`failed: ${request.url()}`);
  });
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', (violation) =>
      console.error(`policy: ${violation.violatedDirective} ${violation.blockedURI}`),
    ),
  );
  await page.goto(url);
  return { page, complaints };
}

function canBrowse(t) {
  const driver = new URL('node_modules/playwright-core/package.json', import.meta.url).pathname;
  return (
    needsRoot(t) &&
    needsFiles(t, [CHROMIUM], 'chromium') &&
    needsFiles(t, [driver], 'npm ci --ignore-scripts in tests/e2e')
  );
}

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
