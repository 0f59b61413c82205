// The URL is the state: what is written is read back, and what cannot be read says so.
import assert from 'node:assert/strict';
import test from 'node:test';

import { endOf, format, link, parse, route } from '../../web/src/state.ts';

test('every route is read back as it was written', () => {
  const hashes = [
    '#/', '#/attach', '#/session/1/lines', '#/session/1/lines?from=1.5&to=3.25&tid=7&tid=9&by=total',
    '#/session/2/flame?kernel=0&focus=a%3Bb&focus=c+d&hide=%3Cscript%3E&find=x%26y',
    '#/session/3/source/14?by=self&inlines=called&line=20', '#/session/3/compare?a=1&b=2',
  ];
  for (const hash of hashes) assert.equal(format(parse(hash)), hash);
});

test('malformed links are unknown, malformed filters are left out', () => {
  for (const hash of ['#/nonsense', '#/session/0/lines', '#/session/x', '#/session/1/nothing', '#/session/1/source', '#/session/1/source/-3', '#/session/1/lines/4'])
    assert.equal(parse(hash).view, 'unknown', hash);
  const odd = parse('#/session/1/lines?from=5&to=2&tid=-1&tid=x&by=nobody&kernel=maybe');
  assert.deepEqual([odd.range, odd.threads, odd.by, odd.kernel], [null, [], 'self', true]);
  assert.equal(parse('#/session/1/lines?from=0&to=1e400').range, null);
  assert.deepEqual(odd.ignored, ['from=5', 'to=2', 'tid=-1', 'tid=x', 'by=nobody', 'kernel=maybe']);
});

test('what lprofd would refuse is not asked, and what was left out is said', () => {
  const ignored = (hash: string) => parse(hash).ignored.map((one) => one.slice(0, 12));
  assert.deepEqual(ignored('#/session/1/lines?from=1&to=2&tid=7&by=total&inlines=called&kernel=0&focus=a&hide=b&filter=c'), []);
  assert.deepEqual(ignored('#/session/1/lines?from=NaN&tid=4194305&tid=4194304'), ['from=NaN', 'tid=4194305']);
  assert.deepEqual(ignored('#/session/1/source/2?line=-1'), ['line=-1']);
  assert.deepEqual(ignored('#/session/1/source/2?line=1e99&callers=x'), ['line=1e99', 'callers=x']);
  assert.deepEqual(ignored('#/session/1/source/2?line=9000000000'), []);
  assert.deepEqual(ignored('#/session/1/compare?af=3&at=1&bf=0&bt=1&ai=7,x&a=0'), ['af=3', 'at=1', 'ai=7,x', 'a=0']);
  const stacks = ['a', 'a;b', ';a;b', 'a;b;', 'a\\;', 'a\\\\;b', 'f:0x', 'a.c:10', ':0', '\\'];
  for (const stack of stacks) assert.deepEqual(parse(`#/session/1/lines?${new URLSearchParams({ focus: stack })}`).focus, [stack]);
  for (const stack of [';', ';;', ';a;', 'a;;b', 'a:0', 'a\\\\;;', 'a:000'])
    assert.deepEqual(parse(`#/session/1/lines?${new URLSearchParams({ hide: stack })}`).hide, [], stack);
  const long = 'x'.repeat(100_000);
  const route = parse(`#/session/1/lines?focus=${long}&filter=${long}&hide=%ZZ%`);
  assert.deepEqual([route.focus, route.options, route.hide, route.ignored.length], [[], {}, ['%ZZ%'], 2]);
  assert.equal(parse(`#/session/1/lines?${'focus=a&'.repeat(17)}`).focus.length, 16);
  assert.equal(parse(`#/session/1/lines?focus=${'\u00e9'.repeat(2049)}`).focus.length, 0, '4098 bytes');
});

test('a link keeps the filters between views and the options within one', () => {
  route.value = parse('#/session/1/lines?tid=7&filter=x&by=total');
  assert.equal(link({ view: 'functions' }), '#/session/1/functions?tid=7&by=total');
  assert.equal(link({ range: { from_ns: 0, to_ns: 2e9 } }), '#/session/1/lines?from=0&to=2&tid=7&by=total&filter=x');
  assert.equal(link({ view: 'lines', session: 2 }), '#/session/2/lines?by=total');
  assert.equal(link({ view: 'source', file: 3, options: { line: '5' } }), '#/session/1/source/3?tid=7&line=5');
});

test('held numbers end when they were held, and a range that begins later is its own', () => {
  const range = { from_ns: 2, to_ns: 10 };
  assert.deepEqual([endOf(null, null), endOf(range, null), endOf(null, 5), endOf(range, 5), endOf(range, 20), endOf(range, 1)], [undefined, 10, 5, 5, 10, 10]);
});
