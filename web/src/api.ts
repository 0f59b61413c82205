// The only file that asks the daemon: one function a request.
import type * as T from './types.ts';

const BASE = '/api/v1';

/** What went wrong, as RFC 9457 documents say it; status 0: nobody answered. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly title: string,
    detail = '',
    readonly reason = '',
  ) {
    super(detail || title);
  }
}

export type Parameters = Record<string, string | number | boolean | readonly (string | number)[] | null | undefined>;

/** path?a=1&b=2; empty and missing values are left out, lists are repeated. */
export function address(path: string, parameters: Parameters = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    if (value === null || value === undefined || value === '' || value === false) continue;
    if (typeof value === 'object') for (const one of value) query.append(name, String(one));
    else query.set(name, value === true ? '1' : String(value));
  }
  return `${BASE}${path}${query.size ? `?${query}` : ''}`;
}

async function request(url: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { cache: 'no-cache', ...options });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, 'lprofd does not answer', 'lprofd does not answer. It may have been stopped; this page goes on trying.');
  }
  if (response.ok) return response;
  let problem: { title?: string; detail?: string; reason?: string } = {};
  try {
    problem = await response.json();
  } catch {
    // Not a problem document: the status has to do.
  }
  throw new Problem(response.status, problem.title ?? response.statusText, problem.detail, problem.reason);
}

export async function getJson<Answer>(url: string, signal?: AbortSignal): Promise<Answer> {
  const response = await request(url, { signal: signal ?? null });
  try {
    return (await response.json()) as Answer;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem(response.status, 'The answer is damaged', `What lprofd answered to ${url} is not JSON.`);
  }
}

function send(method: string, path: string, body: unknown): Promise<Response> {
  return request(BASE + path, { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
}

export const listSessions = () => getJson<T.Session[]>(`${BASE}/sessions`);
export const listThreads = (id: number) => getJson<T.ThreadRow[]>(address(`/sessions/${id}/threads`, { limit: 1000 }));
export const listProcesses = (signal?: AbortSignal) => getJson<T.Process[]>(`${BASE}/processes`, signal);

export async function attach(pid: number): Promise<T.Session> {
  return (await send('POST', '/sessions', { pid })).json();
}
export async function changeState(id: number, state: 'paused' | 'running'): Promise<void> {
  await send('PATCH', `/sessions/${id}`, { state });
}
export async function detach(id: number): Promise<void> {
  await request(`${BASE}/sessions/${id}`, { method: 'DELETE' });
}

/** found: as it was compiled; kept: the file has changed since, this is what it was; stale: another version. */
export type TextStatus = 'found' | 'kept' | 'stale';

export async function fileText(id: number, file: number, signal?: AbortSignal): Promise<{ text: string; status: TextStatus }> {
  const response = await request(`${BASE}/sessions/${id}/files/${file}/text`, { signal: signal ?? null });
  return { text: await response.text(), status: (response.headers.get('Source-Status') ?? 'found') as TextStatus };
}
