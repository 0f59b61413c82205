// The page's budgets: its size, its first paint, and when the first numbers are seen.
import { gzipSync } from 'node:zlib';

import { median, row, sleep, spread, start, startDaemon, targetPath } from './lib.mjs';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking'];
const BUDGET_BYTES = 120_000;
const TURNS = 7;

/** One visit with nothing cached: seconds to the first paint, and to the first row of the hot lines. */
async function visit(browser, url) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  let bytes = 0;
  page.on('response', async (response) => {
    if (/\/assets\/|\/$/.test(new URL(response.url()).pathname)) bytes += gzipSync(await response.body().catch(() => Buffer.alloc(0)), { level: 9 }).length;
  });
  await page.goto(url);
  await page.locator('table.cost [data-row]').first().waitFor();
  const times = await page.evaluate(() => ({
    paint: performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000,
    rows: performance.now() / 1000,
  }));
  await page.waitForTimeout(500);
  await context.close();
  return { ...times, bytes };
}

async function page(t, { quick }) {
  const { chromium } = await import('../e2e/node_modules/playwright-core/index.mjs');
  const target = start(t, targetPath('ratios'), ['120']);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await sleep(1500);
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const visits = [];
    for (let turn = 0; turn < (quick ? 3 : TURNS); turn++) visits.push(await visit(browser, `${daemon.url}/`));
    const paints = visits.map((one) => one.paint);
    const bytes = Math.max(...visits.map((one) => one.bytes));
    return [
      row('page', 'first paint, nothing cached', { ours: spread(paints), unit: 's', target: '<= 0.3 s', holds: median(paints) <= 0.3 }),
      row('page', 'first hot lines in the browser', { ours: spread(visits.map((one) => one.rows)), unit: 's', target: '<= 1 s', holds: median(visits.map((one) => one.rows)) <= 1 }),
      row('page', 'what was loaded, gzipped', { ours: bytes, unit: 'bytes', target: `<= ${BUDGET_BYTES} B`, holds: bytes <= BUDGET_BYTES }),
    ];
  } finally {
    await browser.close();
  }
}

export const figures = { page };
