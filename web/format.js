// Numbers for people.

const THIN = '\u2009';
const integer = new Intl.NumberFormat('en', {maximumFractionDigits: 0});

export function count(value) {
  return integer.format(value).replaceAll(',', THIN);
}

export function percent(value) {
  return value >= 99.95 ? '100' : value.toFixed(value < 0.095 && value > 0 ? 2 : 1);
}

export function time(ns) {
  if (ns >= 60e9) return `${Math.floor(ns / 60e9)}${THIN}min ${Math.floor(ns / 1e9) % 60}${THIN}s`;
  if (ns >= 1e9) return `${(ns / 1e9).toFixed(2)}${THIN}s`;
  if (ns >= 1e6) return `${(ns / 1e6).toFixed(ns >= 1e8 ? 0 : 1)}${THIN}ms`;
  return ns ? `${(ns / 1e3).toFixed(0)}${THIN}µs` : '0';
}

export function bytes(value) {
  return value >= 1 << 30 ? `${(value / (1 << 30)).toFixed(1)}${THIN}GiB` : `${(value / (1 << 20)).toFixed(0)}${THIN}MiB`;
}

// "dir/" and "file.c"
export function splitPath(path) {
  const slash = path.lastIndexOf('/') + 1;
  return [path.slice(0, slash), path.slice(slash)];
}

const reasons = {
  pending: 'not looked up yet',
  name_only: 'lines still being read',
  no_debug_info: 'no debug information (install the -dbg or -dbgsym package, or build with -g)',
  no_line: 'debug information says nothing about them',
  no_module: 'outside any file (JIT code, ended stacks)',
  kernel: 'in the kernel (counted with the line that called it, in Total)',
  unreadable: 'file could not be read',
};

export function unknownReasons(unknown, total) {
  return Object.entries(unknown.reasons)
    .sort((a, b) => b[1] - a[1])
    .map(([reason, hits]) => `${percent(total ? (100 * hits) / total : 0)} % ${reasons[reason] ?? reason}`)
    .join(' · ');
}
