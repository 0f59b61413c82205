// What is compared with what, as the URL's options say it.
//
// b=ID a=ID: sessions, else the URL's own; af, at, bf, bt: ranges in seconds; ai, bi: threads, as 7,12;
// kind, order, file.
import type { Parameters } from '../api.ts';
import { rangeOf, tidOf, whole } from '../checks.ts';
import type { Range, Route } from '../state.ts';

export interface Side {
  session: number;
  range: Range | null; // null: all of the session
  threads: number[]; // none: all
}

export interface Choice {
  a: Side;
  b: Side;
  kind: 'lines' | 'functions';
  order: 'delta' | 'a' | 'b';
  file: number; // of b's session; 0: the table of all
}

function threadsOf(text: string | undefined): number[] {
  return [...new Set((text ?? '').split(',').map(tidOf).filter(Boolean))];
}

export function choiceOf({ session, options }: Route): Choice {
  return {
    a: { session: whole(options.a) || session, range: rangeOf(options.af, options.at), threads: threadsOf(options.ai) },
    b: { session: whole(options.b) || session, range: rangeOf(options.bf, options.bt), threads: threadsOf(options.bi) },
    kind: options.kind === 'functions' ? 'functions' : 'lines',
    order: options.order === 'a' || options.order === 'b' ? options.order : 'delta',
    file: whole(options.file),
  };
}

/** The options that say a choice, without what goes without saying. */
export function optionsOf(choice: Choice, session: number): Record<string, string> {
  const options: Record<string, string> = {};
  for (const name of ['a', 'b'] as const) {
    const side = choice[name];
    if (side.session !== session) options[name] = String(side.session);
    if (side.range) {
      options[`${name}f`] = String(side.range.from_ns / 1e9);
      options[`${name}t`] = String(side.range.to_ns / 1e9);
    }
    if (side.threads.length) options[`${name}i`] = side.threads.join();
  }
  if (choice.kind !== 'lines') options.kind = choice.kind;
  if (choice.order !== 'delta') options.order = choice.order;
  if (choice.file) options.file = String(choice.file);
  return options;
}

/** Whether there are two different things to compare. */
export function isChosen({ a, b }: Choice): boolean {
  return a.session !== b.session || a.range?.from_ns !== b.range?.from_ns || a.range?.to_ns !== b.range?.to_ns
    || [...a.threads].sort().join() !== [...b.threads].sort().join();
}

export function parametersOf({ a, b, kind, order, file }: Choice): Parameters {
  return {
    a: a.session, a_from_ns: a.range?.from_ns, a_to_ns: a.range?.to_ns, a_tid: a.threads,
    b: b.session, b_from_ns: b.range?.from_ns, b_to_ns: b.range?.to_ns, b_tid: b.threads,
    kind: file ? 'lines' : kind, sort: file ? null : order, file: file || null,
  };
}
