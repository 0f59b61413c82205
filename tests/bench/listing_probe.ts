// The listing alone, without daemon and page, for the bench: what a mount, an update and a jump take.
import { Costs, type CostRow } from '../../web/src/listing/costs.ts';
import { languageOf } from '../../web/src/listing/languages.ts';
import { Listing } from '../../web/src/listing/listing.ts';
import { SourceText } from '../../web/src/listing/text.ts';

const nothing = (): void => {};
const rows = (count: number, lines: number, turn: number): CostRow[] =>
  Array.from({ length: count }, (_, i) => {
    const line = 1 + Math.floor((i * lines) / count);
    const self_hits = 1 + ((i * 7919 + turn * 104_729) % 1000);
    return { line, function: `function_${i}`, self_hits, total_hits: 2 * self_hits, self_time_ns: self_hits * 1e6, total_time_ns: self_hits * 2e6 };
  });

/** Milliseconds, until the browser has laid it out: of a mount, and of each update and jump. */
export function probe(source: string, hot: number, turns: number): { mount: number; updates: number[]; jumps: number[] } {
  const costs = new Costs();
  const total = { hits: 1e6, time_ns: 1e12 };
  document.body.style.cssText = 'margin:0;height:100vh;display:flex';
  const timed = (what: () => void): number => {
    const began = performance.now();
    what();
    document.body.getBoundingClientRect();
    return performance.now() - began;
  };
  let listing!: Listing;
  let text!: SourceText;
  const mount = timed(() => {
    listing = new Listing(costs, { onCursor: nothing, onCallers: nothing, onUnfold: nothing, onSort: nothing });
    document.body.append(listing.element);
    text = new SourceText(source);
    costs.take(rows(hot, text.count, 0), total, true);
    listing.setText(text, languageOf('long.c'));
    listing.recount();
    listing.setRows([]);
    listing.setOptions('self', 'program', 0);
    listing.update();
  });
  const updates = [];
  const jumps = [];
  for (let turn = 1; turn <= turns; turn++) {
    const changed = rows(hot, text.count, turn);
    updates.push(timed(() => {
      costs.take(changed, total, false);
      listing.recount();
      listing.update();
    }));
    jumps.push(timed(() => listing.goTo(1 + ((turn * 7_368_787) % text.count))));
  }
  listing.close();
  return { mount, updates, jumps };
}

Object.assign(globalThis, { probe });
