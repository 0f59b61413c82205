// Lines and inline chains of addresses all over Debian's binaries are those that other tools find.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { needsFiles } from '../helpers/programs.mjs';
import { PEERS, compareSymbols, spreadAddresses } from '../helpers/symbol_peers.mjs';

const LIBRARIES = '/usr/lib/x86_64-linux-gnu';
const FILES = {
  '/usr/bin/objdump': 'binutils, binutils-x86-64-linux-gnu-dbg',
  '/usr/bin/ld.gold': 'binutils, binutils-x86-64-linux-gnu-dbg', // C++
  '/usr/bin/lua5.4': 'lua5.4, liblua5.4-0-dbg',
  '/usr/bin/python3.11': 'python3.11, python3.11-dbg',
  [`${LIBRARIES}/libc.so.6`]: 'libc6-dbg', // with a shared (dwz) file
};

for (const [path, packages] of Object.entries(FILES)) {
  test(`${path}: inline chains of random addresses are those of other tools`, async (t) => {
    const tools = ['eu-addr2line', 'addr2line'].map((name) => PEERS[name].command);
    if (!needsFiles(t, [path, ...tools], `${packages}, elfutils, binutils`)) return;
    const result = await compareSymbols(t, path, await spreadAddresses(t, path, 300));
    t.diagnostic(result.text);
    assert.ok(result.with_lines > 200, `${result.with_lines} have lines`);
    assert.deepEqual(result.unexplained, []);
  });
}
