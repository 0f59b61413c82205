// The listing's budgets on a file of 270,000 lines: mount, update, jump, frames, tasks that block the page.
import { createRequire } from 'node:module';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { longSource, runSource } from '../e2e/helpers/listings.mjs';
import { ROOT } from '../e2e/helpers/programs.mjs';
import { median, row, sleep, spread, startDaemon } from './lib.mjs';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking'];
const LINES = 270_000;
const HOT = 2000; // lines with cost, all of them new with each update
const BLOCKED_MS = 50;

/** The listing alone in an empty page, with the page's style: {mount, updates, jumps} of each visit. */
async function probe(browser, text, turns) {
  const { buildSync } = createRequire(join(ROOT, 'web/package.json'))('esbuild');
  const { outputFiles } = buildSync({ entryPoints: [join(ROOT, 'tests/bench/listing_probe.ts')], bundle: true, minify: true, write: false, format: 'iife' });
  const built = join(ROOT, 'build/release/web');
  const style = readFileSync(join(built, readdirSync(built).find((name) => name.endsWith('.css'))), 'utf8');
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  const found = [];
  for (let visit = 0; visit < 5; visit++) {
    await page.setContent('<!doctype html><body></body>');
    await page.addStyleTag({ content: style });
    await page.addScriptTag({ content: outputFiles[0].text });
    found.push(await page.evaluate(([source, hot, count]) => globalThis.probe(source, hot, count), [text, HOT, turns]));
  }
  await page.close();
  return found;
}

/** The longest task of the page's main thread, in ms of CPU: what else runs on the machine does not lengthen it. */
function longestTask(trace) {
  const mains = trace.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain');
  const tasks = mains.map(({ pid, tid }) => trace.filter((event) => event.name === 'RunTask' && event.pid === pid && event.tid === tid && event.tdur).map(({ tdur }) => tdur / 1000));
  const busiest = tasks.sort((a, b) => b.length - a.length)[0] ?? [];
  if (busiest.length === 0) throw new Error('the trace has no tasks');
  return Math.max(...busiest);
}

/** The page itself, live: ms from the last byte of the text to its lines, frames, and tasks that block. */
async function live(browser, url, seconds) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await page.addInitScript(() => {
    globalThis.seen = { rows: 0 };
    new MutationObserver(() => {
      if (!globalThis.seen.rows && document.querySelector('.grid-rows .code')?.textContent) globalThis.seen.rows = performance.now();
    }).observe(document, { subtree: true, childList: true });
  });
  await page.goto(url);
  await page.locator('.grid-rows .hot').first().waitFor();
  const mount = await page.evaluate(() => globalThis.seen.rows - performance.getEntriesByType('resource').find(({ name }) => name.endsWith('/text')).responseEnd);
  await sleep(2000); // what is being read is read
  await browser.startTracing(page, { categories: ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'] });
  await sleep(seconds * 1000);
  const frames = await page.evaluate(async () => {
    const grid = document.querySelector('.listing .grid');
    const times = [];
    let last = performance.now();
    for (let frame = 0; frame < 180; frame++) {
      grid.scrollTop += 137;
      await new Promise(requestAnimationFrame);
      const now = performance.now();
      times.push(now - last);
      last = now;
    }
    return times;
  });
  const { traceEvents } = JSON.parse((await browser.stopTracing()).toString());
  await page.close();
  return { mount, frames, longest: longestTask(traceEvents) };
}

async function listing(t, { quick }) {
  const { chromium } = await import('../e2e/node_modules/playwright-core/index.mjs');
  const { text, lines } = longSource(LINES);
  const { program } = await runSource(t, 'long.c', text);
  const daemon = await startDaemon(t, ['--pid', String(program.pid)]);
  await daemon.waitSamples(300);
  const file = (await daemon.get('/sessions/1/files?sort=total')).find(({ path }) => path.endsWith('/long.c'));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const alone = await probe(browser, text, quick ? 30 : 100);
    const page = await live(browser, `${daemon.url}/#/session/1/source/${file.id}?by=self`, quick ? 5 : 20);
    const mounts = alone.map((one) => one.mount / 1000);
    const updates = alone.flatMap((one) => one.updates).map((ms) => ms / 1000);
    const jumps = alone.flatMap((one) => one.jumps).map((ms) => ms / 1000);
    const frames = page.frames.sort((a, b) => a - b);
    const at = (share) => frames[Math.floor(share * (frames.length - 1))] / 1000;
    const what = `${lines.toLocaleString('en')} lines`;
    return [
      row('listing', `${what}: shown`, { ours: spread(mounts), unit: 'ms', target: '<= 100 ms', holds: median(mounts) <= 0.1 }),
      row('listing', `${what}: shown by the page, after the last byte of text`, { ours: page.mount / 1000, unit: 'ms', target: '<= 300 ms', holds: page.mount <= 300 }),
      row('listing', `${HOT.toLocaleString('en')} changed lines taken in and drawn`, { ours: spread(updates), unit: 'ms', target: '<= 5 ms', holds: median(updates) <= 0.005 }),
      row('listing', 'a jump to any line, coloured', { ours: spread(jumps), unit: 'ms', target: '<= 16 ms', holds: median(jumps) <= 0.016 }),
      row('listing', 'frames while scrolled, live', { ours: { median: at(0.5), min: at(0.05), max: at(0.95) }, unit: 'ms', target: '<= 17 ms', holds: at(0.5) <= 0.0175 }),
      row('listing', 'longest task while live and scrolled, CPU time', { ours: page.longest / 1000, unit: 'ms', target: `<= ${BLOCKED_MS} ms`, holds: page.longest <= BLOCKED_MS }),
    ];
  } finally {
    await browser.close();
  }
}

export const figures = { listing };
