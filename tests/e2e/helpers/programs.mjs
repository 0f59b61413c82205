// Where the programs under test, the targets and their sources are.
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const BUILD = process.env.LPROFD ? dirname(process.env.LPROFD) : join(ROOT, 'build/release');

export const LPROFD = process.env.LPROFD ?? join(BUILD, 'lprofd');
export const LPROF = process.env.LPROF ?? join(BUILD, 'lprof');
export const TARGETS = process.env.TARGETS ?? join(BUILD, 'tests/targets');
export const TOOLS = process.env.TOOLS ?? join(BUILD, 'tests/tools');
export const SOURCES = join(ROOT, 'tests/targets');
export const SANITIZED = (process.env.SANITIZED ?? '') !== '';
export const IS_ROOT = process.getuid() === 0;

export const targetPath = (name) => join(TARGETS, name);
export const toolPath = (name) => join(TOOLS, name);

/** The folder for what a person may want to look at after the run. */
export function artifacts() {
  const folder = process.env.ARTIFACTS ?? join(BUILD, 'artifacts');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The number of the line of a target's source that is marked `known: MARK`. */
export function knownLine(source, mark) {
  const lines = readFileSync(join(SOURCES, source), 'utf8').split('\n');
  const index = lines.findIndex((line) => line.includes(`/* known: ${mark} */`));
  if (index < 0) throw new Error(`${source} has no line marked "known: ${mark}"`);
  return index + 1;
}

/** Skips the test unless the files exist; says which package brings them. */
export function needsFiles(t, files, packageName) {
  const missing = files.filter((file) => !existsSync(file));
  if (missing.length > 0) t.skip(`${missing.join(', ')} is missing (package ${packageName})`);
  return missing.length === 0;
}

/** Skips the test unless it runs as root; says so. */
export function needsRoot(t) {
  if (!IS_ROOT) t.skip('needs root');
  return IS_ROOT;
}
