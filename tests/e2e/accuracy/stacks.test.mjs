// Stacks of one and the same instant are those that eu-stack and gdb see, frame by frame.
import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EU_STACK } from '../helpers/perf.mjs';
import { needsFiles, needsRoot, targetPath } from '../helpers/programs.mjs';
import { PROGRAMS } from '../helpers/real_programs.mjs';
import { GDB, compareAtStops } from '../helpers/stops.mjs';

/** Ours for what real programs seldom have: odd frames, signal frames, assembly, several threads. */
const OWN = ['frames', 'handler', 'assembly', 'plt', 'shapes', 'threads', 'recursion-debug-frame-zlib'];
const own = OWN.map((name) => [name, { command: targetPath(name), args: ['300'], packages: 'tests/targets' }]);

for (const [name, program] of [...Object.entries(PROGRAMS), ...own]) {
  test(`${name}: a stopped stack is that of eu-stack and of gdb, frame by frame`, async (t) => {
    const files = [program.command, EU_STACK, GDB, ...program.args.filter((one) => one?.[0] === '/')];
    if (!needsRoot(t) || !needsFiles(t, files, `${program.packages}, elfutils, gdb`)) return;
    const result = await compareAtStops(t, program, { stops: 20, gdb_every: 5 });
    for (const [reason, count] of Object.entries(result.explained)) t.diagnostic(`${count}: ${reason}`);
    t.diagnostic(`${result.stacks} stacks, ${result.with_gdb} with gdb: ${JSON.stringify(result.ends)}`);
    assert.deepEqual(result.unexplained, []);
    assert.ok(result.stacks >= 20, `${result.stacks} stacks`);
  });
}
