// Programs as a user without rights: copies that everyone may run, wherever the build folder is.
import { chmodSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

import { atEnd } from './processes.mjs';

/** Options for start() and run(): the user nobody of Debian. */
export const NOBODY = { uid: 65534, gid: 65534, cwd: '/' };

/** A folder of its own that everyone may enter; it goes when the test ends. */
export function publicFolder(t) {
  const folder = mkdtempSync(join(tmpdir(), 'lprofd-test-'));
  chmodSync(folder, 0o755);
  atEnd(t, () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Copies a program there and gives the copy's path. */
export function publicCopy(t, program) {
  const copy = join(publicFolder(t), basename(program));
  copyFileSync(program, copy);
  chmodSync(copy, 0o755);
  return copy;
}
