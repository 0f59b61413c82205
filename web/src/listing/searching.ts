// Finding while the page stays responsive: a search goes on in slices, and is begun anew with each letter.
import { useEffect, useState } from 'preact/hooks';

import { Search } from './find.ts';
import type { SourceText } from './text.ts';

const SLICE_MS = 8;

/** The search for `needle`; the number of its matches grows until it is done. */
export function useSearch(text: SourceText | null, needle: string): { search: Search | null; found: number; done: boolean } {
  const [state, setState] = useState<{ search: Search | null; found: number; done: boolean }>({ search: null, found: 0, done: true });
  useEffect(() => {
    if (!text || !needle) {
      setState({ search: null, found: 0, done: true });
      return undefined;
    }
    const search = new Search(text, needle);
    let timer = 0;
    function run(): void {
      const until = performance.now() + SLICE_MS;
      search.run(() => performance.now() > until);
      setState({ search, found: search.matches.length, done: search.done });
      if (!search.done) timer = setTimeout(run, 0) as unknown as number;
    }
    run();
    return () => clearTimeout(timer);
  }, [text, needle]);
  return state;
}
