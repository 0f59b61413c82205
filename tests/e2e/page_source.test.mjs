// The annotated source in a real browser: numbers as REST has them, long files, damaged files, keys.
import assert from 'node:assert/strict';
import { rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { audit, canBrowse, hold, open, shots } from './helpers/browser.mjs';
import { startDaemon } from './helpers/daemon.mjs';
import { longSource, runSource, scratch } from './helpers/listings.mjs';
import { startTarget, until } from './helpers/processes.mjs';
import { artifacts, knownLine } from './helpers/programs.mjs';

const hash = (page) => page.evaluate(() => location.hash);
const option = async (page, name) => new URLSearchParams((await hash(page)).split('?')[1] ?? '').get(name);
const grid = (page) => page.getByRole('grid', { name: 'Annotated source' });
/** The row of a line, by its number. */
const row = (page, line) => page.locator('.grid-rows .row').filter({ has: page.locator('.line', { hasText: new RegExp(`^${line}$`) }) });
const cell = (page, line, name) => row(page, line).locator(`.${name}`).innerText();
const isSeen = (page, line) =>
  row(page, line).evaluate((element) => {
    const box = element.getBoundingClientRect();
    const view = element.closest('.grid').getBoundingClientRect();
    return box.top > view.top - 1 && box.bottom < view.bottom + 1; // heights need not be whole pixels
  });
const cursor = async (page) => Number(await page.locator('.grid-rows .cursor .line').innerText());
/** Waits until the cursor is drawn on a line. */
const cursorAt = (page, line, what = `the cursor is at line ${line}`) => until(what, async () => (await cursor(page)) === line);
const number = (text) => Number(text.replace(/[^\d.]/g, ''));

/** The page of a file of a profiled process, once it has samples. */
async function show(t, pid, name, { query = '', browser = {}, samples = 100 } = {}) {
  const daemon = await startDaemon(t, ['--pid', String(pid)]);
  await daemon.waitSamples(samples);
  const file = await until(`${name} has cost`, async () =>
    (await daemon.get('/sessions/1/files?limit=1000&sort=total')).find(({ path }) => path.endsWith(name)));
  const { page, complaints, context } = await open(t, `${daemon.url}/#/session/1/source/${file.id}${query}`, browser);
  return { daemon, page, complaints, context, file, base: `/sessions/1/files/${file.id}` };
}

test('numbers are those of REST, live, and hold still when held', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'primes');
  const { daemon, page, complaints, base } = await show(t, target.pid, '/primes.c');
  const divide = knownLine('primes.c', 'divide');
  await row(page, divide).waitFor();
  const before = number(await cell(page, divide, 'hits'));
  await until('hits grow', async () => number(await cell(page, divide, 'hits')) > before);
  await audit(page, 'source');
  await hold(page);
  const held = await page.locator('.grid-rows').innerText();
  await page.waitForTimeout(1500);
  assert.equal(await page.locator('.grid-rows').innerText(), held, 'held numbers stand still');
  await page.keyboard.press(' ');
  await until('they go on', async () => (await page.locator('.grid-rows').innerText()) !== held);
  await daemon.pause();
  await until('the page has what REST has', async () => {
    const { lines, total } = await daemon.get(`${base}/lines?sort=total`);
    const line = lines.find((one) => one.line === divide);
    const shown = [await cell(page, divide, 'hits'), await cell(page, divide, 'total'), await cell(page, divide, 'self')].map(number);
    const title = await row(page, divide).locator('.total').getAttribute('title');
    return shown[0] === line.total_hits && Math.abs(shown[1] - (100 * line.total_time_ns) / total.time_ns) < 0.06 &&
      Math.abs(shown[2] - (100 * line.self_time_ns) / total.time_ns) < 0.06 &&
      title.match(/[\d.]+ to [\d.]+ %/)[0].match(/[\d.]+/g).map(Number).join() === [line.percent_low, line.percent_high].map((share) => Number(share.toFixed(1))).join();
  });
  await page.evaluate(() => { location.hash = location.hash.split('?')[0] + '?from=0.1&to=0.6'; });
  await until('the numbers of a range', async () => {
    const { lines } = await daemon.get(`${base}/lines?from_ns=100000000&to_ns=600000000`);
    return number(await cell(page, divide, 'hits')) === lines.find((one) => one.line === divide).total_hits;
  });
  await page.goBack();
  await until('what is known of the file', async () => /primes\.c[\s\S]*C[\s\S]*primes[\s\S]*source matches[\s\S]*% of the program/.test(await page.locator('.file-head').innerText()));
  assert.equal(await row(page, divide).locator('.t-keyword').first().innerText(), 'if');
  await shots(page, 'page-source');
  for (const width of [320, 1920]) {
    await page.setViewportSize({ width, height: width === 320 ? 640 : 1080 });
    await shots(page, `page-source-${width}`);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${width} px: nothing sticks out`);
  }
  assert.deepEqual(complaints, []);
});

test('keys alone: hot lines, self and total, going to a line, finding, callers, copying', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const { page, complaints, context } = await show(t, target.pid, '/ratios.c', { query: '?line=1&by=self', browser: { permissions: ['clipboard-read', 'clipboard-write'] } });
  const [one, two, five] = ['one', 'two', 'five'].map((mark) => knownLine('ratios.c', mark));
  for (const line of [one, two, five]) await row(page, line).and(page.locator('.hot')).waitFor();
  const keys = page.keyboard;
  await cursorAt(page, 1);
  await keys.press('n');
  await cursorAt(page, one, 'n: the next hot line of the file');
  await keys.press('n');
  await cursorAt(page, two);
  await keys.press('p');
  await cursorAt(page, one);
  await keys.press('h');
  await cursorAt(page, five, 'h: the dearest');
  await until('the URL has the line', async () => (await option(page, 'line')) === String(five));
  await keys.press('ArrowDown');
  await keys.press('Shift+ArrowDown');
  await until('the URL has the selection', async () => (await option(page, 'line')) === `${five + 1}-${five + 2}`);
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await keys.press('Control+c');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await until('the text is copied, without the numbers', async () => (await copied()) === '    return value;\n}\n');
  await keys.press('t');
  await until('total', async () => /^Total/.test(await page.locator('.source-bar [aria-pressed="true"]').first().innerText()));
  await keys.press('t');
  await keys.press(':');
  await keys.type('21');
  await keys.press('Enter');
  await cursorAt(page, 21);
  await keys.press('/');
  await keys.type('VALUE');
  await until('capitals find nothing', async () => (await page.locator('.found').innerText()) === '0');
  await keys.press('Control+a');
  await keys.type('value');
  await until('small letters find all', async () => /^\d+$/.test(await page.locator('.found').innerText()) && number(await page.locator('.found').innerText()) > 3);
  await keys.press('Enter');
  await until('the cursor is at a match', async () => (await page.locator('.grid-rows .cursor .match.current').count()) === 1);
  const first = await cursor(page);
  await keys.press('Enter');
  await until('the next match', async () => /^(\d+) of/.test(await page.locator('.found').innerText()));
  await keys.press('Escape');
  await keys.press('Shift+F3');
  await until('the match before', async () => (await cursor(page)) <= first + 20);
  assert.equal(await option(page, 'find'), 'value');
  await keys.press('Escape');
  await until('nothing is marked', async () => (await page.locator('.match').count()) === 0);
  await keys.press('h');
  await keys.press('c');
  const callers = page.getByRole('complementary', { name: `Callers of ratios.c:${five}` });
  await callers.getByText('five', { exact: true }).waitFor();
  await callers.getByText('mix', { exact: true }).waitFor();
  await callers.getByText('main', { exact: true }).waitFor();
  await audit(page, 'callers');
  await shots(page, 'page-source-callers');
  await keys.press('Escape');
  await callers.waitFor({ state: 'detached' });
  await page.goBack();
  await callers.waitFor();
  assert.deepEqual(complaints, []);
});

test('270,000 lines: shown at once, all of them reached, found and kept by Back and Forward', async (t) => {
  if (!canBrowse(t)) return;
  const { text, hot, lines } = longSource(270_000);
  const { program } = await runSource(t, 'long.c', text);
  const { page, complaints } = await show(t, program.pid, '/long.c', { query: '?by=self' });
  await page.locator('.grid-rows .hot').first().waitFor();
  assert.equal(await grid(page).getAttribute('aria-rowcount'), String(lines + 1));
  await cursorAt(page, hot.at(-1), 'it opens at the dearest line');
  assert.ok((await page.locator('.grid-rows .row').count()) < 120, 'only what is seen exists');
  for (const line of hot) {
    await page.keyboard.press('n');
    await cursorAt(page, line);
    await until(`line ${line} is seen`, () => isSeen(page, line).catch(() => false));
    assert.equal(await row(page, line).locator('.code').innerText(), text.split('\n')[line - 1]);
  }
  await page.keyboard.press(':');
  await page.keyboard.type('135000');
  await page.keyboard.press('Enter');
  await until('the middle', () => isSeen(page, 135_000).catch(() => false));
  await page.keyboard.press(':');
  await page.keyboard.type('200000');
  await page.keyboard.press('Enter');
  await until('further on', () => isSeen(page, 200_000).catch(() => false));
  await page.goBack();
  await until('Back is the middle again', () => isSeen(page, 135_000).catch(() => false));
  await page.goForward();
  await until('Forward, too', () => isSeen(page, 200_000).catch(() => false));
  await page.keyboard.press('/');
  await page.keyboard.type('known: hot');
  await until('all of the text is searched', async () => (await page.locator('.found').innerText()) === String(hot.length));
  await page.keyboard.press('Enter');
  await until('the next match', async () => (await cursor(page)) === hot.find((line) => line > 200_000));
  await page.keyboard.press('Escape');
  await page.keyboard.press('End');
  await until('the end', () => isSeen(page, lines).catch(() => false));
  await page.keyboard.press('Home');
  await until('the beginning', () => isSeen(page, 1).catch(() => false));
  await until('it has its colours', async () => (await row(page, 1).locator('.code span').first().getAttribute('class')) === 't-meta');
  // The map goes where one clicks, and the listing stays there while numbers come in.
  const box = await page.locator('.hot-map').boundingBox();
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  const top = () => grid(page).evaluate((element) => element.scrollTop);
  await until('where it was clicked', async () => Math.abs((await top()) - 135_000 * 20) < 3000 * 20);
  const there = await top();
  await page.waitForTimeout(2500);
  assert.equal(await top(), there, 'nothing moves while live');
  await shots(page, 'page-source-long');
  assert.deepEqual(complaints, []);
});

test('a source that is missing, or newer than the program, says so and what would help', async (t) => {
  if (!canBrowse(t)) return;
  const folder = scratch(t);
  const { text, hot } = longSource(60, [0.2]);
  const { path, program } = await runSource(t, 'gone.c', text, { folder });
  utimesSync(path, new Date(), new Date(Date.now() + 3600e3));
  const { daemon, page, complaints, file } = await show(t, program.pid, '/gone.c', { query: '?by=self' });
  await page.locator('.note', { hasText: '--source-path' }).filter({ hasText: 'This may not be the source' }).waitFor();
  await page.locator('.file-head', { hasText: 'source may differ' }).waitFor();
  await row(page, hot[0]).waitFor();
  await shots(page, 'page-source-stale');
  assert.deepEqual(complaints, []);
  rmSync(path);
  const second = await open(t, `${daemon.url}/#/session/1/source/${file.id}?by=self`);
  await second.page.locator('.note', { hasText: 'is not there' }).filter({ hasText: '--source-path' }).waitFor();
  await row(second.page, hot[0]).waitFor();
  await until('lines with cost are rows also without text', async () => /hot_0/.test(await row(second.page, hot[0]).innerText()));
  await shots(second.page, 'page-source-missing');
  // The browser itself notes that a request was answered with 404.
  assert.deepEqual(second.complaints.filter((one) => !/404/.test(one)), []);
});

test('callers of a line: a row for each line that calls, by its cost, and the way there', async (t) => {
  if (!canBrowse(t)) return;
  const source = `#include <stdio.h>
static volatile unsigned sink;
__attribute__((noinline)) static void work(unsigned count)
{
    while (count--) sink += count; /* hot */
}
static inline __attribute__((always_inline)) void helper(void)
{
    work(30000); /* in inlined code */
}
int main(void)
{
    setvbuf(stdout, 0, _IONBF, 0);
    puts("ready");
    for (;;) {
        work(60000); /* most */
        helper();
        work(10000); /* least */
    }
}
`;
  const line = (mark) => source.split('\n').findIndex((text) => text.includes(mark)) + 1;
  const { program } = await runSource(t, 'calls.c', source);
  const { daemon, page, complaints } = await show(t, program.pid, '/calls.c', { query: '?by=self', samples: 1500 });
  await daemon.pause();
  await row(page, line('/* hot */')).and(page.locator('.hot')).waitFor();
  await page.keyboard.press('h');
  await page.keyboard.press('c');
  const callers = page.getByRole('complementary', { name: `Callers of calls.c:${line('/* hot */')}` });
  const rows = callers.locator('.caller').filter({ hasText: 'calls.c' }); // below main are libc's
  await until('all that call', async () => (await rows.count()) === 5);
  const shown = (await rows.allInnerTexts()).map((text) => text.replace(/[\u25be\u25b8\u2191]/g, '').split(/\s+/).filter(Boolean));
  const sites = shown.map(([, name, place]) => `${name} ${place}`);
  assert.deepEqual(sites, [
    `work calls.c:${line('/* hot */')}`, `main calls.c:${line('/* most */')}`, `helper calls.c:${line('/* in inlined code */')}`,
    `main calls.c:${line('helper();')}`, `main calls.c:${line('/* least */')}`,
  ]);
  const share = (at) => Number(shown[at][0]);
  assert.ok(Math.abs(share(1) + share(2) + share(4) - share(0)) < 0.2, 'the calls add up to the line');
  assert.ok(Math.abs(share(1) - 60) < 10 && Math.abs(share(2) - 30) < 10, `as often as they call: ${shown}`);
  await shots(page, 'page-source-call-sites');
  await rows.nth(4).getByRole('link').click();
  await until('the line of the call', () => isSeen(page, line('/* least */')).catch(() => false));
  assert.equal(await cursor(page), line('/* least */'));
  assert.equal(await option(page, 'callers'), String(line('/* hot */')), 'the callers stay');
  assert.deepEqual(complaints, []);
});

test('a file with fewer lines than cost keeps the rows of the others', async (t) => {
  if (!canBrowse(t)) return;
  const { text, hot } = longSource(90, [0.8]);
  const { path, program } = await runSource(t, 'cut.c', text);
  writeFileSync(path, 'int first;\nint last;\n');
  const { page } = await show(t, program.pid, '/cut.c', { query: '?by=self' });
  await row(page, hot[0]).waitFor();
  await until('it says so', async () => /hot_0.*no such line/.test(await row(page, hot[0]).innerText()));
  await row(page, 2).waitFor();
});

test('hostile text and names are text: markup, controls, directions, long lines, Latin-1, CRLF', async (t) => {
  if (!canBrowse(t)) return;
  const source = [
    '#include <cstdio>', 'struct script {};', 'static volatile unsigned sink;',
    'template <class T> __attribute__((noinline)) void work(unsigned count) {', '    while (count--) sink += count; // <script>document.title = "bad"</script> <img src=x onerror=alert(1)>', '}',
    `// \u202e direction \u2066 zero\u200bwidth \x1b[31m escape \x01`, `// ${'long '.repeat(200_000)}`, '// caf\xe9 in Latin-1', '// \ttab',
    'int main() { setvbuf(stdout, 0, _IONBF, 0); puts("ready"); for (;;) work<script>(1000); }',
  ];
  // Latin-1 where the line says so, UTF-8 elsewhere, as damaged files are.
  const bytes = Buffer.concat(source.map((line) => Buffer.from(`${line}\r\n`, line.includes('Latin-1') ? 'latin1' : 'utf8')));
  const { program } = await runSource(t, '<img src=x onerror=alert(1)>.cpp', bytes, { compiler: 'c++' });
  const { page, complaints } = await show(t, program.pid, '.cpp', { query: '?by=self&line=5' });
  await row(page, 5).and(page.locator('.hot')).waitFor();
  assert.match(await page.locator('.file-head h2').innerText(), /<img src=x onerror=alert\(1\)>\.cpp$/);
  assert.match(await row(page, 5).locator('.code').innerText(), /<script>document\.title = "bad"<\/script> <img src=x/);
  await page.locator('.function-at', { hasText: 'work<script>' }).waitFor();
  assert.equal(await page.locator('main img, main script').count(), 0);
  assert.match(await page.title(), /lprofd/);
  assert.deepEqual(await row(page, 7).locator('.odd').allInnerTexts(), ['U+202E', 'U+2066', 'U+200B', '^[', '^A']);
  await row(page, 8).locator('.more', { hasText: 'more characters' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('long long');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Shift+Enter');
  await until('what is found is seen', () => page.locator('.match.current').isVisible());
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press(':');
  await page.keyboard.type('5');
  await page.keyboard.press('Enter');
  await cursorAt(page, 5);
  assert.ok((await row(page, 8).locator('.code').innerText()).length < 2200);
  assert.match(await cell(page, 9, 'code'), /caf\u00e9 in Latin-1/);
  assert.ok(!/\r/.test(await cell(page, 5, 'code')));
  await page.keyboard.press('c');
  await page.getByRole('complementary').getByText('work<script>').first().waitFor();
  await shots(page, 'page-source-hostile');
  assert.deepEqual(complaints, []);
});

test('cold code folds and unfolds; shares are of the program, the file or the function', async (t) => {
  if (!canBrowse(t)) return;
  const { text, hot, lines } = longSource(4000, [0.3, 0.6]);
  const { program } = await runSource(t, 'cold.c', text);
  const { page, daemon, base, complaints } = await show(t, program.pid, '/cold.c', { query: '?by=self' });
  await row(page, hot[1]).and(page.locator('.hot')).waitFor();
  await page.getByRole('button', { name: 'Fold cold' }).click();
  await page.locator('.folded').first().waitFor();
  await until('the URL says folded', async () => (await option(page, 'fold')) === 'cold');
  const count = async () => Number(await grid(page).getAttribute('aria-rowcount'));
  await until('few rows are left', async () => (await count()) < 60);
  await until('both hot lines are seen at once', async () => (await Promise.all(hot.map((line) => isSeen(page, line).catch(() => false)))).every(Boolean));
  assert.match(await page.locator('.folded').nth(1).innerText(), /\d+ lines of cold code, (no|\d+) sample/);
  await shots(page, 'page-source-folded');
  const folded = await count();
  await page.locator('.folded').nth(1).click();
  await until('one is open', async () => (await count()) > folded + 1000);
  await page.keyboard.press(':');
  await page.keyboard.type('100');
  await page.keyboard.press('Enter');
  await until('a line that was folded away', () => isSeen(page, 100).catch(() => false));
  await page.keyboard.press('f');
  await until('all rows', async () => (await count()) === lines + 1);
  await daemon.pause();
  const { functions } = await daemon.get(`${base}/functions`);
  const whole = functions.find((one) => one.function === 'hot_1');
  await page.keyboard.press('h');
  for (const [share, least] of [['function', 99.9], ['file', 50], ['program', 50]]) {
    await page.getByLabel('% of').selectOption(share);
    await until(`% of ${share}`, async () => number(await cell(page, hot[1], 'self')) >= least);
    await until('the URL, too', async () => (await option(page, 'share')) === (share === 'program' ? null : share));
  }
  assert.ok(whole.end_line === null || whole.end_line === hot[1] + 1);
  await until('the function at the cursor', async () => /hot_1\s*[\d.]+ % total [\d.]+ % self/.test(await page.locator('.function-at').innerText()));
  assert.deepEqual(complaints, []);
});

test('inlined code: counted where it is written or where it is called from', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'inlines');
  const { page, complaints } = await show(t, target.pid, '/inlines.c', { query: '?by=self', samples: 400 });
  const [written, quarter] = ['written', 'quarter'].map((mark) => knownLine('inlines.c', mark));
  await row(page, written).and(page.locator('.hot')).waitFor();
  assert.equal(await cell(page, written, 'inlined'), '\u00d72', 'into two callers');
  assert.equal(await cell(page, quarter, 'self'), '');
  await page.keyboard.press('i');
  await until('the callers have the cost', async () => number(await cell(page, quarter, 'self')) > 10);
  await until('the URL says so', async () => (await option(page, 'inlines')) === 'called');
  await page.getByRole('button', { name: 'Written here' }).click();
  await until('the line has it again', async () => number(await cell(page, written, 'self')) > 90);
  assert.deepEqual(complaints, []);
});

test('the mouse: numbers show callers, line numbers select, text is copied as it is', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'primes');
  const { page, context, complaints } = await show(t, target.pid, '/primes.c', { query: '?by=self' });
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  const divide = knownLine('primes.c', 'divide');
  await row(page, divide).and(page.locator('.hot')).waitFor();
  await row(page, divide).locator('.hits').click();
  await page.getByRole('complementary').waitFor();
  await until('the URL has the line', async () => (await option(page, 'callers')) === String(divide));
  await page.getByRole('button', { name: 'Close the callers' }).click();
  await row(page, 6).locator('.line').click();
  await row(page, 8).locator('.line').click({ modifiers: ['Shift'] });
  await until('lines are selected', async () => (await page.locator('.grid-rows .selected').count()) === 3);
  await page.locator('.function-at', { hasText: '3 lines selected' }).waitFor();
  const from = await row(page, 8).locator('.code').boundingBox();
  const to = await row(page, 10).locator('.code').boundingBox();
  await page.mouse.move(from.x + 45, from.y + 10);
  await page.mouse.down();
  await page.mouse.move(to.x + 100, to.y + 10, { steps: 5 });
  await page.mouse.up();
  await page.keyboard.press('Control+c');
  const copied = () => page.evaluate(() => navigator.clipboard.readText());
  await until('three lines are copied', async () => (await copied()).split('\n').length === 3);
  assert.equal((await copied()).split('\n')[1], '    for (unsigned candidate = 2; found < count; candidate++) {');
  assert.deepEqual(complaints, []);
});

test('text of twice the size: rows are twice as high, and nothing sticks out', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'primes');
  const { page, complaints } = await show(t, target.pid, '/primes.c', { query: '?by=self&line=10' });
  await row(page, 10).waitFor();
  await page.setViewportSize({ width: 1280, height: 1600 }); // what stands above the listing grows, too
  await page.evaluate(() => { document.documentElement.style.fontSize = '200%'; });
  const apart = async () => {
    const tops = await page.locator('.grid-rows .row').evaluateAll((rows) => rows.map((one) => [one.getBoundingClientRect().top, one.getBoundingClientRect().height]));
    return tops.length > 2 && tops.every(([top, height], i) => Math.abs(height - 40) < 0.1 && (i === 0 || Math.abs(top - tops[i - 1][0] - 40) < 0.1));
  };
  for (const width of [1280, 640]) {
    await page.setViewportSize({ width, height: 1600 });
    await until('rows that do not overlap', apart);
    assert.ok((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${width} px: nothing sticks out`);
    await shots(page, `page-source-200-percent-${width}`);
  }
  assert.deepEqual(complaints, []);
});
