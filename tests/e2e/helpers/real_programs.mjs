// Programs that nobody here wrote, and what they are busy with for minutes.
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { publicFolder } from './nobody.mjs';
import { sleep, start } from './processes.mjs';

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

const JAVASCRIPT = `
for (;;) {
  const table = {};
  for (let i = 0; i < 20000; i++) table['k' + (i * 7) % 977] = i;
  JSON.parse(JSON.stringify(Object.keys(table).sort())).join().replace(/[0-9]+/g, (one) => one + 'x');
}`;

/** Keeps a C++ compiler busy for a minute. */
const CPLUSPLUS = `
#include <array>
#include <map>
#include <regex>
template <int N> int work(const std::string &text) {
  std::map<std::string, std::array<int, N>> found;
  std::regex pattern("([a-z]+)([0-9]{" + std::to_string(N) + "})");
  for (std::sregex_iterator it(text.begin(), text.end(), pattern), end; it != end; ++it) found[it->str(1)][0]++;
  return static_cast<int>(found.size()) + work<N - 1>(text);
}
template <> int work<0>(const std::string &) { return 0; }
int main(int, char **argv) { return work<300>(argv[0]); }
`;

const large = ['/usr/lib/chromium/chromium', '/usr/bin/gdb'].find(
  (file) => existsSync(file) && statSync(file).size > 5e6,
);

/** A file of a test's own, as an argument of a program. */
const file = (name, text) => (t) => {
  const path = join(publicFolder(t), name);
  writeFileSync(path, text);
  return path;
};

/**
 * By name: the command, its arguments (or functions of the test that give them) and the packages.
 * `lines`: Debian has their debug information. `source`: where they spend their time. `again`:
 * they end, and are started again.
 */
export const PROGRAMS = {
  objdump: {
    command: '/usr/bin/objdump',
    args: ['-d', large],
    packages: 'binutils, chromium',
    source: /\.c$/,
    lines: true,
    quick: true,
  },
  lua: {
    command: '/usr/bin/lua5.4',
    args: ['-e', LUA],
    packages: 'lua5.4',
    source: /lvm\.c$/,
    lines: true,
    quick: true,
  },
  python: {
    command: '/usr/bin/python3.11',
    args: ['-c', PYTHON],
    packages: 'python3.11, python3.11-dbg',
    source: /ceval\.c$/,
    lines: true,
    quick: true,
  },
  'objdump -s': {
    command: '/usr/bin/objdump',
    args: ['-s', ...Array(8).fill(large)], // one takes 14 s on a fast machine
    packages: 'binutils, chromium',
    lines: true,
  },
  node: { command: '/usr/bin/node', args: ['-e', JAVASCRIPT], packages: 'nodejs' },
  cc1plus: {
    command: '/usr/lib/gcc/x86_64-linux-gnu/12/cc1plus',
    args: ['-quiet', '-imultiarch', 'x86_64-linux-gnu', '-O2', '-ftemplate-depth=1000', '-o', '/dev/null', file('large.cpp', CPLUSPLUS)],
    packages: 'g++',
    again: true,
  },
  xz: { command: '/usr/bin/xz', args: ['-9', '-k', '-c', '-T2', large], packages: 'xz-utils, chromium' },
  ripgrep: {
    command: '/usr/bin/rg',
    args: ['-j2', '-uuu', '--no-mmap', '[a-z]{3}q[^u]+z', '/usr/lib', '/usr/share'],
    packages: 'ripgrep',
    again: true,
  },
};

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

/** Files whose debug information Debian has: C and C++, with and without shared (dwz) files. */
export const BINARIES = [
  ...['objdump', 'readelf', 'as', 'ld.bfd', 'ld.gold', 'gprofng', 'lua5.4', 'python3.11', 'gm', 'uwsgi'].map(
    (name) => `/usr/bin/${name}`,
  ),
  '/usr/sbin/syslog-ng',
  '/usr/sbin/vsftpd',
  '/usr/lib/jvm/java-17-openjdk-amd64/lib/server/libjvm.so',
  ...['libc.so.6', 'libm.so.6', 'libstdc++.so.6', 'libkrb5.so.3', 'libgsl.so.27', 'libpcre.so.3'].map((name) =>
    join(LIBRARIES, name),
  ),
].filter((path) => existsSync(path));

/** Starts one, well after its beginning. */
export async function startProgram(t, { command, args }) {
  const given = args.filter(Boolean).map((one) => (typeof one === 'function' ? one(t) : one));
  const program = start(t, command, given, { stdio: ['ignore', 'ignore', 'ignore'] });
  await sleep(500);
  return program;
}
