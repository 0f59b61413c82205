// The page in a real browser: attach, numbers that move, ranges, threads, tables, the URL as state.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { audit, canBrowse, hold, open, shots } from './helpers/browser.mjs';
import { startDaemon } from './helpers/daemon.mjs';
import { start, startTarget, until } from './helpers/processes.mjs';
import { knownLine } from './helpers/programs.mjs';

/** lprofd attached to a target, and its page. */
async function watch(t, name, { hash = '', options = {} } = {}) {
  const target = await startTarget(t, name);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/${hash}`, options);
  return { target, daemon, page, complaints };
}

const samples = async (page) => Number((await page.locator('.figures div', { hasText: 'samples' }).locator('dd').innerText()).replace(/\D/g, ''));
const hash = (page) => page.evaluate(() => location.hash);
const rows = (page) => page.locator('table.cost [data-row]');

test('idle, the page lists processes, filters them, and a click attaches', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t);
  const { page, complaints } = await open(t, `${daemon.url}/`);
  await page.getByRole('searchbox').fill(`ratios ${target.pid}`);
  const button = page.getByRole('button', { name: new RegExp(`^Attach to ${target.pid} `) });
  await button.waitFor();
  await until('no other is listed', async () => (await page.locator('table.processes tbody tr').count()) === 1);
  await until('the URL knows the filter', async () => (await hash(page)) === `#/attach?filter=ratios+${target.pid}`);
  await audit(page, 'attach');
  await shots(page, 'page-attach');
  await button.click();
  await page.getByRole('link', { name: `ratios.c:${knownLine('ratios.c', 'five')}` }).waitFor();
  assert.match(await hash(page), /^#\/session\/1\/lines/);
  assert.deepEqual(complaints, []);
});

test('a refused process says why, in place', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t);
  const { page } = await open(t, `${daemon.url}/#/attach?filter=${target.pid}`);
  const button = page.getByRole('button', { name: new RegExp(`^Attach to ${target.pid} `) });
  await button.waitFor();
  target.kill('SIGKILL');
  await target.ended;
  await button.click();
  await page.getByRole('alert').filter({ hasText: /no process|ended|exist/i }).waitFor();
});

test('hot lines grow, sort, filter and group; what is chosen stands in the URL', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await watch(t, 'ratios');
  const five = page.getByRole('link', { name: `ratios.c:${knownLine('ratios.c', 'five')}` });
  await five.waitFor();
  const before = await samples(page);
  await until('the numbers grow', async () => (await samples(page)) > before + 20);
  await until('the hottest is first', async () => (await rows(page).first().innerText()) === `ratios.c:${knownLine('ratios.c', 'five')}`);
  await audit(page, 'lines');
  await shots(page, 'page-lines');

  await page.getByRole('button', { name: 'Total', exact: true }).first().click();
  await until('the URL says total', async () => /by=total/.test(await hash(page)));
  await until('the hottest line is that of all', async () => /main|libc/.test(await page.locator('table.cost tbody tr').first().innerText()));
  await page.getByRole('searchbox').fill('ratios.c');
  await until('only rows that match', async () => (await rows(page).allInnerTexts()).every((text) => text.startsWith('ratios.c')));
  await page.getByLabel('Groups').selectOption('file');
  await until('the group is the file', async () => /ratios\.c.*% self in/.test(await page.locator('tr.group').first().innerText()));
  await page.getByLabel('Groups').selectOption('thread');
  await until('the group is the thread', async () => /ratios \(\d+\)/.test(await page.locator('tr.group').first().innerText()));
  await page.goBack();
  await until('Back takes the groups by thread back', async () => /ratios\.c/.test(await page.locator('tr.group').first().innerText()));
  await page.reload();
  await until('the URL is all there is', async () => (await page.getByRole('searchbox').inputValue()) === 'ratios.c');
  await page.getByRole('searchbox').fill('<script>alert(1)</script>');
  await page.getByText('No line matches “<script>alert(1)</script>”').waitFor();
  assert.deepEqual(complaints, []);
});

test('functions: self and total, by module, and the way to their source', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await watch(t, 'ratios', { hash: '#/session/1/functions' });
  await page.getByRole('link', { name: 'five', exact: true }).waitFor();
  await page.getByLabel('Groups').selectOption('module');
  await page.locator('tr.group', { hasText: '[kernel]' }).or(page.locator('tr.group', { hasText: 'ratios' })).first().waitFor();
  await audit(page, 'functions');
  await shots(page, 'page-functions');
  await page.locator('td.declared a').first().click();
  await until('its source', async () => /^#\/session\/1\/source\/\d+\?line=\d+/.test(await hash(page)));
  await page.goBack();
  await page.getByRole('link', { name: 'five', exact: true }).waitFor();
  assert.deepEqual(complaints, []);
});

test('a range, dragged or typed, and a thread count everywhere', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await watch(t, 'threads', { hash: '#/session/1/functions' });
  await rows(page).first().waitFor();
  await until('four seconds of it', async () => parseFloat(await page.locator('.figures dd').nth(3).innerText()) >= 4, 120);
  const area = page.locator('.timeline .u-over');
  const box = await area.boundingBox();
  await page.mouse.move(box.x + box.width * 0.3, box.y + box.height / 2);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width * 0.6, box.y + box.height / 2, { steps: 5 });
  await page.mouse.up();
  await page.locator('.chip').first().waitFor();
  await until('the URL has the range', async () => /from=[\d.]+&to=[\d.]+/.test(await hash(page)));
  await shots(page, 'page-range');
  await page.getByLabel('From, in seconds').fill('1');
  await page.getByLabel('To, in seconds').fill('2.5');
  await page.getByLabel('To, in seconds').press('Enter');
  await until('the URL says so', async () => /from=1&to=2.5/.test(await hash(page)));
  await page.getByLabel('To, in seconds').fill('0.5');
  await page.getByLabel('To, in seconds').press('Enter');
  await page.getByRole('alert').filter({ hasText: 'two times in seconds' }).waitFor();
  await page.getByRole('button', { name: 'Count all' }).click();
  await until('all counts again', async () => !/from=/.test(await hash(page)));
  const thread = page.locator('.timeline button.thread').first();
  await thread.click();
  await until('the thread is in the URL', async () => /tid=\d+/.test(await hash(page)));
  await until('the thread is pressed', async () => (await thread.getAttribute('aria-pressed')) === 'true');
  const tid = /tid=(\d+)/.exec(await hash(page))[1];
  await page.locator('.chip', { hasText: `thread ${tid}` }).waitFor();
  await page.keyboard.press('4');
  await page.getByText('Compare what with what?').waitFor();
  await until('a comparison does not promise what it does not count', async () => (await page.locator('.chip').count()) === 0);
  await page.goBack();
  await rows(page).first().waitFor();
  await page.goBack();
  await until('and Back takes it away', async () => !/tid=/.test(await hash(page)));
  assert.deepEqual(complaints, []);
});

test('numbers are held and sampling is paused, by key', async (t) => {
  if (!canBrowse(t)) return;
  const { page, daemon, complaints } = await watch(t, 'ratios');
  await rows(page).first().waitFor();
  const to_ns = await hold(page);
  const cells = await page.locator('table.cost tbody').first().innerText();
  const sampled = (await daemon.get('/sessions/1')).samples.total;
  await until('sampling goes on', async () => (await daemon.get('/sessions/1')).samples.total > sampled + 50);
  assert.equal(await page.locator('table.cost tbody').first().innerText(), cells, 'the table stands still');
  const hits = () => page.locator('table.cost td.hits').first().innerText();
  const held = await hits();
  const { functions } = await daemon.get(`/sessions/1/functions?limit=1&to_ns=${to_ns}`);
  await page.keyboard.press('2');
  await page.getByRole('link', { name: 'five', exact: true }).waitFor();
  assert.equal((await hits()).replace(/\D/g, ''), String(functions[0].self_hits), 'other views stand at the same moment');
  await page.keyboard.press('1');
  await rows(page).first().waitFor();
  assert.equal(await hits(), held);
  await page.keyboard.press('Space');
  await until('the table moves again', async () => (await page.locator('table.cost tbody').first().innerText()) !== cells);
  await page.keyboard.press('P');
  await page.locator('.state', { hasText: 'paused' }).waitFor();
  await page.getByRole('button', { name: 'Resume' }).click();
  await page.locator('.state', { hasText: 'running' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('Space presses the button that has the focus; keys do not reach behind the list of keys', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await watch(t, 'ratios');
  await rows(page).first().waitFor();
  await page.getByRole('button', { name: 'Total', exact: true }).first().focus();
  await page.keyboard.press('Space');
  await until('the button is pressed', async () => /by=total/.test(await hash(page)));
  assert.equal(await page.locator('.state').innerText(), 'running', 'and the numbers are not held');
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await page.keyboard.press('2');
  await page.keyboard.press('Escape');
  await page.getByRole('dialog').waitFor({ state: 'hidden' });
  assert.match(await hash(page), /^#\/session\/1\/lines/);
  assert.deepEqual(complaints, []);
});

test('the row with the focus keeps it where the order changes', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await watch(t, 'ratios', { hash: '#/session/1/functions' });
  await until('some rows', async () => (await rows(page).count()) > 4);
  const focused = () => page.evaluate(() => document.activeElement.textContent);
  for (const column of ['Function', 'Function', 'Module', 'Self']) {
    const last = await rows(page).count() - 1;
    await rows(page).nth(column === 'Self' ? 1 : last).focus();
    const name = await focused();
    await page.locator('table.cost').evaluate((table, title) => { [...table.querySelectorAll('th button')].find((button) => button.textContent === title).click(); }, column);
    await page.waitForTimeout(1200);
    assert.equal(await focused(), name, column);
  }
  assert.deepEqual(complaints, []);
});

test('numbers of one session never stand under the head of another', async (t) => {
  if (!canBrowse(t)) return;
  const { page, daemon, complaints } = await watch(t, 'ratios', { hash: '#/session/1/lines' });
  const other = await startTarget(t, 'threads');
  await daemon.attach({ pid: other.pid });
  await rows(page).first().waitFor();
  await page.evaluate(() => { // at every change of the document, so that no frame is missed
    globalThis.mixed = [];
    const look = () => {
      const command = document.querySelector('.command')?.textContent ?? '';
      const rows = [...document.querySelectorAll('table.cost [data-row]')].map((row) => row.textContent);
      const threads = [...document.querySelectorAll('.timeline button.thread')].map((button) => button.textContent);
      const isFirst = rows.some((row) => row.startsWith('ratios.c')) || threads.some((name) => name.startsWith('ratios'));
      const isSecond = rows.some((row) => row.startsWith('threads.c')) || threads.some((name) => name.startsWith('worker'));
      if ((isFirst && !/ratios/.test(command)) || (isSecond && !/threads/.test(command))) globalThis.mixed.push(`${command}: ${rows}; ${threads}`);
    };
    look();
    new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
  });
  await page.keyboard.press('Space');
  await page.locator('.state', { hasText: 'held' }).waitFor();
  let answer;
  const asked = new Promise((resolve) => { answer = resolve; });
  await page.route('**/sessions/2/lines*', async (route) => { await asked; await route.continue(); });
  await page.locator('select.sessions').selectOption('2');
  await page.locator('.command', { hasText: 'threads' }).waitFor();
  await page.locator('main', { hasText: 'Counting' }).waitFor(); // while lprofd thinks
  await page.locator('.timeline button.thread', { hasText: 'worker' }).first().waitFor();
  assert.equal(await rows(page).count(), 0, 'while lprofd thinks');
  answer();
  await rows(page).filter({ hasText: 'threads.c' }).first().waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.mixed), []);
  await page.locator('.state', { hasText: 'running' }).waitFor(); // held was the other one
  assert.deepEqual(complaints, []);
});

test('numbers that were held when the target ended can be let go', async (t) => {
  if (!canBrowse(t)) return;
  const { page, target, daemon, complaints } = await watch(t, 'ratios');
  await rows(page).first().waitFor();
  await hold(page);
  const cells = await page.locator('table.cost tbody').first().innerText();
  await daemon.waitSamples((await daemon.get('/sessions/1')).samples.total + 100);
  target.kill('SIGKILL');
  await page.locator('.state', { hasText: 'exited' }).waitFor();
  await page.waitForTimeout(1000);
  assert.equal(await page.locator('table.cost tbody').first().innerText(), cells);
  await page.getByRole('button', { name: 'Held' }).click();
  await until('the last numbers are there at once', async () => (await page.locator('table.cost tbody').first().innerText()) !== cells);
  assert.deepEqual(complaints, []);
});

test('every view by keyboard alone', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await watch(t, 'ratios');
  await rows(page).first().waitFor();
  await page.keyboard.press('?');
  await page.getByRole('dialog').waitFor();
  await audit(page, 'help');
  await shots(page, 'page-keys');
  await page.keyboard.press('Escape');
  for (const [key, view] of [['2', 'functions'], ['3', 'flame'], ['4', 'compare'], ['1', 'lines']]) {
    await page.keyboard.press(key);
    await until(`key ${key} shows ${view}`, async () => (await hash(page)).startsWith(`#/session/1/${view}`));
  }
  await rows(page).first().waitFor();
  await page.keyboard.press('j');
  await until('a row has the focus', () => page.evaluate(() => document.activeElement?.hasAttribute('data-row')));
  await page.keyboard.press('Enter');
  await until('Enter opens the source', async () => (await hash(page)).startsWith('#/session/1/source/'));
  await page.goBack();
  await rows(page).first().waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('five');
  await until('the filter is typed', async () => /filter=five/.test(await hash(page)));
  await page.keyboard.press('Escape');
  await page.keyboard.press('0');
  await until('the list of processes', async () => (await hash(page)) === '#/attach');
  assert.deepEqual(complaints, []);
});

test('the end of the target and of lprofd are said; a new lprofd is found by itself', async (t) => {
  if (!canBrowse(t)) return;
  const { page, target, daemon, complaints } = await watch(t, 'ratios');
  await rows(page).first().waitFor();
  target.kill('SIGKILL');
  await page.locator('.state', { hasText: 'exited' }).waitFor();
  assert.ok(await rows(page).count(), 'what was seen stays');
  assert.deepEqual(complaints, []);

  await daemon.stop();
  await page.goto('about:blank'); // the error page of a reload would come in between
  const again = await startTarget(t, 'ratios');
  const port = new URL(daemon.url).port;
  const next = await startDaemon(t, ['--listen', `127.0.0.1:${port}`, '--pid', String(again.pid)]);
  await page.goto(`${daemon.url}/`);
  await rows(page).first().waitFor();
  const chosen = await hash(page);
  await next.kill();
  await page.getByRole('alert').filter({ hasText: 'does not answer' }).waitFor();
  assert.ok(await rows(page).count(), 'no blank page');
  await shots(page, 'page-unreachable');
  const last = await startDaemon(t, ['--listen', `127.0.0.1:${port}`, '--pid', String(again.pid)]);
  await page.locator('.state', { hasText: 'running' }).waitFor();
  assert.equal(await hash(page), chosen, 'no lost selection');
  const before = await samples(page);
  await until('the numbers grow again', async () => (await samples(page)) > before);
  assert.ok(last.url);
});

test('malformed links and sessions that are gone explain themselves', async (t) => {
  if (!canBrowse(t)) return;
  const { page, daemon } = await watch(t, 'ratios');
  for (const [bad, says] of [
    ['#/nonsense/<b>', 'There is no such page'], ['#/session/1/source/zero', 'There is no such page'],
    ['#/session/99/lines', 'no session'], ['#/session/1/lines?focus=%3Cscript%3Enothing', 'No samples in this selection'],
  ]) {
    await page.goto(`${daemon.url}/${bad}`);
    await page.getByText(new RegExp(says, 'i')).first().waitFor();
    await audit(page, bad);
  }
  await page.goto(`${daemon.url}/#/session/1/lines?from=x&to=y&tid=abc&rows=-5&group=no&order=no`);
  await rows(page).first().waitFor();
});

test('a target that sleeps explains why there is nothing', async (t) => {
  if (!canBrowse(t)) return;
  const target = start(t, '/bin/sleep', ['300']);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/`);
  await page.getByText('No samples yet').waitFor();
  await audit(page, 'empty');
  await shots(page, 'page-empty');
  assert.deepEqual(complaints, []);
});

test('narrow, wide and in forced colours nothing is cut off', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await watch(t, 'threads');
  await rows(page).first().waitFor();
  for (const width of [320, 768, 2560]) {
    await page.setViewportSize({ width, height: 800 });
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    await until(`nothing sticks out at ${width} px`, async () => (await overflow()) === 0);
    await shots(page, `page-${width}`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ forcedColors: 'active' });
  await shots(page, 'page-forced');
  assert.deepEqual(complaints, []);
});

test('nothing jumps: what stands stays where it is while numbers come in', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'ratios');
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await until('there are samples', async () => (await daemon.get('/sessions/1')).samples.total > 500);
  const { page } = await open(t, 'about:blank');
  await page.addInitScript(() => {
    globalThis.shifts = [];
    const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join();
    const name = (node) => (node instanceof Element ? `${node.localName}${node.id && `#${node.id}`}.${node.className}` : JSON.stringify(node?.data ?? 'gone'));
    new PerformanceObserver((list) => {
      for (const { value, startTime, sources } of list.getEntries()) {
        const moved = sources.map(({ node, previousRect, currentRect }) => `${name(node)} ${place(previousRect)} -> ${place(currentRect)}`);
        globalThis.shifts.push({ value, what: `${value.toFixed(4)} at ${Math.round(startTime)} ms: ${moved.join('; ')}` });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  for (const view of ['lines', 'flame', `compare?af=0&at=0.5&bf=0.5&bt=1`]) {
    await page.goto('about:blank');
    await page.goto(`${daemon.url}/#/session/1/${view}`);
    await page.locator('.timeline button.thread').first().waitFor();
    const total = async () => (await daemon.get('/sessions/1')).samples.total;
    const shown = await total();
    await page.waitForTimeout(4000);
    await until('numbers came in', async () => (await total()) > shown + 500);
    const shifts = await page.evaluate(() => globalThis.shifts);
    // web.dev/cls: up to 0.1 is good
    assert.ok(shifts.reduce((sum, { value }) => sum + value, 0) < 0.1, [view, ...shifts.map(({ what }) => what)].join('\n'));
  }
});

test('what comes late has its place before: figures, buttons, warnings and their list move nothing', async (t) => {
  if (!canBrowse(t)) return;
  const target = await startTarget(t, 'altstack'); // its stacks go on where lprofd does not copy them: a warning
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  await until('there is a warning', async () => (await daemon.get('/sessions/1')).warnings.length > 0);
  for (const [width, height] of [[1280, 800], [800, 600], [390, 844]]) {
    const { page, complaints } = await open(t, 'about:blank', { viewport: { width, height } });
    let answer;
    const asked = new Promise((resolve) => { answer = resolve; });
    await page.route('**/api/v1/sessions', async (route) => { await asked; await route.continue(); });
    await page.goto(`${daemon.url}/#/session/1/lines?from=0&to=1000`);
    await page.locator('main', { hasText: 'Connecting' }).waitFor();
    const places = () => page.evaluate(() => ['.strip', '.figures', '.timeline', '.plot', '.filters', 'main'].map((name) => {
      const { left, top, height } = document.querySelector(name).getBoundingClientRect();
      return [name, left, top, name === 'main' ? 0 : height];
    }));
    const before = await places();
    answer();
    const summary = page.locator('.warnings summary');
    await summary.waitFor();
    await rows(page).first().waitFor();
    await page.locator('.timeline button.thread').first().waitFor();
    assert.deepEqual(await places(), before, `${width} px: known`);
    await summary.click();
    await page.locator('.warnings li', { hasText: 'another stack' }).waitFor();
    assert.deepEqual(await places(), before, `${width} px: the list`);
    await audit(page, `warnings at ${width} px`);
    await shots(page, `page-warnings-${width}`);
    assert.deepEqual(complaints, []);
  }
});
