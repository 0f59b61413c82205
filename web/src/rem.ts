// Lengths that grow with the size of text that people want.

/** Pixels of a length like "1.25rem". */
export function remPixels(length: string): number {
  return parseFloat(length) * parseFloat(getComputedStyle(document.documentElement).fontSize);
}
