// The list of processes: one click attaches.
import { useSignal } from '@preact/signals';
import { useRef } from 'preact/hooks';

import { attach, listProcesses } from '../api.ts';
import { useAsync } from '../async.ts';
import { count, percent, plural, shortCommand } from '../format.ts';
import { useKeys } from '../keys.ts';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { go, replace, route, setOption } from '../state.ts';
import type { Process } from '../types.ts';

const PROCESSES_MS = 2000;

function matches(process: Process, words: string[]): boolean {
  const text = `${process.pid} ${process.user} ${process.runtime} ${process.command}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** Busiest first; while somebody points at a row, rows stay where they are. */
function useStableOrder(processes: Process[]): { rows: Process[]; hold: (on: boolean) => void } {
  const held = useRef(false);
  const order = useRef<Map<number, number>>(new Map());
  const rows = [...processes].sort((a, b) => b.cpu_percent - a.cpu_percent || a.pid - b.pid);
  if (held.current) {
    const place = (process: Process) => order.current.get(process.pid) ?? Number.MAX_SAFE_INTEGER;
    rows.sort((a, b) => place(a) - place(b));
  }
  order.current = new Map(rows.map(({ pid }, i) => [pid, i]));
  return { rows, hold: (on) => { held.current = on; } };
}

export function AttachView() {
  const filter = route.value.options.filter ?? '';
  const { data, problem } = useAsync(listProcesses, [], PROCESSES_MS);
  const { rows, hold } = useStableOrder(data ?? []);
  const refused = useSignal('');
  const busy = useSignal(0);
  const input = useRef<HTMLInputElement>(null);
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const shown = rows.filter((process) => matches(process, words));
  useKeys('Attach', [{ key: '/', title: 'Filter the processes', run: () => input.current?.focus() }]);

  async function start(pid: number): Promise<void> {
    if (busy.peek()) return;
    busy.value = pid;
    refused.value = '';
    try {
      const session = await attach(pid);
      if (route.peek().view === 'attach') go({ view: 'lines', session: session.id }); // who went elsewhere meanwhile stays there
    } catch (error) {
      refused.value = error instanceof Error ? error.message : String(error);
    }
    busy.value = 0;
  }

  return (
    <>
      <div class="bar-of-view">
        <h2>Attach to a process</h2>
        <span class="quiet">{data ? (words.length ? `${count(shown.length)} of ${plural(data.length, 'process', 'processes')}` : plural(data.length, 'process', 'processes')) : ''}</span>
        <span class="grow" />
        <input
          ref={input}
          type="search"
          placeholder="Filter: name, pid, user"
          aria-label="Filter the processes by name, pid, user or runtime"
          value={filter}
          onInput={(event) => setOption('filter', event.currentTarget.value, replace)}
          onKeyDown={(event) => { if (event.key === 'Enter' && shown.length === 1) void start(shown[0]!.pid); }}
        />
      </div>
      {refused.value && <p class="notice" role="alert">{refused.value}</p>}
      {problem && !data ? <ProblemNote problem={problem} /> : !data ? <Empty>Looking for processes…</Empty> : shown.length === 0 ? (
        <Empty title={words.length ? 'No process matches' : 'No process to attach to'}>
          {words.length ? <>Nothing that runs has “{filter}” in its name, pid, user or runtime.</> : 'lprofd sees no process that it may attach to. Running it as root shows all.'}
        </Empty>
      ) : (
        <div class="scroll" onPointerEnter={() => hold(true)} onPointerLeave={() => hold(false)} onFocusIn={() => hold(true)} onFocusOut={() => hold(false)}>
          <table class="processes" aria-label="Processes">
            <thead>
              <tr>
                <th scope="col" class="number pid">Pid</th>
                <th scope="col">Command</th>
                <th scope="col" class="user">User</th>
                <th scope="col" class="number cpu" title="Of one CPU" aria-sort="descending">CPU %</th>
                <th scope="col" class="number threads">Threads</th>
                <th scope="col" class="runtime" title="What runs it">Runtime</th>
                <th scope="col" class="act"><span class="visually-hidden">Attach</span></th>
              </tr>
            </thead>
            <tbody>
              {shown.map((process) => (
                <tr key={process.pid}>
                  <td class="number pid">{process.pid}</td>
                  <td class="mono" title={process.command}>{shortCommand(process.command)}</td>
                  <td class="user">{process.user}</td>
                  <td class="number cpu">{percent(process.cpu_percent)}</td>
                  <td class="number threads">{count(process.threads)}</td>
                  <td class="runtime">{process.runtime}</td>
                  <td class="act">
                    <button type="button" disabled={busy.value !== 0} aria-label={`Attach to ${process.pid} ${process.command.slice(0, 60)}`} onClick={() => void start(process.pid)}>
                      {busy.value === process.pid ? 'Attaching…' : 'Attach'}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
