// Every address of programs with inlined code, by several compilers and ways of writing DWARF.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';

import { publicFolder } from '../helpers/nobody.mjs';
import { run } from '../helpers/processes.mjs';
import { SOURCES, needsFiles, targetPath } from '../helpers/programs.mjs';
import { NAMES_IN_PART, PEERS, askOurs, compareSymbols, functionAddresses } from '../helpers/symbol_peers.mjs';

const COMPILERS = [
  { compiler: '/usr/bin/gcc', source: 'inlines.c', package: 'gcc' },
  { compiler: '/usr/bin/g++', source: 'shapes.cpp', package: 'g++' },
  { compiler: '/usr/bin/clang', source: 'inlines.c', package: 'clang' },
  { compiler: '/usr/bin/clang++', source: 'shapes.cpp', package: 'clang' },
];
const WAYS = [
  ['-gdwarf-3'],
  ['-gdwarf-4'],
  ['-gdwarf-5'],
  ['-gdwarf-4', '-gz=zlib'],
  ['-gdwarf-5', '-gz=zlib'],
  ['-gdwarf-4', '-fdebug-types-section'],
  ['-gdwarf-5', '-O3', '-ffunction-sections'],
];
/** Units that refer to each other: only gcc's linker plugin comes with the compiler. */
const WAYS_OF_GCC = [['-gdwarf-5', '-flto'], ['-gdwarf-4', '-flto', '-flto-partition=max']];

/** Not the start-up code that comes with the C library: it was built without debug information. */
const OWN = /^(?!_start$)/;

const tools = Object.values(PEERS).map(({ command }) => command);

async function build(t, { compiler, source }, way) {
  const program = join(publicFolder(t), 'program');
  const args = ['-O2', '-pthread', '-D_GNU_SOURCE', ...way, '-o', program, join(SOURCES, source)];
  const { code, stderr } = await run(t, compiler, args);
  assert.equal(code, 0, stderr);
  return program;
}

/** That of each address another tool says what we say, and that there is something to say. */
async function assertAgrees(t, program, vaddrs) {
  const result = await compareSymbols(t, program, vaddrs);
  t.diagnostic(`${vaddrs.length} addresses: ${result.text}`);
  const in_part = result.explained[NAMES_IN_PART]?.length ?? 0;
  assert.equal(result.equal_any + in_part, vaddrs.length, result.text);
  assert.ok(in_part < 0.1 * vaddrs.length, 'these are few lambdas');
  assert.ok(result.with_lines > 0.9 * vaddrs.length, 'compilers give line 0 to little');
  const { chains } = await askOurs(t, program, vaddrs);
  assert.ok(chains.some((chain) => chain.length >= 3), 'calls are inlined into inlined calls');
}

for (const language of COMPILERS) {
  const ways = /\/g(cc|\+\+)$/.test(language.compiler) ? [...WAYS, ...WAYS_OF_GCC] : WAYS;
  for (const way of ways)
    test(`${language.compiler} ${way.join(' ')}: what is at every address`, async (t) => {
      if (!needsFiles(t, [language.compiler, ...tools], `${language.package}, elfutils, llvm, binutils`)) return;
      const program = await build(t, language, way);
      await assertAgrees(t, program, await functionAddresses(t, program, OWN));
    });

  // elfutils of Debian 12 and LLVM 14 cannot read what zstd packed: it must not matter that it is.
  test(`${language.compiler}: sections packed by zstd say what they said before`, async (t) => {
    if (!needsFiles(t, [language.compiler, ...tools], `${language.package}, elfutils, llvm, binutils`)) return;
    const program = await build(t, language, ['-gdwarf-5']);
    const packed = `${program}.zstd`;
    const { code, stderr } = await run(t, 'objcopy', ['--compress-debug-sections=zstd', program, packed]);
    assert.equal(code, 0, stderr);
    const { stdout } = await run(t, 'readelf', ['-tW', packed]);
    assert.match(stdout, /ZSTD/);
    const vaddrs = await functionAddresses(t, program, OWN);
    const [before, after] = [await askOurs(t, program, vaddrs), await askOurs(t, packed, vaddrs)];
    assert.deepEqual(after.chains, before.chains);
  });
}

for (const mangling of ['legacy', 'v0'])
  test(`rustc, ${mangling} names: what is at every address of its own code`, async (t) => {
    const program = targetPath(`rusty-${mangling}`);
    if (!needsFiles(t, [program, ...tools], 'rustc, elfutils, llvm, binutils')) return;
    await assertAgrees(t, program, await functionAddresses(t, program, /rusty/));
  });
