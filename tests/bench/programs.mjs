// Programs that nobody here wrote, and what they are busy with for minutes.
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';

import { ROOT } from '../e2e/helpers/programs.mjs';
import { sleep, start } from './lib.mjs';

const LUA = `
local words, total = {}, 0
while true do
  for i = 1, 20000 do words[i % 1000 + 1] = string.format("%d-%s", i, tostring(i * 7 % 13)) end
  table.sort(words)
  for _, word in ipairs(words) do total = total + #word:gsub("%d", "x") end
end`;

const PYTHON = `
import re, json
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)
while True:
    fib(18)
    table = {str(i): i * i for i in range(2000)}
    sorted(table, key=lambda key: table[key] % 97)
    json.loads(json.dumps(table))
    re.sub("[0-9]+", lambda m: m.group() + "x", " ".join(table))
`;

const large = ['/usr/lib/chromium/chromium', '/usr/bin/gdb'].find(
  (file) => existsSync(file) && statSync(file).size > 5e6,
);
export const PROGRAMS = {
  objdump: { command: '/usr/bin/objdump', args: ['-d', large], packages: 'binutils, chromium', quick: true },
  lua: { command: '/usr/bin/lua5.4', args: ['-e', LUA], packages: 'lua5.4', quick: true },
  python: { command: '/usr/bin/python3.11', args: ['-c', PYTHON], packages: 'python3.11', quick: true },
  'objdump -s': { command: '/usr/bin/objdump', args: ['-s', large], packages: 'binutils, chromium' },
  queries: { command: join(ROOT, 'build/bench/queries'), args: ['50000000'], packages: 'tests/bench/run' },
};

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

/** Files whose debug information Debian has: C and C++, with and without shared (dwz) files. */
export const BINARIES = [
  ...['objdump', 'readelf', 'as', 'ld.bfd', 'ld.gold', 'lua5.4', 'python3.11'].map((name) => `/usr/bin/${name}`),
  ...['libc.so.6', 'libm.so.6', 'libstdc++.so.6'].map((name) => join(LIBRARIES, name)),
  join(ROOT, 'build/release/lprofd'),
];

/** Starts one, well after its beginning. */
export async function startProgram(t, { command, args }) {
  const program = start(t, command, args.filter(Boolean), { stdio: ['ignore', 'ignore', 'ignore'] });
  await sleep(500);
  return program;
}
