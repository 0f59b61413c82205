// The worker, as the page sees it: two questions.
import { Problem } from '../api.ts';
import type { Graph } from './graph.ts';
import type { Answer, Request } from './messages.ts';
import type { Found } from './search.ts';

declare const FLAME_WORKER: string; // its file, from build.mjs

type Settle = (answer: Answer) => void;

let worker: Worker | null = null;
let next = 1;
const waiting = new Map<number, Settle>();

function fail(): void {
  worker?.terminate();
  worker = null;
  const problem = { status: 0, title: 'The flame graph cannot be computed', detail: 'The browser could not run its part of this page. Load the page again.', reason: '' };
  for (const [id, settle] of waiting) settle({ id, problem });
  waiting.clear();
}

function start(): Worker {
  const started = new Worker(`/assets/${FLAME_WORKER}`, { type: 'module' });
  started.onmessage = ({ data }: MessageEvent<Answer>) => {
    const settle = waiting.get(data.id);
    waiting.delete(data.id);
    settle?.(data);
  };
  started.onerror = fail;
  return started;
}

function ask(id: number, request: Request): Promise<Answer> {
  worker ??= start();
  const answer = new Promise<Answer>((settle) => { waiting.set(id, settle); });
  worker.postMessage(request);
  return answer;
}

/** For useQuery: the graph of a pane, asked for and laid out elsewhere. `shape` is kept in it. */
export function loadGraph(pane: string, shape: string): (url: string, signal: AbortSignal) => Promise<Graph> {
  return async (url, signal) => {
    const id = next++;
    const abort = () => worker?.postMessage({ type: 'abort', id } satisfies Request);
    signal.addEventListener('abort', abort);
    const answer = await ask(id, { type: 'load', id, pane, url });
    signal.removeEventListener('abort', abort);
    const { problem } = answer;
    if (problem) throw new Problem(problem.status, problem.title, problem.detail, problem.reason);
    return { ...answer.graph!, shape };
  };
}

/** Searches the graph of a pane below a node; null: the worker has a newer one. */
export async function searchGraph(pane: string, serial: number, text: string, within: number): Promise<Found | null> {
  const id = next++;
  return (await ask(id, { type: 'search', id, pane, serial, text, within })).found ?? null;
}
