// Writes the text of a line into its cell: colours, matches, and marks for what has no shape.
import { clip, oddities } from './display.ts';
import type { Kind } from './languages.ts';
import type { Token } from './tokens.ts';
import { count } from '../format.ts';

type Span = readonly [start: number, end: number];

/** A part of a line that is drawn alike. */
export interface Part {
  text: string;
  kind: Kind | '';
  match: '' | 'match' | 'match current';
  /** The odd character whose name is drawn in its place. */
  odd: string;
}

/** Cuts a line where anything begins or ends. All lists are in order and do not overlap themselves. */
export function parts(line: string, tokens: readonly Token[], matches: readonly Span[] = [], current = -1): Part[] {
  const odd = oddities(line);
  const found: Part[] = [];
  let at = 0;
  let token = 0;
  let match = 0;
  let mark = 0;
  while (at < line.length) {
    while (token < tokens.length && tokens[token]![0] <= at) token++;
    while (match < matches.length && matches[match]![1] <= at) match++;
    while (mark < odd.length && odd[mark]![1] <= at) mark++;
    const kind = tokens[token]?.[1] ?? '';
    const inMatch = match < matches.length && matches[match]![0] <= at;
    const isOdd = mark < odd.length && odd[mark]![0] <= at;
    let end = Math.min(line.length, tokens[token]?.[0] ?? line.length);
    if (match < matches.length) end = Math.min(end, inMatch ? matches[match]![1] : matches[match]![0]);
    if (mark < odd.length && !isOdd) end = Math.min(end, odd[mark]![0]);
    if (isOdd) end = odd[mark]![1];
    found.push({ text: isOdd ? odd[mark]![2] : line.slice(at, end), kind, match: !inMatch ? '' : matches[match]![0] === current ? 'match current' : 'match', odd: isOdd ? line.slice(at, end) : '' });
    at = end;
  }
  return found;
}

function elementOf(part: Part): Node {
  if (!part.kind && !part.match && !part.odd) return document.createTextNode(part.text);
  const span = document.createElement('span');
  span.className = [part.kind && `t-${part.kind}`, part.match, part.odd && 'odd'].filter(Boolean).join(' ');
  span.textContent = part.text;
  if (part.odd) span.dataset.raw = part.odd;
  return span;
}

/** Fills a cell with a line; `current`: where the match begins that is the one at hand. */
export function paint(cell: HTMLElement, whole: string, tokens: readonly Token[], matches: readonly Span[], current: number): void {
  const { text, hidden } = clip(whole);
  const nodes = parts(text, tokens, matches, current).map(elementOf);
  if (hidden) {
    const more = document.createElement('span');
    more.className = current >= text.length ? 'more match current' : 'more';
    more.textContent = `\u2026 ${count(hidden)} more characters`;
    nodes.push(more);
  }
  cell.replaceChildren(...nodes);
}

/** How many characters of the line a place in its cell has before it. */
export function offsetIn(cell: HTMLElement, node: Node, offset: number): number {
  const range = document.createRange();
  range.selectNodeContents(cell);
  range.setEnd(node, offset);
  let length = 0;
  for (const child of range.cloneContents().childNodes) {
    const element = child instanceof HTMLElement ? child : null;
    if (element?.classList.contains('more')) return Infinity;
    length += element?.dataset.raw && element.textContent ? element.dataset.raw.length : (child.textContent ?? '').length;
  }
  return length;
}
