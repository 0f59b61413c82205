// One question asked until it is answered.
import { useEffect, useState } from 'preact/hooks';

import { Problem } from './api.ts';

const RETRY_MS = 2000;

export function useAsync<Answer>(ask: () => Promise<Answer>, dependencies: unknown[], repeat_ms = 0): { data: Answer | null; problem: Problem | null } {
  const [state, setState] = useState<{ data: Answer | null; problem: Problem | null }>({ data: null, problem: null });
  useEffect(() => {
    let stopped = false;
    let timer = 0;
    async function run(): Promise<void> {
      let next = repeat_ms;
      try {
        const data = await ask();
        if (stopped) return;
        setState({ data, problem: null });
      } catch (error) {
        if (stopped) return;
        setState((known) => ({ ...known, problem: error instanceof Problem ? error : new Problem(0, String(error)) }));
        next = RETRY_MS;
      }
      if (next) timer = setTimeout(run, next) as unknown as number;
    }
    void run();
    return () => {
      stopped = true;
      clearTimeout(timer);
    };
  }, dependencies);
  return state;
}
