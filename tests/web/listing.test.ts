// The listing's logic: lines, colours, folds, finding, order of hot lines, rows of a scrolled box.
import assert from 'node:assert/strict';
import test from 'node:test';

import { callerTree } from '../../web/src/listing/caller_tree.ts';
import { textBetween } from '../../web/src/listing/copy.ts';
import { Costs, functionAt, nextHot, wilson, type CostRow } from '../../web/src/listing/costs.ts';
import { clip, nameOf, oddities } from '../../web/src/listing/display.ts';
import { Extent } from '../../web/src/listing/extent.ts';
import { Search } from '../../web/src/listing/find.ts';
import { coldFolds, Rows } from '../../web/src/listing/folds.ts';
import { Highlighter } from '../../web/src/listing/highlight.ts';
import { labelOf, languageOf } from '../../web/src/listing/languages.ts';
import { heatOf } from '../../web/src/listing/map.ts';
import { parts } from '../../web/src/listing/paint.ts';
import { formatPlace, parseOpen, parsePlace } from '../../web/src/listing/places.ts';
import { SourceText } from '../../web/src/listing/text.ts';
import { tokenize, type Token } from '../../web/src/listing/tokens.ts';

const never = () => false;

/** "kind:text" of what has a colour, line by line. */
function colours(path: string, source: string): string[] {
  const language = languageOf(path);
  let state = '';
  const found: string[] = [];
  for (const line of source.split('\n')) {
    const tokens: Token[] = [];
    state = tokenize(language, line, state, tokens);
    let at = 0;
    for (const [end, kind] of tokens) {
      assert.ok(end > at && end <= line.length, `${line}: tokens cover the line in order`);
      if (kind) found.push(`${kind}:${line.slice(at, end).trim()}`);
      at = end;
    }
  }
  return found;
}

test('a text is cut at line feeds; carriage returns before them are none of the line', () => {
  const text = new SourceText('one\r\ntwo\rhalf\n\nlast');
  assert.deepEqual([1, 2, 3, 4, 5, 0].map((n) => text.line(n)), ['one', 'two\rhalf', '', 'last', '', '']);
  assert.equal(text.count, 4);
  assert.equal(new SourceText('a\n').count, 1);
  assert.equal(new SourceText('').count, 0);
  assert.equal(new SourceText('\n\n').count, 2);
  assert.equal(text.between(1, 3), 'one\ntwo\rhalf\n\n');
  assert.deepEqual([0, 4, 5, 14, 15, 19].map((at) => text.lineAt(at)), [1, 1, 2, 3, 4, 4]);
});

test('a text of too many lines is cut and says so', () => {
  const text = new SourceText('x\n'.repeat(100), 60);
  assert.equal(text.count, 60);
  assert.equal(text.clipped, true);
  assert.equal(text.line(60), 'x');
  assert.equal(text.line(61), '');
  assert.equal(new SourceText('x\n'.repeat(60), 60).clipped, false);
});

test('the longest line counts the tabs at its start as they are drawn', () => {
  assert.equal(new SourceText('ab\n\t\tc\nabcd\n').longest(1000, 8), 17);
  assert.equal(new SourceText('x'.repeat(5000)).longest(1000, 8), 1000);
});

test('C: comments, strings, raw strings and the preprocessor', () => {
  assert.deepEqual(colours('a.cpp', '#include <map>\nint x = 0x1f; // "no"\n/* a\nb */ return f("s\\"t", \'c\');'), [
    'meta:#include <map>', 'type:int', 'number:0x1f', 'comment:// "no"', 'comment:/* a', 'comment:b */', 'keyword:return', 'call:f', 'string:"s\\"t"', "string:'c'",
  ]);
  assert.deepEqual(colours('a.cc', 'auto s = R"xy(one )" \n two)xy" + 1;'), ['keyword:auto', 'string:R"xy(one )"', 'string:two)xy"', 'number:1']);
  assert.deepEqual(colours('a.c', '"goes \\\non"; int'), ['string:"goes \\', 'string:on"', 'type:int']);
  assert.deepEqual(colours('a.c', '"not closed\nint'), ['string:"not closed', 'type:int']);
  assert.deepEqual(colours('a.c', "1'000'000 u8\"x\" size_t MAX_N"), ["number:1'000'000", 'string:"x"', 'type:size_t', 'constant:MAX_N']);
});

test('Rust: comments nest, lifetimes are no strings, raw strings have their hashes', () => {
  assert.deepEqual(colours('a.rs', '/* a /* b */ c */ fn'), ['comment:/* a /* b */ c */', 'keyword:fn']);
  assert.deepEqual(colours('a.rs', "fn f<'a>(x: &'a str) -> char { 'x' }"), ['keyword:fn', "type:'a", "type:'a", 'type:str', 'type:char', "string:'x'"]);
  assert.deepEqual(colours('a.rs', 'r#"a " b"# 1'), ['string:r#"a " b"#', 'number:1']);
});

test('Go, Python, JavaScript: strings over several lines', () => {
  assert.deepEqual(colours('a.go', 'x := `a\\\nb` + 1'), ['string:`a\\', 'string:b`', 'number:1']);
  assert.deepEqual(colours('a.py', 'def f():\n  """a # no\n  b""" # c\n@dec'), ['keyword:def', 'call:f', 'string:"""a # no', 'string:b"""', 'comment:# c', 'meta:@dec']);
  assert.deepEqual(colours('a.js', 'a / b; x = /["`]/g; `t\nu`'), ['string:/["`]/g', 'string:`t', 'string:u`']);
});

test('assembly and scripts', () => {
  assert.deepEqual(colours('a.s', 'main:\n\tmovq %rax, $1 # c\n\t.globl f'), ['call:main:', 'keyword:movq', 'type:%rax', 'number:$1', 'comment:# c', 'meta:.globl']);
  assert.deepEqual(colours('a.sh', "if true; then echo $HOME '#' # c"), ['keyword:if', 'keyword:then', 'type:$HOME', "string:'#'", 'comment:# c']);
  assert.deepEqual(['Makefile', 'x.f90', 'y.weird', 'z.md', 'vec.tcc'].map((path) => languageOf(path).name), ['shell', 'fortran', 'c', 'plain', 'c']);
  assert.deepEqual(['a.cc', 'a.rs', 'a.h', 'a.weird'].map(labelOf), ['C++', 'Rust', 'C', '']);
});

test('a line of a megabyte is coloured in no time, whatever is in it', () => {
  for (const piece of ['"', "'", '\\', '/*', '((((', '0x', 'a', '"\\', '#', '\t', '@a.', '[[', "'a", '$(', '- -a ', '/[', 'R"(']) {
    const line = piece.repeat(1e6 / piece.length);
    for (const path of ['a.cpp', 'a.rs', 'a.py', 'a.js', 'a.s', 'a.sh', 'a.java', 'a.go', 'a.f90', 'a.lua', 'a.ml']) {
      const began = performance.now();
      const tokens: Token[] = [];
      tokenize(languageOf(path), line, '', tokens);
      assert.equal(tokens.at(-1)?.[0] ?? line.length, line.length);
      assert.ok(performance.now() - began < 1000, `${path}: ${piece}`);
    }
  }
});

test('colours from a checkpoint are those of the whole file', () => {
  let source = '';
  for (let i = 0; i < 3000; i++) source += i % 500 === 490 ? '/* begins\n' : i % 500 === 20 ? 'ends */ int x;\n' : `int a${i}; "s"\n`;
  const text = new SourceText(source);
  const whole = new Highlighter(text, languageOf('a.c'));
  whole.run(never);
  assert.ok(whole.done);
  const jumped = new Highlighter(text, languageOf('a.c'));
  const guess = jumped.tokens(2515);
  assert.deepEqual(guess, whole.tokens(2515), 'the comment began so near that it is seen without checkpoints');
  for (let i = 0; i < 100; i++) jumped.run(() => true);
  jumped.forget();
  for (const line of [1, 2995, 491, 500, 510, 521, 522, 1024, 1025, 2500]) assert.deepEqual(jumped.tokens(line), whole.tokens(line), `line ${line}`);
  let state = '';
  for (let line = 1; line <= text.count; line++) {
    const tokens: Token[] = [];
    state = tokenize(languageOf('a.c'), text.line(line), state, tokens);
    assert.deepEqual(whole.tokens(line), tokens, `line ${line}`);
  }
});

test('what has no shape, or turns the direction, is named', () => {
  assert.deepEqual(oddities('a\u202eb\x1b[0m\tc\u200b\ud800'), [[1, 2, 'U+202E'], [3, 4, '^['], [9, 10, 'U+200B'], [10, 11, 'U+D800']]);
  assert.deepEqual(oddities('plain \u00e4 \u4e2d \ud83d\ude00 text'), []);
  assert.equal(nameOf('\x7f'), '^?');
});

test('long lines are cut, not amid a character', () => {
  assert.deepEqual(clip('abc', 3), { text: 'abc', hidden: 0 });
  assert.deepEqual(clip('ab\ud83d\ude00c', 3), { text: 'ab', hidden: 3 });
  assert.deepEqual(clip('x'.repeat(10), 4), { text: 'xxxx', hidden: 6 });
});

test('a line is cut into parts where anything begins or ends, and nothing is lost', () => {
  const line = 'int \u202eab cd';
  const found = parts(line, [[3, 'type'], [11, '']], [[2, 7], [8, 10]], 8);
  assert.equal(found.map((part) => part.odd || part.text).join(''), line);
  assert.deepEqual(found.map(({ text, kind, match }) => `${text}${kind ? `:${kind}` : ''}${match && (match === 'match' ? '!' : '!!')}`), ['in:type', 't:type!', ' !', 'U+202E!', 'ab!', ' ', 'cd!!']);
});

test('folds: rows and lines are each other\u2019s inverse', () => {
  const folds = [{ first: 3, last: 6, hits: 1 }, { first: 8, last: 8, hits: 2 }, { first: 10, last: 99, hits: 3 }];
  const rows = new Rows(12, folds, [40, 7000]);
  const shown = [1, 2, 3, 7, 8, 9, 10, 40, 7000]; // 3, 8 and 10 are folds
  assert.equal(rows.count, shown.length);
  assert.deepEqual(shown.map((_, row) => rows.lineAt(row)), shown);
  assert.deepEqual([1, 2, 3, 4, 6, 7, 8, 9, 10, 12].map((line) => rows.rowOf(line)), [0, 1, 2, 2, 2, 3, 4, 5, 6, 6]);
  assert.deepEqual([40, 7000, 50].map((line) => rows.rowOf(line)), [7, 8, 8]);
  assert.deepEqual(shown.map((_, row) => rows.foldAt(row)?.hits ?? 0), [0, 0, 1, 0, 2, 0, 3, 0, 0]);
  assert.deepEqual([2, 3, 6, 7, 11].map((line) => rows.foldOf(line)?.hits ?? 0), [0, 1, 1, 0, 3]);
  assert.deepEqual([7, 12, 13, 40].map((line) => rows.has(line)), [true, true, false, true]);
  assert.equal(rows.lineAt(9), 0);
});

test('a file without text has a row for each line with cost', () => {
  const rows = new Rows(0, [], [5, 9, 4_000_000_000]);
  assert.deepEqual([0, 1, 2].map((row) => rows.lineAt(row)), [5, 9, 4_000_000_000]);
  assert.deepEqual([5, 7, 9, 4_000_000_000].map((line) => rows.rowOf(line)), [0, 1, 1, 2]);
});

test('what is in no function with cost is folded, but what was opened', () => {
  const one = (line: number, end_line: number, time_ns: number) => ({ line, end_line, total: { time_ns } });
  const functions = [one(20, 30, 1000), one(24, 26, 500), one(60, 70, 5), one(35, 40, 900)];
  const rows = [{ line: 25, self_hits: 7 }, { line: 62, self_hits: 2 }, { line: 100, self_hits: 1 }];
  assert.deepEqual(coldFolds(functions, 100, new Set(), rows), [{ first: 1, last: 17, hits: 0 }, { first: 41, last: 100, hits: 3 }]);
  assert.deepEqual(coldFolds(functions, 100, new Set([50]), rows), [{ first: 1, last: 17, hits: 0 }]);
  assert.deepEqual(coldFolds([], 3, new Set(), []), []);
  assert.deepEqual(coldFolds([], 9, new Set(), []), [{ first: 1, last: 9, hits: 0 }]);
});

test('finding sees all of the text, small letters find capitals, and slices lose nothing', () => {
  const source = Array.from({ length: 40_000 }, (_, i) => `line ${i} Foo foo+ [x]`).join('\r\n');
  const text = new SourceText(source);
  const run = (needle: string) => {
    const search = new Search(text, needle);
    let slices = 0;
    while (!search.done) {
      search.run(() => true);
      slices++;
    }
    return { search, slices };
  };
  const { search, slices } = run('foo');
  assert.ok(slices > 2);
  assert.equal(search.matches.length, 80_000);
  const naive = (needle: string) => {
    const found = [];
    for (let at = source.indexOf(needle); at >= 0; at = source.indexOf(needle, at + needle.length)) found.push(at);
    return found;
  };
  assert.deepEqual(run('Foo').search.matches, naive('Foo'));
  assert.deepEqual(run('foo+ [').search.matches, naive('foo+ ['));
  assert.deepEqual(run('(').search.matches, []);
  assert.deepEqual(search.inLine(3), [[7, 10], [11, 14]]);
  assert.equal(search.after(text.start(3)), 4);
  assert.equal(search.after(source.length), 80_000);
});

const cost = (line: number, self: number, total: number, name = 'f'): CostRow => ({ line, function: name, self_hits: self, total_hits: total, self_time_ns: self * 1000, total_time_ns: total * 1000 });

test('shares are of the program, the file or the function, and rows that cost nothing are gone', () => {
  const costs = new Costs();
  costs.take([cost(5, 10, 20), cost(6, 30, 40)], { hits: 200, time_ns: 200_000 }, true);
  costs.file.total = { hits: 50, time_ns: 50_000 };
  costs.functions = [{ name: 'f', line: 6, end_line: 9, self: { hits: 60, time_ns: 60_000 }, total: { hits: 80, time_ns: 80_000 } }];
  costs.counted = { hits: 100, time_ns: 100_000 };
  costs.functions[0]!.total = { hits: 40, time_ns: 40_000 }; // of 100: as much as 80 of 200
  const row = costs.rows.get(6)!;
  assert.equal(costs.percent(row, 'self', 'program')!.percent, 15);
  assert.equal(costs.percent(row, 'self', 'file')!.percent, 75);
  assert.equal(costs.percent(row, 'total', 'file')!.percent, 80);
  assert.equal(costs.percent(row, 'total', 'function')!.percent, 50);
  assert.equal(costs.percent(costs.rows.get(5)!, 'total', 'function')!.percent, 25, 'not in its lines, but by its name');
  costs.take([cost(5, 0, 0)], { hits: 300, time_ns: 300_000 }, false);
  assert.deepEqual([...costs.rows.keys()], [6]);
  assert.equal(costs.percent(row, 'self', 'program')!.percent, 10);
});

test('the interval is Wilson\u2019s', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3: 81 of 263, 15 of 148, 0 of 20, 1 of 29.
  const known: [number, number, number, number][] = [[81, 263, 0.2553, 0.3662], [15, 148, 0.0624, 0.1605], [0, 20, 0, 0.1611], [1, 29, 0.0061, 0.1718]];
  for (const [hits, all, low, high] of known) {
    const found = wilson(hits / all, all);
    assert.ok(Math.abs(found[0] - low) < 5e-5 && Math.abs(found[1] - high) < 5e-5, `${hits}/${all}: ${found}`);
  }
});

test('few samples that stand for much time tell no more than few', () => {
  const costs = new Costs();
  costs.take([{ ...cost(5, 10, 10), self_time_ns: 100_000 }, cost(6, 900, 900)], { hits: 910, time_ns: 1_000_000 }, true);
  const few = costs.percent(costs.rows.get(5)!, 'self', 'program')!;
  assert.deepEqual([few.percent_low, few.percent_high], wilson(0.1, 100).map((bound) => 100 * bound));
});

test('hot lines: by cost, or in the order of the file, and round', () => {
  const costs = new Costs();
  costs.take([cost(9, 50, 0), cost(2, 100, 0), cost(30, 70, 0), cost(31, 0.5, 0)], { hits: 300, time_ns: 300_000 }, true);
  const hot = costs.hot('self');
  assert.deepEqual(hot, [2, 30, 9]);
  assert.deepEqual([1, 2, 9, 10, 30].map((from) => nextHot(hot, from, 1, 'file')), [2, 9, 30, 30, 2]);
  assert.deepEqual([1, 2, 9, 10, 30].map((from) => nextHot(hot, from, -1, 'file')), [30, 30, 2, 9, 9]);
  assert.deepEqual([1, 2, 30, 9].map((from) => nextHot(hot, from, 1, 'cost')), [2, 30, 9, 2]);
  assert.deepEqual([2, 30].map((from) => nextHot(hot, from, -1, 'cost')), [9, 2]);
  assert.equal(nextHot([], 1, 1, 'file'), null);
});

test('the innermost function holds a line', () => {
  const functions = [{ name: 'outer', line: 1, end_line: 50 }, { name: 'inner', line: 10, end_line: 20 }];
  assert.deepEqual([1, 15, 20, 21, 60].map((line) => functionAt(functions, line)?.name), ['outer', 'inner', 'inner', 'outer', undefined]);
});

test('rows of a box that is not capped are where its scrollbar says', () => {
  const extent = new Extent(1000);
  extent.resize(40, 20, 100);
  assert.equal(extent.scaled, false);
  extent.scroll(210);
  assert.deepEqual(extent.range(2), [8, 18]);
  assert.equal(extent.place(10), 200);
  assert.equal(extent.reveal(12, 0), null);
  assert.equal(extent.reveal(5, 0), 100);
  assert.equal(extent.reveal(20, 0), 320);
  assert.equal(extent.moveTo(1e9), 700);
  assert.deepEqual(extent.range(0), [35, 40]);
});

test('a capped box reaches every row, moves by pixels near by and in proportion afar', () => {
  const extent = new Extent(100_000);
  extent.resize(1_000_000, 20, 500);
  assert.equal(extent.scaled, true);
  assert.equal(extent.height, 100_000);
  extent.scroll(30);
  assert.equal(extent.top, 30, 'a small step is a small step');
  extent.scroll(99_500);
  assert.deepEqual(extent.range(0), [999_975, 1_000_000], 'the end of the bar is the end of the rows');
  extent.scroll(49_750);
  assert.equal(Math.round(extent.top), Math.round((1_000_000 * 20 - 500) / 2));
  const top = extent.top;
  extent.scroll(49_790);
  assert.equal(extent.top, top + 40);
  const [first] = extent.range(0);
  assert.ok(extent.place(first) <= 49_790 && extent.place(first) > 49_790 - 20, 'rows are drawn where the box is scrolled to');
  for (const row of [0, 1, 499_999, 999_999]) {
    extent.settled(extent.moveTo(row * 20));
    const [from, to] = extent.range(0);
    assert.ok(from <= row && row < to, `row ${row}`);
  }
});

test('rows keep their place when the box or their number changes', () => {
  const extent = new Extent();
  extent.resize(1000, 20, 400);
  extent.moveTo(5000);
  extent.resize(2000, 20, 300);
  assert.equal(extent.top, 5000);
  extent.resize(100, 20, 300);
  assert.equal(extent.top, 1700);
});

test('the map of hot lines shows the dearest of each pixel', () => {
  const heat = heatOf([cost(1, 100, 0), cost(500, 25, 0), cost(501, 4, 0)], new Rows(1000), 'self', 100);
  assert.equal(heat[0], 1);
  assert.equal(heat[49], 0.5);
  assert.ok(Math.abs(heat[50]! - 0.5) < 1e-6);
  assert.equal(heat[80], 0);
});

test('places of the URL', () => {
  assert.deepEqual(parsePlace('20'), { cursor: 20, anchor: 20 });
  assert.deepEqual(parsePlace('20-40'), { cursor: 40, anchor: 20 });
  for (const bad of [undefined, '', '0', '-1', 'x', '1e3', '20-', '99999999999']) assert.equal(parsePlace(bad), null, bad);
  assert.equal(formatPlace(40, 20), '20-40');
  assert.equal(formatPlace(7, 7), '7');
  assert.deepEqual([...parseOpen('3,x,9,-1')], [3, 9]);
});

test('what is copied is the text as the file has it', () => {
  const text = new SourceText('first line\r\n\tsecond\nthird');
  const line = (n: number) => text.line(n);
  assert.equal(textBetween(line, [1, 6], [3, 2]), 'line\n\tsecond\nth');
  assert.equal(textBetween(line, [2, 1], [2, 4]), 'sec');
});

test('callers are a tree, dearest first', () => {
  const tree = callerTree({
    total: 10, total_time_ns: 100, names: ['all', 'f', 'g', 'h'], name_module: [0, 1, 1, 1], modules: ['', '/m'], files: ['', '/a.c'], file_ids: [0, 7],
    nodes: { parent: [0, 0, 1, 1], name: [0, 1, 2, 3], file: [0, 1, 0, 1], line: [0, 5, 0, 9], total: [10, 10, 3, 7], total_time_ns: [100, 100, 30, 70] },
  });
  assert.equal(tree.children.length, 1);
  assert.deepEqual(tree.children[0]!.children.map(({ name, module, file, line, hits }) => [name, module, file, line, hits]), [['h', '/m', 7, 9, 7], ['g', '/m', 0, 0, 3]]);
});
