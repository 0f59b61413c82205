// What the lines of a file cost, live: asked for once, then told by a stream of what has changed.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';

import { address, getJson, Problem, type Parameters } from '../api.ts';
import { connection, isLive, lost, session } from '../live.ts';
import { filters, frozen } from '../state.ts';
import type { Total } from '../types.ts';
import type { Costs, CostRow } from './costs.ts';

const RETRY_MS = 2000;
const UNKNOWN_MS = 30_000; // a file that nobody knows may yet be sampled

interface FileLines {
  path: string;
  total: Total;
  lines: CostRow[];
}

interface Delta {
  reset: boolean;
  total: Total;
  lines: CostRow[];
}

export interface Feed {
  path: string;
  /** Grows with every change of the costs; 0: nothing is known yet. */
  version: number;
  problem: Problem | null;
}

// A browser has few connections to one host: pages that nobody sees give theirs back.
const isVisible = signal(true);
addEventListener('visibilitychange', () => { isVisible.value = document.visibilityState === 'visible'; }, true);

/** Keeps `costs` those of a file under the filters of the URL, or others. */
export function useFeed(id: number, file: number, costs: Costs, parameters: Parameters = filters.value): Feed {
  const [feed, setFeed] = useState<Feed>({ path: '', version: 0, problem: null });
  const [attempt, setAttempt] = useState(0);
  const url = address(`/sessions/${id}/files/${file}/lines`, parameters);
  const live = isLive(session.value?.state) && !frozen.value && isVisible.value;
  const isLost = lost.value !== null;
  const answered = useRef('');
  useEffect(() => {
    const question = `${url} ${connection.peek()} ${attempt}`;
    if (isLost || (frozen.peek() && answered.current === question)) return undefined; // what is seen stays
    const controller = new AbortController();
    let stream: EventSource | null = null;
    let timer = 0;
    let isStreamed = false;
    const fail = (error: unknown): void => {
      if (controller.signal.aborted) return;
      const problem = error instanceof Problem ? error : new Problem(0, String(error));
      setFeed((known) => ({ ...known, problem }));
      again(problem.status === 404 ? UNKNOWN_MS : RETRY_MS);
    };
    const again = (pause_ms: number): void => {
      clearTimeout(timer);
      timer = setTimeout(() => setAttempt((count) => count + 1), pause_ms) as unknown as number;
    };
    const taken = (path?: string): void => setFeed((known) => ({ path: path ?? known.path, version: known.version + 1, problem: null }));

    const listen = (): void => {
      stream = new EventSource(address(`/sessions/${id}/events`, { ...parameters, file }));
      stream.addEventListener('lines', (event) => {
        const delta = JSON.parse(event.data) as Delta;
        costs.take(delta.lines, delta.total, delta.reset || !isStreamed);
        isStreamed = true;
        taken();
      });
      stream.onerror = () => {
        stream?.close();
        again(RETRY_MS);
      };
    };
    getJson<FileLines>(url, controller.signal).then((answer) => {
      if (controller.signal.aborted) return;
      costs.take(answer.lines, answer.total, true);
      answered.current = question;
      taken(answer.path);
      if (live) listen(); // not before: of a file that is not there nothing comes
    }, fail);
    return () => {
      controller.abort();
      stream?.close();
      clearTimeout(timer);
    };
  }, [url, live, attempt, connection.value, isLost]);
  return feed;
}
