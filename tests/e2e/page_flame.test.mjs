// The flame graph in a real browser, by pointer and by keyboard.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { audit, canBrowse, open, shots } from './helpers/browser.mjs';
import { startDaemon } from './helpers/daemon.mjs';
import { atEnd, run, start, until } from './helpers/processes.mjs';

// One unit of work: each step waits for the one before, which takes equally long wherever the loop is placed.
const SPIN = `#include <stdint.h>
#define SPIN(n) do { uint64_t value = sink; \\
    for (unsigned i = 0; i < (n) * 100000; i++) value = value * 6364136223846793005u + 1442695040888963407u; \\
    sink = value; } while (0)
`;
// wide takes 3 of 5 units (of which leaf 2), narrow 1 (leaf's), hostile 1: leaf has 3 in all.
const TREE = `${SPIN}volatile uint64_t sink;
void hostile(void);
__attribute__((noinline)) void leaf(unsigned n) { SPIN(n); }
__attribute__((noinline)) void inner(void) { leaf(2); sink++; }
__attribute__((noinline)) void wide(void) { SPIN(1); inner(); sink++; }
__attribute__((noinline)) void narrow(void) { leaf(1); sink++; }
int main(void)
{
    for (;;) {
        wide();
        narrow();
        hostile();
    }
}
`;
const HOSTILE = `${SPIN}extern volatile uint64_t sink;
void hostile(void) { SPIN(1); }
`;
const DEEP = `volatile unsigned long sink;
__attribute__((noinline)) unsigned long descend(unsigned n)
{
    unsigned long value = n ? descend(n - 1) : 0;
    if (!n)
        for (unsigned long i = 0; i < 50000000; i++) sink += i;
    return value + sink;
}
int main(void) { for (;;) sink += descend(20000); }
`;
const BAD_NAME = '<img src=x onerror=alert(1)>\u202egnp';
const MATCH = [181, 23, 110]; // palette.ts: what is found, on light paper

async function compile(t, sources, rename = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'lprofd-flame-'));
  atEnd(t, () => rmSync(folder, { recursive: true }));
  const must = async (...command) => {
    const { code, stderr } = await run(t, command[0], command.slice(1));
    assert.equal(code, 0, stderr);
  };
  const objects = [];
  for (const [name, { text, flags }] of Object.entries(sources)) {
    const object = join(folder, `${name}.o`);
    writeFileSync(join(folder, `${name}.c`), text);
    await must('gcc', ...flags, '-O1', '-fno-optimize-sibling-calls', '-c', '-o', object, join(folder, `${name}.c`));
    for (const [from, to] of Object.entries(rename)) await must('objcopy', `--redefine-sym=${from}=${to}`, object);
    objects.push(object);
  }
  const program = join(folder, 'tree');
  await must('gcc', '-o', program, ...objects);
  return program;
}

/** lprofd attached to a running program, with some samples, and the flame graph on the page. */
async function watch(t, program, { samples = 1500, hash = '', more = [] } = {}) {
  const target = start(t, program);
  const daemon = await startDaemon(t, ['--pid', String(target.pid), ...more]);
  await daemon.waitSamples(samples, { seconds: 300 });
  const { page, complaints } = await open(t, `${daemon.url}/#/session/1/flame${hash}`);
  await page.getByRole('tree').first().waitFor();
  return { target, daemon, page, complaints };
}

const tree = async (t, options) =>
  watch(t, await compile(t, { tree: { text: TREE, flags: ['-g'] }, hostile: { text: HOSTILE, flags: [] } }, { hostile: BAD_NAME }), options);

const options = (page) => page.evaluate(() => Object.fromEntries(new URLSearchParams(location.hash.split('?')[1] ?? '')));
const detail = (page) => page.locator('.flame-detail .flame-name').innerText();
const chosen = (page) => page.getByRole('treeitem', { selected: true }).textContent();

async function press(page, ...keys) {
  for (const key of keys) await page.keyboard.press(key);
}

/** The row of the chosen frame, from 1; 0: none is. */
const levelOf = (page) => page.evaluate(() => Number(document.querySelector('[role="treeitem"][aria-selected="true"]')?.getAttribute('aria-level') ?? 0));

/** Goes down from the root until the function is chosen: all frames above `wide` are the widest of their row. */
async function walkTo(page, name) {
  for (let level = 1; level < 14; level++) {
    await press(page, 'ArrowDown');
    await until(`a frame of row ${level} is chosen`, async () => (await levelOf(page)) === level);
    if ((await detail(page)) === name) return;
  }
  assert.fail(`${name} is not below the widest frames`);
}

/** How many of the canvas' pixels have the colour of what is found. */
const pixelsFound = (page) => page.evaluate(([red, green, blue]) => {
  const canvas = document.querySelector('.flame-scroll canvas');
  const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d', { willReadFrequently: true });
  copy.drawImage(canvas, 0, 0);
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i] === red && data[i + 1] === green && data[i + 2] === blue) found++;
  return found;
}, MATCH);

test('by keyboard: down to a frame, zoom, search, and Back', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await tree(t);
  await audit(page, 'flame graph');
  await walkTo(page, 'wide');
  assert.match(await chosen(page), /^wide, (5[5-9]|6[0-5])\.\d %/);
  const { total, self } = await page.evaluate(() => Object.fromEntries([...document.querySelectorAll('.flame-detail .flame-costs div')]
    .map((one) => [one.querySelector('dt').textContent.toLowerCase(), parseFloat(one.querySelectorAll('dd')[1]?.textContent)])));
  assert.ok(Math.abs(total - 60) < 6 && Math.abs(self - 20) < 6, `${total} ${self}`);
  assert.match(await page.locator('.flame-detail').innerText(), /tree · program · tree\.c:\d+/);
  await until('the URL knows it', async () => /;main;wide$/.test((await options(page)).node));
  await audit(page, 'flame graph, a frame chosen');
  await shots(page, 'page-flame');
  await page.emulateMedia({ colorScheme: 'light' });

  await press(page, 'Enter');
  await until('Enter zooms', async () => /;main;wide$/.test((await options(page)).zoom));
  await page.getByRole('button', { name: /^Remove: zoom wide/ }).waitFor();
  await page.goBack();
  await until('Back zooms out', async () => !(await options(page)).zoom);
  await page.goForward();
  await until('Forward zooms in', async () => /;wide$/.test((await options(page)).zoom));
  await page.reload();
  await page.getByRole('tree').first().waitFor();
  await until('what was chosen is still', async () => (await detail(page)) === 'wide');
  await press(page, 'Escape');
  await until('Escape zooms out', async () => !(await options(page)).zoom);

  await press(page, '/');
  await page.keyboard.type('LEAF');
  const note = page.locator('#flame-found');
  await until('the share of what is found', async () => /^(5[4-9]|6[0-6])\.\d % of all$/.test((await note.innerText()).trim()));
  await until('what is found is drawn', async () => (await pixelsFound(page)) > 1000);
  await press(page, 'Enter');
  await until('the first that is found', async () => (await detail(page)) === 'leaf');
  const first = await options(page);
  await page.getByRole('button', { name: 'Next frame found' }).click();
  await until('the next one', async () => (await options(page)).node !== first.node && (await detail(page)) === 'leaf');
  await page.getByRole('searchbox').fill('no such thing');
  await page.getByText('not found').waitFor();
  await until('nothing is drawn as found', async () => (await pixelsFound(page)) === 0);
  assert.deepEqual(complaints, []);
});

test('by pointer: a frame is chosen by a click, zoomed by two, and its source counts only its stacks', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await tree(t);
  await walkTo(page, 'main');
  const at = await page.evaluate(() => {
    const box = document.querySelector('.flame-scroll canvas').getBoundingClientRect();
    return { x: box.right - 60, y: box.top + 10 };
  });
  const row = (await page.getByRole('treeitem', { selected: true }).getAttribute('aria-level')) - 1;
  // wide is the last of main's children, as they stand by name.
  await page.mouse.move(at.x, at.y + 20 * (row + 1));
  const tip = page.locator('.flame-tip');
  await tip.waitFor();
  await until('the tip is of wide', async () => /^wide\n/.test(await tip.innerText()));
  await page.mouse.click(at.x, at.y + 20 * (row + 1));
  await until('a click chooses', async () => (await detail(page)) === 'wide');
  await page.locator('.flame-source').waitFor();
  await press(page, 'Escape');
  await page.locator('.flame-source').waitFor({ state: 'detached' });
  // A click right after the URL was written is not taken back by what was written.
  await press(page, 'ArrowUp');
  await until('its caller is chosen', async () => (await detail(page)) === 'main');
  const soon = await page.evaluate(({ x, y }) => new Promise((resolve) => {
    const replace = history.replaceState.bind(history);
    history.replaceState = (...change) => {
      replace(...change);
      history.replaceState = replace;
      const { port1, port2 } = new MessageChannel(); // the very next task
      port1.onmessage = () => {
        document.querySelector('.flame-scroll canvas').dispatchEvent(new MouseEvent('click', { bubbles: true, clientX: x, clientY: y }));
        requestAnimationFrame(() => setTimeout(() => resolve(document.querySelector('.flame-detail .flame-name').innerText), 20));
      };
      port2.postMessage(0);
    };
  }), { x: at.x, y: at.y + 20 * (row + 1) });
  assert.equal(soon, 'wide');
  await until('the URL knows the click', async () => /;main;wide$/.test((await options(page)).node));
  await page.locator('.flame-source').waitFor();
  await press(page, 'Escape');
  await page.locator('.flame-source').waitFor({ state: 'detached' });
  // Two clicks at once: nothing moves below the pointer in between, or after.
  await page.evaluate(({ x, y }) => {
    for (const [type, detail] of [['click', 1], ['click', 2], ['dblclick', 2]])
      document.querySelector('.flame-scroll canvas').dispatchEvent(new MouseEvent(type, { bubbles: true, detail, clientX: x, clientY: y }));
  }, { x: at.x, y: at.y + 20 * (row + 1) });
  await until('two clicks zoom', async () => /;main;wide$/.test((await options(page)).zoom));
  await page.waitForTimeout(500); // longer than a click waits for a second one
  assert.equal(await page.locator('.flame-source').count(), 0, 'and do nothing else');
  await press(page, 'Escape');
  await until('the zoom ends', async () => !(await options(page)).zoom);
  await page.mouse.dblclick(at.x, at.y + 20 * (row + 1));
  await until('a double click zooms', async () => /;main;wide$/.test((await options(page)).zoom));
  await press(page, 'o');
  await until('the source', () => page.evaluate(() => /^#\/session\/1\/source\/\d+\?/.test(location.hash)));
  const { focus, line } = await options(page);
  assert.match(focus, /^;.*;main;wide$/);
  assert.equal(Number(line), TREE.split('\n').findIndex((one) => one.includes('void wide')) + 1);
  await page.goBack();
  await page.getByRole('tree').first().waitFor();
  await until('Back has the same zoom and choice', async () => /;wide$/.test((await options(page)).zoom) && (await detail(page)) === 'wide');
  assert.deepEqual(complaints, []);
});

const lineOf = (text) => TREE.split('\n').findIndex((one) => one.includes(text)) + 1;
const sourceOf = (page, name) => page.getByRole('region', { name: `Source of ${name}` });
const sourceCell = (page, line, column) =>
  page.locator('.flame-source .grid-rows .row').filter({ has: page.locator('.line', { hasText: new RegExp(`^${line}$`) }) }).locator(`.${column}`).innerText();
const cursorLine = async (page) => Number(await page.locator('.flame-source .cursor .line').innerText());
const openOption = async (page) => (await options(page)).source;

test('a click shows the source with the graph, counting only the stacks through the frame', async (t) => {
  if (!canBrowse(t)) return;
  const { page, daemon, complaints } = await tree(t);
  const lines = Object.fromEntries(['leaf', 'wide', 'narrow'].map((name) => [name, lineOf(`void ${name}(`)]));
  await walkTo(page, 'main');
  const box = await page.locator('.flame-scroll canvas').boundingBox();
  await page.mouse.click(box.x + box.width - 60, box.y + 10 + 20 * (await levelOf(page))); // wide is the last of main's children
  await sourceOf(page, 'wide').waitFor();
  await until('the URL says that it is open', async () => (await openOption(page)) === '1');
  await until('the line of the function', async () => (await cursorLine(page)) === lines.wide);
  const path = (await options(page)).node;
  assert.match(path, /;main;wide$/);
  await daemon.pause();
  const numbersOf = async (focus) => {
    const { total, lines: rows } = await daemon.get(`/sessions/1/lines?limit=1000&sort=total&${new URLSearchParams({ focus })}`);
    return { total, leaf: rows.find(({ line, path: file }) => file.endsWith('tree.c') && line === lines.leaf) };
  };
  await until('numbers of that path', async () => {
    const { leaf } = await numbersOf(path);
    return Number((await sourceCell(page, lines.leaf, 'hits')).replace(/\D/g, '')) === leaf.total_hits;
  });
  const share = Number(await sourceCell(page, lines.leaf, 'total'));
  assert.ok(share > 52 && share < 81, `${share}: two of wide's three units`);
  await until('wide is all', async () => (await sourceCell(page, lines.wide, 'total')) === '100');
  assert.equal(await sourceCell(page, lines.narrow, 'total'), '', 'narrow is not called by wide');
  await audit(page, 'source with the graph');
  await shots(page, 'page-flame-source');
  for (const [width, height] of [[320, 640], [2560, 1300]]) {
    await page.setViewportSize({ width, height });
    await shots(page, `page-flame-source-${width}`);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0, `${width} px: nothing sticks out`);
  }
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.getByRole('tree').focus();
  await press(page, 'ArrowLeft');
  await sourceOf(page, 'narrow').waitFor();
  await until('the other function', async () => (await cursorLine(page)) === lines.narrow);
  await until('its numbers', async () => (await sourceCell(page, lines.narrow, 'total')) === '100');
  assert.equal(await sourceCell(page, lines.wide, 'total'), '');

  await page.getByRole('button', { name: 'Close the source' }).click();
  await page.locator('.flame-source').waitFor({ state: 'detached' });
  await until('the graph has the keyboard', () => page.evaluate(() => document.activeElement?.matches('.flame-scroll')));
  await page.goBack();
  await sourceOf(page, 'narrow').waitFor();
  await page.goBack();
  await page.locator('.flame-source').waitFor({ state: 'detached' });
  await page.goForward();
  await sourceOf(page, 'narrow').waitFor();
  await page.reload();
  await sourceOf(page, 'narrow').waitFor();
  await until('a link leads to the line', async () => (await cursorLine(page)) === lines.narrow);
  await page.getByRole('tree').focus();
  await press(page, 'Escape');
  await page.locator('.flame-source').waitFor({ state: 'detached' });
  await press(page, 's');
  await sourceOf(page, 'narrow').waitFor();
  await press(page, 'ArrowLeft');
  await until('what was compiled without debug information', async () => (await detail(page)).startsWith('<img'));
  await page.locator('.flame-source').getByText('No source is known').waitFor();
  await page.locator('.flame-source').getByText(/-dbgsym package of tree, or build it with -g/).waitFor();
  await audit(page, 'no source');
  await shots(page, 'page-flame-no-source');
  await press(page, 'ArrowRight');
  await sourceOf(page, 'narrow').getByRole('link', { name: 'Full view' }).click();
  await until('the source alone', () => page.evaluate(() => /^#\/session\/1\/source\/\d+\?/.test(location.hash)));
  assert.match((await options(page)).focus, /^;.*;main;narrow$/);
  assert.deepEqual(complaints, []);
});

test('from the leaves, the source counts only the stacks that end with the path', async (t) => {
  if (!canBrowse(t)) return;
  const { page, daemon, complaints } = await tree(t, { hash: '?inverted=1&source=1' });
  await page.getByText('Choose a frame of the graph').waitFor();
  await walkTo(page, 'wide'); // leaf, called by inner, called by wide: two units of five
  await sourceOf(page, 'wide').waitFor();
  assert.equal(await page.locator('.flame-source').getByText('only stacks that end with this path').count(), 1);
  await daemon.pause();
  const [leaf, wide] = [lineOf('void leaf('), lineOf('void wide(')];
  await until('only what leaf costs there', async () => (await sourceCell(page, leaf, 'self')) === '100' && (await sourceCell(page, wide, 'total')) === '100');
  assert.equal(await sourceCell(page, wide, 'self'), '', 'stacks that end in wide itself do not count');
  assert.equal(await sourceCell(page, lineOf('void narrow('), 'total'), '');
  await until('as many samples as the frame has', async () => {
    const costs = await page.locator('.flame-detail .flame-costs').innerText();
    return Number(/Samples\s+([\d\s]+)/.exec(costs)[1].replace(/\D/g, '')) === Number((await sourceCell(page, wide, 'hits')).replace(/\D/g, ''));
  });
  await page.locator('.flame-source').getByRole('link', { name: 'Full view' }).click();
  await until('the source alone', async () => (await options(page)).focus === 'wide;inner;leaf;');
  await page.locator('.chip', { hasText: 'wide;inner;leaf;' }).waitFor();
  assert.deepEqual(complaints, []);
});

test('around a function: its callers above, its callees below; from the leaves; flipped', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await tree(t);
  await walkTo(page, 'leaf');
  await press(page, 'c');
  const callers = page.getByRole('tree', { name: /^Callers of leaf/ });
  await callers.waitFor();
  await page.getByRole('tree', { name: /^Callees of leaf/ }).waitFor();
  assert.equal((await options(page)).center, 'leaf');
  await press(page, 'ArrowDown');
  await until('the function itself', async () => /^leaf, 100 %/.test(await chosen(page)));
  await press(page, 'ArrowUp');
  await until('its widest caller', async () => /^inner, (6\d|7[0-3])(\.\d)? %/.test(await chosen(page))); // 2 of leaf's 3 units
  await until('the URL knows a caller, too', async () => (await options(page)).above === ';leaf;inner');
  await press(page, 's');
  await sourceOf(page, 'inner').getByText('only stacks with both leaf and inner').waitFor();
  await press(page, 'Escape');
  await page.locator('.flame-source').waitFor({ state: 'detached' });
  const said = await callers.getByRole('treeitem').allTextContents();
  assert.ok(said.some((text) => /^narrow, (2[7-9]|3\d)(\.\d)? %/.test(text)), said.join('\n'));
  await audit(page, 'callers and callees');
  await shots(page, 'page-flame-callers');
  await press(page, 'Escape');
  await until('Escape shows all stacks', async () => !(await options(page)).center);

  await press(page, 'b');
  await page.getByRole('tree', { name: /from the leaves/ }).waitFor();
  await until('the leaf is the widest', async () => {
    await press(page, 'ArrowDown');
    return (await chosen(page)).startsWith('leaf, ');
  });
  await press(page, 'v');
  await until('it is flipped', async () => (await options(page)).flip === '1');
  await press(page, 'ArrowUp'); // what is below in an icicle is above now
  await until('its widest caller', async () => (await chosen(page)).startsWith('inner, '));
  await shots(page, 'page-flame-flipped');
  await page.goBack();
  await until('Back flips it', async () => !(await options(page)).flip);
  assert.deepEqual(complaints, []);
});

test('the menu of a frame: count only what has it, or what has not; every filter is a step back', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await tree(t);
  await walkTo(page, 'wide');
  await press(page, 'm');
  const menu = page.getByRole('menu');
  await menu.waitFor();
  await audit(page, 'menu of a frame');
  await shots(page, 'page-flame-menu');
  await page.getByRole('menuitem', { name: 'Count only stacks with this function' }).click();
  await until('it is filtered', async () => (await options(page)).focus === 'wide');
  await until('all stacks have it', async () => (await chosen(page).catch(() => '')).startsWith('wide, 100 %'));
  await page.goBack();
  await until('Back counts all', async () => /^wide, (5|6)/.test(await chosen(page).catch(() => '')));
  await press(page, 'h');
  await until('it is hidden', async () => (await options(page)).hide === 'wide');
  await until('none has it', async () => !(await page.getByRole('treeitem').allTextContents()).some((text) => text.startsWith('wide')));
  await page.getByText('Click a frame').waitFor();
  await page.evaluate(() => { location.hash = '#/session/1/flame?focus=nowhere_at_all'; });
  await page.getByText('No samples in this selection').waitFor();
  await page.evaluate(() => { location.hash = '#/session/1/flame?center=nowhere_at_all'; });
  await page.getByText('No stack has this function').waitFor();
  await audit(page, 'no stack');
  await page.getByRole('button', { name: 'Show all stacks' }).click();
  await page.getByRole('tree').waitFor();
  assert.deepEqual(complaints, []);
});

test('a name is text, whatever is in it', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await tree(t);
  await page.getByRole('searchbox').fill('onerror');
  await until('a fifth', async () => /^(1[5-9]|2[0-5])\.\d % of all$/.test((await page.locator('#flame-found').innerText()).trim()));
  await page.getByRole('searchbox').press('Enter');
  await until('it is chosen', async () => (await detail(page)) === '<img src=x onerror=alert(1)>\\u{202e}gnp');
  assert.equal(await page.locator('img').count(), 0);
  await page.getByRole('tree').focus();
  await press(page, 'c');
  await page.getByRole('tree', { name: /^Callers of <img/ }).waitFor();
  await press(page, 'Escape', 'f');
  assert.deepEqual(complaints, []);
});

test('a recursion 20,000 frames deep is drawn, walked and zoomed', async (t) => {
  if (!canBrowse(t)) return;
  const program = await compile(t, { deep: { text: DEEP, flags: ['-g'] } });
  const { page, daemon, complaints } = await watch(t, program, { samples: 50, more: ['--stack-size', '65000'] });
  const graph = await daemon.get('/sessions/1/flamegraph');
  assert.ok(graph.nodes.parent.length > 500, 'what the copy of a stack holds');
  const scroller = page.getByRole('tree');
  const height = await scroller.evaluate((element) => element.scrollHeight);
  assert.ok(height > 500 * 20, String(height));

  // As deep as no copy of a stack is: the answer is made here.
  const count = 20_002;
  const column = (value) => Array.from({ length: count }, (_, i) => value(i));
  await page.route('**/flamegraph?*', (route) => route.fulfill({
    contentType: 'application/json',
    body: JSON.stringify({
      unit: 'samples', total: count, total_time_ns: count * 1e6, names: ['all', 'descend'], name_module: [0, 1], modules: ['', '/bin/deep'],
      module_kinds: ['unknown', 'target'], files: ['', 'deep.c'], file_ids: [0, 1],
      nodes: {
        parent: column((i) => Math.max(0, i - 1)), name: column((i) => Math.min(1, i)), file: column((i) => Math.min(1, i)), line: column((i) => Math.min(3, i)),
        folded: column(() => 0), self: column(() => 1), total: column((i) => count - i),
        self_time_ns: column(() => 1e6), total_time_ns: column((i) => (count - i) * 1e6),
      },
    }),
  }));
  await page.reload();
  await scroller.waitFor();
  await until('20,002 rows', async () => (await scroller.evaluate((element) => element.scrollHeight)) === count * 20);
  await scroller.evaluate((element) => { element.scrollTop = 15_000 * 20; });
  const box = await page.locator('.flame-scroll canvas').boundingBox();
  await page.mouse.click(box.x + 40, box.y + 30);
  await until('a frame deep down is chosen', async () => Number(await page.getByRole('treeitem', { selected: true }).getAttribute('aria-level')) >= 15_000);
  await press(page, 'Enter');
  await until('its path is short all the same', async () => /^~[0-9a-f]{16}$/.test((await options(page)).zoom ?? ''));
  await page.reload();
  await page.getByRole('button', { name: /^Remove: zoom descend/ }).waitFor();
  await shots(page, 'page-flame-deep');
  assert.deepEqual(complaints, []);
});

test('frames too small to be sent are there for who asks', async (t) => {
  if (!canBrowse(t)) return;
  const { page, complaints } = await tree(t);
  // The page asks for what half a pixel shows; the same question with a coarse limit has something folded.
  await page.route('**/flamegraph?*', (route) => {
    const url = new URL(route.request().url());
    if (!url.searchParams.getAll('focus').length) url.searchParams.set('min_percent', '50');
    return route.continue({ url: url.href });
  });
  await page.reload();
  await page.getByRole('tree').waitFor();
  await walkTo(page, 'main');
  const folded = page.getByRole('treeitem', { name: /more, too small to be shown/ });
  await folded.first().waitFor({ state: 'attached' });
  await press(page, 'ArrowDown');
  await until('the only one that is not folded', async () => (await detail(page)) === 'wide');
  await press(page, 'ArrowRight');
  await until('what was folded is chosen', async () => /more below main$/.test(await detail(page)));
  await press(page, 'Enter');
  await until('it is asked for', async () => (await options(page)).drill === '1');
  await until('narrow is there', async () => {
    await page.getByRole('tree').focus();
    return (await page.getByRole('treeitem').allTextContents()).some((text) => text.startsWith('narrow, '));
  });
  assert.deepEqual(complaints, []);
});

test('nothing to show says why', async (t) => {
  if (!canBrowse(t)) return;
  const target = start(t, 'sleep', ['600']);
  const daemon = await startDaemon(t, ['--pid', String(target.pid)]);
  const { page, complaints } = await open(t, `${daemon.url}/#/session/1/flame`);
  await page.getByText('The program sleeps').waitFor();
  await audit(page, 'flame graph without samples');
  assert.deepEqual(complaints, []);
});
