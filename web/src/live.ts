// The session that the page shows, live: one event stream, held in signals.
import { batch, effect, signal } from '@preact/signals';

import { address, listSessions, Problem } from './api.ts';
import { heldAt, route } from './state.ts';
import type { Session } from './types.ts';

const RETRY_MS = 2000;

export const session = signal<Session | null>(null);
/** Why there is no connection, and nothing is asked of the session; null: there is one. */
export const lost = signal<Problem | null>(null);
/** Grows when the numbers do: queries are asked anew, once they are not frozen. */
export const tick = signal(0);
/** Grows when the daemon that answers may be another one than before. */
export const connection = signal(0);

let source: EventSource | null = null;
let timer = 0;

/** Whether more samples can come. */
export function isLive(state: Session['state'] | undefined): boolean {
  return state === 'running' || state === 'attaching' || state === 'paused';
}

function disconnect(): void {
  source?.close();
  source = null;
  clearTimeout(timer);
}

function take(id: number, change: Partial<Session>, isWhole: boolean): void {
  if (route.peek().session !== id) return;
  batch(() => {
    const before = session.peek();
    if (isWhole) session.value = change as Session;
    else if (before) session.value = { ...before, ...change };
    if (lost.peek()) connection.value++;
    lost.value = null;
    tick.value++; // also while frozen: what came meanwhile is asked for when it ends
  });
}

function listen(id: number): void {
  disconnect();
  // Only the session and its totals are of use here: views ask for their own rows.
  const stream = new EventSource(address(`/sessions/${id}/events`, { limit: 1 }));
  source = stream;
  stream.addEventListener('session', (event) => take(id, JSON.parse(event.data), true));
  stream.addEventListener('totals', (event) => take(id, JSON.parse(event.data), false));
  stream.onerror = () => {
    if (source !== stream) return;
    disconnect();
    void connect(id, true); // a stream does not say why it ended
  };
}

/** Looks for the session where all are listed, so that nothing is asked of one that is not there. */
async function connect(id: number, wasConnected: boolean): Promise<void> {
  let problem: Problem | null = null;
  let found: Session | undefined;
  try {
    found = (await listSessions()).find((one) => one.id === id);
    if (!found) problem = new Problem(404, `There is no session ${id}`, `lprofd has no session ${id}, or has it no longer.`);
  } catch (error) {
    problem = error instanceof Problem ? error : new Problem(0, String(error));
  }
  if (route.peek().session !== id || source) return;
  clearTimeout(timer);
  const isOver = found && !isLive(found.state);
  if (problem) lost.value = problem;
  if (found && (isOver || !wasConnected)) take(id, found, true);
  if (found && !wasConnected) listen(id);
  else timer = setTimeout(() => void connect(id, false), isOver ? 10 * RETRY_MS : RETRY_MS) as unknown as number;
}

/** Follows the route's session for as long as the page lives. */
export function startLive(): void {
  let shown = 0;
  effect(() => {
    const id = route.value.session;
    if (id === shown) return;
    shown = id;
    disconnect();
    batch(() => {
      session.value = null;
      heldAt.value = null; // another program's numbers were held
      lost.value = null;
    });
    if (id) void connect(id, false);
  });
}
