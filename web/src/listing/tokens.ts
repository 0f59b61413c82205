// Splits a line into what gets a colour. A line needs nothing but the state in which the one before it
// ended, so that any line can be a checkpoint. Colours help the eye; they are no parser's truth.
import type { Kind, Language } from './languages.ts';

/** How a line ends: '' is code; else inside a comment ("c", depth), a string ("s", rule) or a raw string ("r", its end). */
export type State = string;
export type Token = [end: number, kind: Kind | ''];

/** A string that is not closed ends with the line, unless its language says other; behind so many
 * characters of a line nobody looks. */
export const LOOKED_AT = 5_000;

interface Scanner {
  /** Everything that has a colour. */
  all: RegExp;
  /** Only what may lead into another line. */
  state: RegExp;
}

const escape = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const NUMBER = "0[xX][\\da-fA-F'_]+(?:\\.[\\da-fA-F]*)?(?:[pP][+-]?\\d+)?\\w*|0[bB][01'_]+\\w*|\\.?\\d[\\d_]*(?:'\\d+)*(?:\\.\\d[\\d_]*)?(?:[eE][+-]?\\d+)?\\w*";
const NEVER = '(?!)';
const REGEXP = /^\/(?![*/])(?:[^\\/[]|\\.|\[(?:[^\]\\]|\\.)*\])+\/[a-z]*/;
const scanners = new Map<Language, Scanner>();

function scannerOf(language: Language): Scanner {
  let scanner = scanners.get(language);
  if (!scanner) {
    const opens = language.strings.map((rule) => escape(rule.open)).join('|') || NEVER;
    // Groups: 1 extra, 2 comment, 3 block, 4 raw, 5 string; then 6 number, 7 word, 8 slash.
    const parts = [
      `(${language.extras.map(([source]) => source).join('|') || NEVER})`,
      `(${language.comments.join('|') || NEVER})`,
      `(${language.block ? escape(language.block.open) : NEVER})`,
      `(${language.raw?.open ?? NEVER})`,
      `(${opens})`,
    ].join('|');
    scanner = {
      all: new RegExp(`${parts}|(${NUMBER})|([A-Za-z_$\\u0080-\\uffff][\\w$\\u0080-\\uffff]*)|(\\/)`, 'g'),
      state: new RegExp(parts, 'g'),
    };
    scanners.set(language, scanner);
  }
  return scanner;
}

/** Where a string ends that began before `from`; -1: not in this line. */
function closeOf(line: string, from: number, close: string, escapes: boolean): number {
  if (!escapes) {
    const at = line.indexOf(close, from);
    return at < 0 ? -1 : at + close.length;
  }
  const first = close.charCodeAt(0);
  for (let i = from; i < line.length; i++) {
    const code = line.charCodeAt(i);
    if (code === 92) i++;
    else if (code === first && line.startsWith(close, i)) return i + close.length;
  }
  return -1;
}

/** Goes on inside what the state says: where it ends, or the line's length, and the state then. */
function inside(language: Language, line: string, from: number, state: State): [end: number, state: State] {
  const what = state.slice(1);
  if (state[0] === 'c') {
    const { open, close, nests } = language.block!;
    let depth = Number(what);
    let at = from;
    let end = -1;
    let begin = -1;
    // What was looked for and is not there is not looked for again.
    const find = (text: string, known: number): number => {
      if (known >= at) return known;
      const found = line.indexOf(text, at);
      return found < 0 ? Infinity : found;
    };
    while (depth > 0) {
      end = find(close, end);
      begin = nests ? find(open, begin) : Infinity;
      if (end === Infinity && begin === Infinity) return [line.length, `c${Math.min(depth, 1000)}`];
      if (begin < end) {
        depth++;
        at = begin + open.length;
      } else {
        depth--;
        at = end + close.length;
      }
    }
    return [at, ''];
  }
  if (state[0] === 'r') {
    const end = closeOf(line, from, what, false);
    return end < 0 ? [line.length, state] : [end, ''];
  }
  const rule = language.strings[Number(what)]!;
  const end = closeOf(line, from, rule.close, rule.escape);
  if (end >= 0) return [end, ''];
  return [line.length, rule.lines || (rule.escape && /(?:^|[^\\])(?:\\\\)*\\$/.test(line.slice(-64))) ? state : ''];
}

function kindOfWord(language: Language, line: string, word: string, start: number, end: number): Kind | '' {
  if (language.mnemonics && line.slice(0, start).trim() === '') return 'keyword';
  if (language.keywords.has(word) || (language.name === 'fortran' && language.keywords.has(word.toLowerCase()))) return 'keyword';
  if (language.types.has(word) || (language.name === 'c' && word.endsWith('_t'))) return 'type';
  if (language.macros && word.length > 2 && /^[A-Z][A-Z0-9_]+$/.test(word)) return 'constant';
  if (/^\s{0,8}\(/.test(line.slice(end, end + 9))) return 'call';
  if (language.capitals && /^[A-Z]\w*[a-z]/.test(word)) return 'type';
  return '';
}

/** Kind of what group 1 found: the extras are asked again, one by one. */
function kindOfExtra(language: Language, line: string, start: number): Kind {
  for (const [source, kind] of language.extras) {
    const regexp = new RegExp(source, 'y');
    regexp.lastIndex = start;
    if (regexp.test(line)) return kind;
  }
  return 'meta';
}

/** The state behind a line, and its tokens unless `tokens` is null: each ends where the next begins. */
export function tokenize(language: Language, whole: string, before: State, tokens: Token[] | null): State {
  const line = whole.length > LOOKED_AT ? whole.slice(0, LOOKED_AT) : whole;
  const scanner = scannerOf(language);
  const regexp = tokens ? scanner.all : scanner.state;
  let state = before;
  let at = 0;
  const put = (end: number, kind: Kind | ''): void => {
    if (tokens && end > at) tokens.push([end, kind]);
    at = Math.max(at, end);
  };
  const enter = (from: number, within: State, kind: Kind): void => {
    const [end, next] = inside(language, line, from, within);
    put(end, kind);
    state = next;
  };
  while (at < line.length) {
    if (state) {
      const kind: Kind = state[0] === 'c' ? 'comment' : 'string';
      enter(at, state, kind);
      continue;
    }
    regexp.lastIndex = at;
    const match = regexp.exec(line);
    if (!match) break;
    const start = match.index;
    const end = start + match[0].length;
    put(start, '');
    if (match[1] !== undefined) put(end, tokens ? kindOfExtra(language, line, start) : '');
    else if (match[2] !== undefined) put(line.length, 'comment');
    else if (match[3] !== undefined) enter(end, 'c1', 'comment');
    else if (match[4] !== undefined) enter(end, `r${language.raw!.close(match[0])}`, 'string');
    else if (match[5] !== undefined) enter(end, `s${language.strings.findIndex((rule) => rule.open === match[0])}`, 'string');
    else if (match[6] !== undefined) put(end, 'number');
    else if (match[7] !== undefined) put(end, kindOfWord(language, line, match[0], start, end));
    else {
      const stop = language.regexps ? endOfRegexp(line, start) : end;
      put(stop, stop > end ? 'string' : '');
    }
  }
  if (at < whole.length) put(whole.length, state[0] === 'c' ? 'comment' : state ? 'string' : '');
  return state;
}

/** A slash divides behind a word, a number or a closing bracket; else it begins a regular expression. */
function endOfRegexp(line: string, start: number): number {
  const before = line.slice(Math.max(0, start - 64), start).trimEnd();
  if (/[\w$)\]}]$/.test(before) && !/\b(?:return|typeof|case|in|of)$/.test(before)) return start + 1;
  const match = REGEXP.exec(line.slice(start, start + 256));
  return match ? start + match[0].length : start + 1;
}
