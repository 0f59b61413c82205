// screenshots.mjs [FOLDER]: the pictures of the README, from real runs: of lprofd, watched by lprofd while
// it profiles Python and answers questions, and of the demo. Needs root, a release build, python3 and the browser.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

import { scoped } from '../bench/lib.mjs';
import { canBrowse, open } from './helpers/browser.mjs';
import { startDaemon } from './helpers/daemon.mjs';
import { sleep, start, startTarget } from './helpers/processes.mjs';
import { ROOT } from './helpers/programs.mjs';

const FOLDER = process.argv[2] ?? join(ROOT, 'packaging/screenshots');
const SAMPLED_MS = 20_000;
const VIEWS = ['lines', 'functions', 'flame', 'compare?af=2&at=8&bf=10&bt=18'];

async function shoot(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await sleep(400);
    await page.screenshot({ path: join(FOLDER, `${name}-${colorScheme}.png`) });
  }
}

async function main(script) {
  if (!canBrowse(script)) throw new Error('needs root, chromium and its driver');
  mkdirSync(FOLDER, { recursive: true });
  const python = start(script, 'python3', ['-c', 'import json\nd = {str(i): list(range(20)) for i in range(200)}\nwhile True: json.loads(json.dumps(d, indent=1))']);
  const watched = await startDaemon(script, ['--frequency', '9970', '--pid', String(python.pid)]);
  const daemon = await startDaemon(script, ['--pid', String(watched.pid)]);
  const { page } = await open(script, `${daemon.url}/#/session/1/lines?kernel=0`, { viewport: { width: 1280, height: 760 } });
  const end = Date.now() + SAMPLED_MS;
  while (Date.now() < end) for (const what of ['lines', 'functions', 'flamegraph', 'timeline']) await watched.get(`/sessions/1/${what}`);
  for (const view of VIEWS) {
    await page.goto(`${daemon.url}/#/session/1/${view}${view.includes('?') ? '&' : '?'}kernel=0`);
    await sleep(2000);
    await shoot(page, view.split('?')[0]);
  }

  const primes = await startTarget(script, 'primes');
  const demo = await startDaemon(script, ['--pid', String(primes.pid)]);
  await demo.waitSamples(4000, { seconds: 60 });
  const { lines: [hottest] } = await demo.get('/sessions/1/lines?limit=1');
  await page.goto(`${demo.url}/#/session/1/source/${hottest.file}?line=${hottest.line}`);
  await sleep(2000);
  await shoot(page, 'source');
}

await scoped(main);
