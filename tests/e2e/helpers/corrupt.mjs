// Damages copies of an ELF file where the kernel does not look, so that they still run.
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';

import { random } from './statistics.mjs';

/** [{name, offset, size, headerOffset}] of a 64-bit little-endian ELF file. */
export function sections(bytes) {
  const table = Number(bytes.readBigUInt64LE(40));
  const [entry, count, names] = [58, 60, 62].map((at) => bytes.readUInt16LE(at));
  const headers = [];
  for (let i = 0; i < count; i++) {
    const at = table + i * entry;
    headers.push({
      nameOffset: bytes.readUInt32LE(at),
      offset: Number(bytes.readBigUInt64LE(at + 24)),
      size: Number(bytes.readBigUInt64LE(at + 32)),
      headerOffset: at,
    });
  }
  const start = headers[names].offset;
  for (const header of headers) {
    const at = start + header.nameOffset;
    header.name = bytes.toString('latin1', at, bytes.indexOf(0, at));
  }
  return headers;
}

/** Ways to damage: which bytes of the file may change. */
const RANGES = {
  headers: (all) => all.map(({ headerOffset }) => [headerOffset, 64]),
  line: (all) => of(all, ['.debug_line', '.debug_line_str']),
  info: (all) => of(all, ['.debug_info', '.debug_abbrev', '.debug_str']),
  ranges: (all) => of(all, ['.debug_rnglists', '.debug_ranges', '.debug_aranges', '.debug_addr']),
  cfi: (all) => of(all, ['.eh_frame', '.eh_frame_hdr']),
  symbols: (all) => of(all, ['.symtab', '.strtab', '.shstrtab']),
};
const of = (all, names) =>
  all.filter(({ name }) => names.includes(name)).map(({ offset, size }) => [offset, size]);
export const DAMAGES = [...Object.keys(RANGES), 'truncated'];

/** Writes a copy of `source` to `path` in which about one byte of 40 of those ranges is another. */
export function corrupt(source, path, damage, seed) {
  let bytes = readFileSync(source);
  const next = random(seed);
  if (damage === 'truncated') {
    const debug = sections(bytes).filter(({ name }) => name.startsWith('.debug_'));
    const first = Math.min(...debug.map(({ offset }) => offset));
    bytes = bytes.subarray(0, first + Math.floor(next() * (bytes.length - first)));
  } else {
    for (const [offset, size] of RANGES[damage](sections(bytes)))
      for (let i = offset; i < offset + size; i++)
        if (next() < 1 / 40) bytes[i] = Math.floor(next() * 256);
  }
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
}

/** Writes a copy of `source` to `path` in which a section is nothing but 0x7f. */
export function overwrite(source, path, section) {
  const bytes = readFileSync(source);
  const { offset, size } = sections(bytes).find(({ name }) => name === section);
  writeFileSync(path, bytes.fill(0x7f, offset, offset + size), { mode: 0o755 });
}
