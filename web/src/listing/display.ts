// What of a line is drawn: hostile text cannot hide, reorder or fill anything.

/** Characters of a line that are drawn; what is longer ends in a mark. Copying and finding see all. */
export const CLIP = 2000;

// C0 but tab, DEL and C1; soft hyphen; marks and controls of direction; what has no width; line and
// paragraph separators; interlinear annotations; tags. Lone surrogates are no characters.
const ODD =
  /[\x00-\x08\x0a-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/gu;

/** How a character without a shape is shown: ^[ for escape, U+202E for an override of direction. */
export function nameOf(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 32 || code === 127) return `^${String.fromCharCode(code ^ 64)}`;
  return `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
}

/** The odd characters of a text, in order: [start, end, name]. Usually none. */
export function oddities(text: string): [start: number, end: number, name: string][] {
  const found: [number, number, string][] = [];
  for (const match of text.matchAll(ODD)) found.push([match.index, match.index + match[0].length, nameOf(match[0])]);
  return found;
}

/** What is drawn of a line, and how many characters are not. */
export function clip(line: string, max = CLIP): { text: string; hidden: number } {
  if (line.length <= max) return { text: line, hidden: 0 };
  const code = line.charCodeAt(max - 1);
  const end = code >= 0xd800 && code < 0xdc00 ? max - 1 : max; // not amid a pair
  return { text: line.slice(0, end), hidden: line.length - end };
}
