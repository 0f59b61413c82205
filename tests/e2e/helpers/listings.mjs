// Programs with sources made for the listing: very long ones, damaged ones, hostile ones.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import { atEnd, run, start, until } from './processes.mjs';

/** A folder that goes when the test ends. */
export function scratch(t) {
  const folder = mkdtempSync(join(tmpdir(), 'lprofd-listing-'));
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Compiles `text` (a string or bytes), which must say "ready", and starts it: {path, program}. */
export async function runSource(t, name, text, { folder = scratch(t), compiler = 'cc', flags = [] } = {}) {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  const binary = join(folder, 'program');
  const { code, stderr } = await run(t, compiler, ['-g', '-O1', '-w', ...flags, path, '-o', binary], { seconds: 120 });
  if (code !== 0) throw new Error(stderr.slice(0, 2000));
  const program = start(t, binary);
  await until(`${name} says ready`, () => program.stdout.includes('ready'));
  return { path, binary, program };
}

export const SPIN = '__attribute__((noinline)) static void spin(volatile unsigned *at, unsigned count) { while (count--) ++*at; }';

/** C of so many lines, most of them never compiled, with hot ones where `places` are: {text, hot}. */
export function longSource(lines, places = [0.001, 0.25, 0.5, 0.75, 0.999]) {
  const all = ['#include <stdio.h>', 'static volatile unsigned sink;', SPIN.replace('static void', 'void')];
  const starts = places.map((place) => Math.max(10, Math.floor(place * lines)));
  const hot = [];
  let skipped = false;
  const names = [];
  while (all.length < lines - 12) {
    const next = all.length + 1;
    if (starts.length && next >= starts[0]) {
      starts.shift();
      if (skipped) all.push('#endif');
      skipped = false;
      const name = `hot_${names.length}`;
      names.push(name);
      all.push(`__attribute__((noinline)) void ${name}(unsigned count) /* hot */`, '{');
      hot.push(all.length + 1);
      all.push('    while (count--) sink += count * 3; /* known: hot */', '}');
      continue;
    }
    if (!skipped) all.push('#if 0');
    skipped = true;
    const id = all.length;
    all.push(`/* function ${id} adds "up" what it is given`, ' * and says so */', `static unsigned function_${id}(const char *text, unsigned count)`, '{',
      `    for (unsigned i = 0; i < count; i++) /* line ${id + 4} */`, `        if (text[i] == '${'abc'[id % 3]}') return call_${id % 7}(i, 0x${id.toString(16)});`, '    return 0;', '}', '');
  }
  if (skipped) all.push('#endif');
  all.push('int main(void)', '{', '    setvbuf(stdout, 0, _IONBF, 0); puts("ready");', '    for (;;) {', ...[`        ${names.map((name, i) => `${name}(${(i + 1) * 20000});`).join(' ')}`], '    }', '}');
  while (all.length < lines) all.push('/* the end */');
  return { text: `${all.join('\n')}\n`, hot, lines: all.length };
}
