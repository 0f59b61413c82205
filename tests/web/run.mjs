// run.mjs OUTPUT: bundles the tests of the page's logic into the folder OUTPUT and runs them.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const { buildSync } = createRequire(join(here, '../../web/package.json'))('esbuild');
const [output] = process.argv.slice(2);
if (!output) throw new Error('usage: run.mjs OUTPUT');

const tests = readdirSync(here).filter((name) => name.endsWith('.test.ts'));
rmSync(output, { recursive: true, force: true });
buildSync({
  entryPoints: tests.map((name) => join(here, name)),
  outdir: output,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  sourcemap: 'inline',
  logLevel: 'warning',
  jsx: 'automatic',
  jsxImportSource: 'preact',
});
const files = tests.map((name) => join(output, name.replace(/ts$/, 'mjs')));
const { status } = spawnSync(process.execPath, ['--test', '--test-reporter=tap', ...files], { stdio: 'inherit' });
process.exit(status ?? 1);
