// Measures speed, cost and truth side by side with the peers; prints one table and writes JSON.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';

import { ROOT } from '../e2e/helpers/programs.mjs';
import { figures as cost } from './cost.mjs';
import { figures as disk } from './disk.mjs';
import { figures as flame } from './flame.mjs';
import { figures as java } from './java.mjs';
import { scoped } from './lib.mjs';
import { figures as listing } from './listing.mjs';
import { figures as own } from './own_profile.mjs';
import { figures as page } from './page.mjs';
import { figures as reach } from './reach.mjs';
import { figures as scaling } from './scaling.mjs';
import { figures as soak } from './soak.mjs';
import { figures as symbols } from './symbols.mjs';
import { figures as truth } from './truth.mjs';

const ALL = { ...truth, ...cost, ...java, ...symbols, ...reach, ...disk, ...page, ...listing, ...flame, ...own, ...soak, ...scaling };

const HELP = `tests/bench/run [OPTION ...]
  --only NAME      only this figure (repeatable): ${Object.keys(ALL).join(', ')}
  --quick          shorter runs and fewer turns: a couple of minutes
  --full           figure 10 over all of its ten minutes instead of a shorter run, scaled
  --soak SECONDS   only the soak: does anything grow in that time
  --scaling        only the curves: cost against rate, threads, depth, modules, nodes, hours, clients
  --truth          only the truth figures a-f, at length
  --output FILE    where the JSON goes (default build/bench.json)
The environment's LIBJVM names a libjvm.so with debug information, for figure 6.`;

function options() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      quick: { type: 'boolean', default: false },
      full: { type: 'boolean', default: false },
      scaling: { type: 'boolean', default: false },
      soak: { type: 'string' },
      truth: { type: 'boolean', default: false },
      output: { type: 'string', default: join(ROOT, 'build/bench.json') },
      help: { type: 'boolean', default: false },
    },
  });
  const unknown = values.only?.find((name) => !ALL[name]);
  if (unknown) throw new Error(`no figure "${unknown}"; see --help`);
  if (values.soak !== undefined && !(Number(values.soak) > 0)) throw new Error('--soak takes seconds');
  if (values.soak) values.only ??= ['soak'];
  return values;
}

const UNITS = { s: [1, ' s'], ms: [1e-3, ' ms'], us: [1e-6, ' us'], bytes: [2 ** 20, ' MB'], percent: [0.01, ' %'] };

function number(value, unit) {
  if (value === undefined || value === null) return '-';
  const [scale, suffix] = UNITS[unit] ?? [1, unit && ` ${unit}`];
  const digits = (one) => Number((one / scale).toPrecision(3)).toString();
  if (typeof value === 'number') return digits(value) + suffix;
  return `${digits(value.median)}${suffix} (${digits(value.min)}-${digits(value.max)})`;
}

function print(rows) {
  const head = ['#', 'figure', 'ours', 'peer', 'ratio', 'target', ''];
  const cells = rows.map((one) => [
    one.figure,
    one.what,
    number(one.ours, one.unit),
    number(one.peer, one.unit),
    one.ratio === undefined ? '-' : one.ratio.toPrecision(3),
    one.target ?? '-',
    one.verdict,
  ]);
  const widths = head.map((name, i) => Math.max(name.length, ...cells.map((row) => row[i].length)));
  const line = (row) => row.map((cell, i) => cell.padEnd(widths[i])).join('  ').trimEnd();
  console.log([line(head), ...cells.map(line)].join('\n'));
  for (const one of rows) if (one.why && one.verdict) console.log(`\n${one.figure} ${one.what}: ${one.why}`);
}

const settings = options();
if (settings.help) {
  console.log(HELP);
} else {
  if (process.getuid() !== 0) throw new Error('needs root: perf events of all CPUs');
  const chosen = settings.truth ? truth : settings.scaling ? scaling : ALL;
  const names = settings.only ?? Object.keys(chosen);
  const rows = [];
  for (const name of names) {
    const started = Date.now();
    try {
      rows.push(...(await scoped((t) => ALL[name](t, settings))));
    } catch (error) {
      rows.push({ figure: name, what: 'failed', verdict: 'ERROR', why: error.stack });
    }
    console.error(`${name}: measured in ${((Date.now() - started) / 1000).toFixed(1)} s`);
  }
  print(rows);
  const machine = {
    cpus: cpus().length,
    model: cpus()[0].model,
    kernel: readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim(),
    load: loadavg(),
  };
  mkdirSync(dirname(settings.output), { recursive: true });
  const document = { at: new Date().toISOString(), quick: settings.quick, machine, rows };
  writeFileSync(settings.output, `${JSON.stringify(document, null, 1)}\n`);
  if (rows.some(({ verdict }) => verdict === 'ERROR')) process.exitCode = 1;
}
