// What is copied: the text as the file has it, without numbers and marks.
import type { Listing } from './listing.ts';
import { offsetIn } from './paint.ts';

/** The text between two places of the file, each a line and a column from 0. */
export function textBetween(lineOf: (line: number) => string, from: [number, number], to: [number, number]): string {
  if (from[0] === to[0]) return lineOf(from[0]).slice(from[1], to[1]);
  const found: string[] = [];
  for (let line = from[0]; line <= to[0]; line++) {
    const text = lineOf(line);
    found.push(line === from[0] ? text.slice(from[1]) : line === to[0] ? text.slice(0, to[1]) : text);
  }
  return found.join('\n');
}

/** A selection with the mouse first, else the selected lines; null: none of ours. */
export function copied(listing: Listing): string | null {
  const { text, rows, grid } = listing;
  if (!text) return null;
  const selection = getSelection();
  if (selection && !selection.isCollapsed && selection.rangeCount) {
    const range = selection.getRangeAt(0);
    const [first, last] = [grid.rowOf(range.startContainer), grid.rowOf(range.endContainer)];
    if (!first || !last) return null;
    const place = (row: typeof first, node: Node, offset: number): [number, number] => {
      const { code } = row.cells;
      return [rows.lineAt(row.index), code.contains(node) ? offsetIn(code, node, offset) : 0];
    };
    const from = place(first, range.startContainer, range.startOffset);
    return textBetween((line) => text.line(line), from, place(last, range.endContainer, range.endOffset));
  }
  if (!listing.cursor) return null;
  return text.between(...listing.selection);
}
