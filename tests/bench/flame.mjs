// The flame graph's budgets, in the page and its browser: a million nodes laid out, drawn and zoomed.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { publicFolder } from '../e2e/helpers/nobody.mjs';
import { median, row, sleep, spread, start, startDaemon, targetPath } from './lib.mjs';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run', '--disable-background-networking'];
const NODES = 1_000_000;
const NAMES = 20_000;
const DEPTH = 60;
const ZOOMS = 12;

/**
 * A graph of so many nodes in the daemon's order: all children of a node, then those of its last child.
 * A few ways down are wide, ever more are narrow; a node has up to 12 children.
 */
function answer(count) {
  let seed = 1;
  const random = () => (seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  const parent = [0];
  const tasks = [{ node: 0, depth: 0, below: count - 1 }];
  while (tasks.length) {
    const { node, depth, below } = tasks.pop();
    const children = depth === DEPTH ? below : Math.min(below, 1 + Math.floor(random() ** 3 * 12));
    let left = below - children;
    for (let i = 0; i < children; i++) {
      const share = i === children - 1 ? left : Math.floor(left * random() ** 2);
      left -= share;
      parent.push(node);
      if (share) tasks.push({ node: parent.length - 1, depth: depth + 1, below: share });
    }
  }
  const self = Array.from({ length: count }, () => Math.floor(random() * 4));
  const total = self.slice();
  for (let node = count - 1; node > 0; node--) total[parent[node]] += total[node];
  const zeros = new Array(count).fill(0);
  const name = Array.from({ length: count }, (_, node) => (node ? 1 + Math.floor(random() * NAMES) : 0));
  return {
    unit: 'samples', total: total[0], total_time_ns: total[0] * 1e6, modules: ['', '/usr/bin/program', '/usr/lib/libone.so', '[kernel]'],
    module_kinds: ['unknown', 'target', 'library', 'kernel'], files: [''], file_ids: [0],
    names: ['all', ...Array.from({ length: NAMES }, (_, i) => `name_space::function_${i}(int, char const*)`)],
    name_module: Array.from({ length: NAMES + 1 }, (_, i) => (i ? 1 + (i % 3) : 0)),
    nodes: {
      parent, name, file: zeros, line: zeros, folded: zeros, self, total,
      self_time_ns: self.map((hits) => hits * 1e6), total_time_ns: total.map((hits) => hits * 1e6),
    },
  };
}

/** In the page: times what its frames and its worker take, in seconds. */
function watchPage() {
  const now_s = () => performance.now() / 1000;
  const seen = { frames: [], layouts: [], searches: [] };
  globalThis.seen = seen;
  const request = globalThis.requestAnimationFrame.bind(globalThis);
  globalThis.requestAnimationFrame = (callback) => request((now) => {
    const began = now_s();
    callback(now);
    seen.frames.push({ at: began, took: now_s() - began });
  });
  globalThis.Worker = class extends Worker {
    constructor(...args) {
      super(...args);
      this.addEventListener('message', ({ data }) => {
        if (data.layout_ms) seen.layouts.push(data.layout_ms / 1000);
        if (data.found) seen.searches.push(now_s() - this.asked);
      });
    }
    postMessage(message, ...more) {
      if (message.type === 'search') this.asked = now_s();
      super.postMessage(message, ...more);
    }
  };
}

/** The CPU time of each task of the page's main thread, in seconds: on a busy machine the clock says nothing of them. */
function tasksOf({ traceEvents }) {
  const main = new Set(traceEvents.filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain').map(({ pid, tid }) => `${pid}/${tid}`));
  return traceEvents.filter(({ name, pid, tid }) => /RunTask$/.test(name) && main.has(`${pid}/${tid}`)).map(({ tdur }) => (tdur ?? 0) / 1e6);
}

/** Zooms in and out by keyboard; the frames drawn meanwhile. */
async function zoom(page, key) {
  const from = await page.evaluate(() => performance.now() / 1000);
  await page.keyboard.press(key);
  await page.waitForTimeout(400);
  return page.evaluate((since) => globalThis.seen.frames.filter(({ at }) => at >= since), from);
}

async function flame(t) {
  const { chromium } = await import('../e2e/node_modules/playwright-core/index.mjs');
  const target = start(t, targetPath('ratios'), ['120']);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await daemon.waitSamples(100);
  target.kill('SIGKILL'); // what has ended is asked for once
  await daemon.waitState('exited');
  const path = join(publicFolder(t), 'flamegraph.json');
  writeFileSync(path, JSON.stringify(answer(NODES)));
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    page.setDefaultTimeout(120_000);
    await page.addInitScript(watchPage);
    await page.route('**/flamegraph?*', (route) => route.fulfill({ contentType: 'application/json', path }));
    await page.goto(`${daemon.url}/#/session/1/flame`);
    await page.getByRole('tree').waitFor();
    await sleep(1000);
    const loaded = await page.evaluate(() => globalThis.seen);

    await browser.startTracing(page, { categories: ['toplevel'] });
    const frames = [];
    for (let turn = 0; turn < ZOOMS; turn++) {
      for (let down = 0; down <= turn % 5; down++) await page.keyboard.press('ArrowDown');
      frames.push(await zoom(page, 'Enter'), await zoom(page, 'Escape'));
    }
    await page.getByRole('searchbox').fill('function_77');
    await page.locator('#flame-found', { hasText: 'of all' }).waitFor();
    await sleep(500);
    const tasks = tasksOf(JSON.parse((await browser.stopTracing()).toString()));
    const { searches } = await page.evaluate(() => globalThis.seen);

    const first = Math.max(...loaded.frames.map(({ took }) => took));
    const drawn = frames.flat().map(({ took }) => took);
    const steps = frames.flatMap((one) => one.slice(1).map(({ at }, i) => at - one[i].at));
    const figure = (what, ours, most) => row('flame', what, { ours: ours.length ? spread(ours) : ours, unit: 'ms', target: `<= ${most * 1000} ms`, holds: (ours.length ? median(ours) : ours) <= most });
    return [
      figure(`${NODES} nodes laid out, in the worker`, median(loaded.layouts), 0.3),
      figure('drawn for the first time', first, 0.05),
      figure('a frame of a zoom drawn', drawn, 0.008),
      figure('from frame to frame of a zoom', steps, 0.017),
      figure('searched, from key to answer', median(searches), 0.3),
      figure('CPU time of the longest task while it zooms and searches', Math.max(...tasks), 0.05),
    ];
  } finally {
    await browser.close();
  }
}

export const figures = { flame };
