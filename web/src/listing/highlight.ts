// Colours of any line without reading the file up to it: states at checkpoints, found in slices while
// the page is idle; until they are there, a jump begins some lines earlier and takes code for granted.
import type { Language } from './languages.ts';
import type { SourceText } from './text.ts';
import { tokenize, type State, type Token } from './tokens.ts';

const STEP = 256; // lines between two checkpoints
const BACK = 64; // lines looked back at without one
const KEPT = 2048; // lines whose tokens are kept

export class Highlighter {
  /** State at the start of line 1 + i * STEP. */
  readonly #checkpoints: State[] = [''];
  #tokens = new Map<number, Token[]>();
  /** State before a line that was just drawn: rows are drawn in order. */
  #near = { line: 1, state: '' as State, sure: true };

  constructor(readonly text: SourceText, readonly language: Language) {}

  /** Whether all checkpoints are known. */
  get done(): boolean { return this.#checkpoints.length * STEP >= this.text.count; }
  get known(): number { return this.#checkpoints.length * STEP; }

  /** Finds checkpoints until `isOver`. */
  run(isOver: () => boolean): void {
    while (!this.done) {
      let state = this.#checkpoints.at(-1)!;
      const first = (this.#checkpoints.length - 1) * STEP + 1;
      for (let line = first; line < first + STEP; line++) state = tokenize(this.language, this.text.line(line), state, null);
      this.#checkpoints.push(state);
      if (isOver()) break;
    }
  }

  /** What was taken for granted is to be looked at again. */
  forget(): void {
    this.#tokens.clear();
    this.#near = { line: 1, state: '', sure: true };
  }

  #before(line: number): State {
    const index = Math.floor((line - 1) / STEP);
    const sure = index < this.#checkpoints.length;
    let at = sure ? index * STEP + 1 : Math.max(1, line - BACK);
    let state = sure ? this.#checkpoints[index]! : '';
    if (this.#near.line <= line && this.#near.line >= at && this.#near.sure === sure) ({ line: at, state } = this.#near);
    for (; at < line; at++) state = tokenize(this.language, this.text.line(at), state, null);
    this.#near = { line, state, sure };
    return state;
  }

  tokens(line: number): Token[] {
    const known = this.#tokens.get(line);
    if (known) return known;
    const before = this.#before(line);
    const found: Token[] = [];
    const state = tokenize(this.language, this.text.line(line), before, found);
    this.#near = { line: line + 1, state, sure: this.#near.sure };
    if (this.#tokens.size >= KEPT) this.#tokens.clear();
    this.#tokens.set(line, found);
    return found;
  }
}
