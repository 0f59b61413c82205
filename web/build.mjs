// build.mjs OUTPUT: bundles the page into the folder OUTPUT, with a hash of its content in each name,
// so that a browser may keep it for ever. Fails when it outgrows its budget.
import { readFileSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

const BUDGET_BYTES = 120_000; // of everything, gzipped
const here = fileURLToPath(new URL('.', import.meta.url));
const [output] = process.argv.slice(2);
if (!output) throw new Error('usage: build.mjs OUTPUT');

/** Bundles one entry point; the names of what came of it. */
async function bundle(entry, more = {}) {
  const result = await build({
    entryPoints: [join(here, entry)],
    outdir: output,
    entryNames: '[name]-[hash]',
    bundle: true,
    minify: true,
    format: 'esm',
    target: ['es2022', 'chrome108', 'firefox110', 'safari16'],
    legalComments: 'none',
    loader: { '.svg': 'dataurl' },
    jsx: 'automatic',
    jsxImportSource: 'preact',
    metafile: true,
    logLevel: 'warning',
    ...more,
  });
  return Object.keys(result.metafile.outputs).map((path) => basename(path));
}

rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const worker = await bundle('src/flame/worker.ts');
const main = await bundle('src/main.ts', { define: { FLAME_WORKER: JSON.stringify(worker[0]) } });
const style = await bundle('style.css');

const page = readFileSync(join(here, 'index.html'), 'utf8')
  .replace('MAIN_JS', main.find((name) => name.endsWith('.js')))
  .replace('STYLE_CSS', style[0]);
writeFileSync(join(output, 'index.html'), page);
writeFileSync(join(output, 'icon.svg'), readFileSync(join(here, 'icon.svg')));

const files = [...worker, ...main, ...style, 'index.html', 'icon.svg'];
const sizes = files.map((name) => gzipSync(readFileSync(join(output, name)), { level: 9 }).length);
const total = sizes.reduce((sum, bytes) => sum + bytes, 0);
console.log(files.map((name, i) => `${name} ${sizes[i]}`).join('\n'));
console.log(`${total} of ${BUDGET_BYTES} bytes, gzipped`);
if (total > BUDGET_BYTES) {
  console.error('The page is over its budget: see build.mjs');
  process.exit(1);
}
