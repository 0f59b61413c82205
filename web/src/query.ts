// An answer of the daemon that follows the URL and the growing numbers. What was there stays until
// the next answer is there, so that nothing jumps.
import { useSignal, type ReadonlySignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { getJson, Problem } from './api.ts';
import { connection, lost, session, tick } from './live.ts';
import { frozen } from './state.ts';

export interface Query<Answer> {
  data: Answer | null;
  problem: Problem | null;
  /** The URL that `data` answers: another one while the next answer is on its way. */
  url: string | null;
}

interface Options<Answer> {
  /** Ask anew as the numbers grow (default). Not for what cannot change. */
  follow?: boolean;
  /** At least so long between two questions, ms. */
  pause_ms?: number;
  /** How to ask; getJson unless told otherwise. */
  ask?: (url: string, signal: AbortSignal) => Promise<Answer>;
}

const PAUSE_MS = 500;
const RETRY_MS = 2000;
const REFUSED_MS = 10_000; // the same question is refused again, unless the session grows
const SHARE = 4; // at most 1/(1 + SHARE) of the time is spent waiting for answers

/** Asks `url` (null: nothing) and again as the session grows. */
export function useQuery<Answer>(url: string | null, { follow = true, pause_ms = PAUSE_MS, ask: answer = getJson }: Options<Answer> = {}): ReadonlySignal<Query<Answer>> {
  const state = useSignal<Query<Answer>>({ data: null, problem: null, url: null });
  const asked = useRef({ at: 0, took: 0, tick: -1 });
  useEffect(() => {
    if (!url) {
      state.value = { data: null, problem: null, url: null };
      return undefined;
    }
    const controller = new AbortController();
    let timer = 0;
    let stopped = false;
    let isAsked = false;
    asked.current.tick = -1;

    async function ask(): Promise<void> {
      const began = performance.now();
      asked.current.tick = tick.peek();
      isAsked = true;
      let next = RETRY_MS;
      try {
        const data = await answer(url!, controller.signal);
        if (stopped) return;
        state.value = { data, problem: null, url };
        const took = performance.now() - began;
        next = Math.max(pause_ms, SHARE * took);
      } catch (error) {
        if (stopped) return;
        const problem = error instanceof Problem ? error : new Problem(0, String(error));
        // What was seen stays, unless it answers another question.
        const known = state.peek();
        state.value = { data: known.url === url ? known.data : null, problem, url };
        if (problem.status >= 400 && problem.status < 500) next = REFUSED_MS;
      }
      if (follow || state.peek().problem) timer = setTimeout(again, next) as unknown as number;
    }
    function again(): void {
      const isDue = !isAsked || state.peek().problem !== null || (tick.peek() !== asked.current.tick && !frozen.peek());
      if (isDue && !lost.peek()) void ask();
      else timer = setTimeout(again, 100) as unknown as number;
    }
    again();
    return () => {
      stopped = true;
      controller.abort();
      clearTimeout(timer);
    };
  }, [url, follow, connection.value, session.value?.id]);
  return state;
}
