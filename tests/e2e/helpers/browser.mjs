// The page in headless chromium: opened, watched for complaints, audited, photographed.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { atEnd, until } from './processes.mjs';
import { artifacts, needsFiles, needsRoot } from './programs.mjs';

const CHROMIUM = '/usr/bin/chromium';
const FLAGS = [
  '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-quic', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync',
];
const require = createRequire(import.meta.url);

/** Skips the test where there is no browser, no driver or no root. */
export function canBrowse(t) {
  const driver = new URL('../node_modules/playwright-core/package.json', import.meta.url).pathname;
  return (
    needsRoot(t) &&
    needsFiles(t, [CHROMIUM], 'chromium') &&
    needsFiles(t, [driver], 'npm ci --ignore-scripts in tests/e2e')
  );
}

/**
 * Opens the page and collects whatever the console complains about: errors, warnings, violations of
 * the policy, requests that failed. `options` are playwright's of a context: viewport, colorScheme, ...
 */
export async function open(t, url, options = {}) {
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  atEnd(t, () => browser.close());
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000); // a machine may be slow, and have other work
  const complaints = [];
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('requestfailed', (request) => {
    // A question that another one replaced, or a stream that ends with the page, is no failure.
    if (request.failure()?.errorText !== 'net::ERR_ABORTED') complaints.push(`failed: ${request.url()}`);
  });
  await page.addInitScript(() =>
    document.addEventListener('securitypolicyviolation', (violation) =>
      console.error(`policy: ${violation.violatedDirective} ${violation.blockedURI}`),
    ),
  );
  await page.goto(url);
  return { page, complaints, context };
}

/** Fails with what axe-core finds wrong for people who cannot see or point. */
export async function audit(page, where = '') {
  const source = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
  // What fades in is judged when it is there.
  await page.evaluate(() => Promise.allSettled(document.getAnimations().map(({ finished }) => finished)));
  // The debugger's protocol is not bound by the page's policy.
  await page.evaluate(source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  const found = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((node) => node.html).slice(0, 3).join(' ')}`);
  assert.deepEqual(found, [], `axe-core ${where}`);
}

/** Pictures of the page in both themes, as artifacts/NAME-light.png and NAME-dark.png. */
export async function shots(page, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    await page.waitForTimeout(150);
    await page.screenshot({ path: join(artifacts(), `${name}-${colorScheme}.png`) });
  }
}

/** Holds the numbers still by key, and waits until those up to that moment are drawn: the moment, in ns. */
export async function hold(page) {
  const answer = page.waitForResponse((response) => /\/lines\?.*to_ns=/.test(response.url()));
  await page.keyboard.press('Space');
  await page.locator('.state', { hasText: 'held' }).waitFor();
  const response = await answer;
  await response.finished();
  let [seen, since] = ['', 0];
  await until('the last answer is drawn', async () => {
    const now = await page.evaluate(() => (document.querySelector('main [aria-busy="true"]') ? '' : document.querySelector('main').innerText));
    if (now !== seen || !now) [seen, since] = [now, Date.now()];
    return now && Date.now() - since > 1000;
  });
  return Number(new URL(response.url()).searchParams.get('to_ns'));
}
