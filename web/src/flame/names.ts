// Names as they can be shown: a program chooses its names, and may mean ill.

const PICTURES = 0x2400; // the Unicode block of pictures of control characters
const SHOWN_LENGTH = 4000; // nobody reads more, and nothing has to measure more

const PLAIN = /^[ -~]*$/; // most names

// What changes the direction of the text after it, or is not seen at all.
const STRANGE = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]/gu;

/** A name without characters that hide, move or turn others: those are written out. */
export function visible(name: string): string {
  const text = name.length > SHOWN_LENGTH ? `${name.slice(0, SHOWN_LENGTH)}…` : name;
  if (!text) return '(no name)';
  if (PLAIN.test(text)) return text;
  return text.replace(STRANGE, (character) => {
    const code = character.codePointAt(0)!;
    if (code < 0x20) return String.fromCharCode(PICTURES + code);
    if (code === 0x7f) return '\u2421';
    return `\\u{${code.toString(16)}}`;
  });
}

/** FNV-1a of a text, 32 bits. */
export function hashText(text: string, seed = 0x811c9dc5): number {
  let hash = seed;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
