// Numbers for people: the same rounding everywhere.

const THIN = '\u2009';
const integer = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

/** 12 345 */
export function count(value: number): string {
  return integer.format(value).replaceAll(',', THIN);
}

/** 12.3, without its sign: the column's head says per cent. Never rounds to 100 or 0 what is not. */
export function percent(value: number): string {
  if (value >= 100) return '100';
  if (value >= 99.95) return '99.9';
  if (value > 0 && value < 0.005) return '<0.01';
  return value.toFixed(value > 0 && value < 0.095 ? 2 : 1);
}

/** +1.2, −0.3: percentage points. */
export function points(value: number): string {
  const size = Math.abs(value);
  const text = size.toFixed(size > 0 && size < 0.095 ? 2 : 1);
  if (Number(text) === 0) return '0.0';
  return `${value < 0 ? '\u2212' : '+'}${text}`;
}

/** 1.24 s, 38 ms, 2 min 05 s */
export function time(ns: number): string {
  if (ns < 0) return `\u2212${time(-ns)}`;
  if (ns >= 3600e9) return `${Math.floor(ns / 3600e9)}${THIN}h ${two(Math.floor(ns / 60e9) % 60)}${THIN}min`;
  if (ns >= 59.995e9) {
    const seconds = Math.round(ns / 1e9);
    return `${Math.floor(seconds / 60)}${THIN}min ${two(seconds % 60)}${THIN}s`;
  }
  if (ns >= 0.9995e9) return `${(ns / 1e9).toFixed(2)}${THIN}s`;
  if (ns >= 0.9995e6) return `${(ns / 1e6).toFixed(ns >= 9.95e6 ? 0 : 1)}${THIN}ms`;
  return ns ? `${Math.max(1, Math.round(ns / 1e3))}${THIN}µs` : '0';
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** 12 MiB */
export function bytes(value: number): string {
  if (value >= 1 << 30) return `${(value / (1 << 30)).toFixed(1)}${THIN}GiB`;
  if (value >= 1 << 20) return `${(value / (1 << 20)).toFixed(0)}${THIN}MiB`;
  return `${Math.ceil(value / 1024)}${THIN}KiB`;
}

/** A point of the session's time, as one types it: seconds with three digits at most. */
export function seconds(ns: number): string {
  return String(Math.round(ns / 1e6) / 1e3);
}

/** "dir/" and "file.c" */
export function splitPath(path: string): [folder: string, name: string] {
  const slash = path.lastIndexOf('/') + 1;
  return [path.slice(0, slash), path.slice(slash)];
}

/** "1 thread", "3 threads" */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** ± half of the interval, in percentage points; wide when it is too wide to rank by. */
export function interval(row: { percent_low: number; percent_high: number }): { text: string; wide: boolean } {
  const half = (row.percent_high - row.percent_low) / 2;
  const middle = (row.percent_high + row.percent_low) / 2;
  return {
    text: `95 % interval: ${percent(row.percent_low)} to ${percent(row.percent_high)} %`,
    wide: half > 0.5 * middle,
  };
}

/** A command without the folder of its program: what one knows it by. */
export function shortCommand(command: string): string {
  const [program = '', ...rest] = command.split(' ');
  return [splitPath(program)[1] || program, ...rest].join(' ');
}
