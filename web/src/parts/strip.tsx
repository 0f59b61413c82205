// The observer strip: what is being measured, how well, and at what cost.
import { lost, session } from '../live.ts';
import { frozen } from '../state.ts';
import { bytes, count, percent, plural, shortCommand, time } from '../format.ts';
import type { Session } from '../types.ts';

interface Figure {
  name: string;
  title: string;
  read: (session: Session) => string;
  isBad?: (session: Session) => boolean;
}

const FIGURES: Figure[] = [
  { name: 'backend', title: 'How samples are taken', read: (s) => s.backend || '–' },
  { name: 'event', title: 'What makes a sample be taken', read: (s) => s.event || '–' },
  { name: 'rate', title: 'Samples per second of CPU time and thread', read: (s) => `${count(s.frequency_hz)}\u2009Hz` },
  { name: 'time', title: 'How long this session has been sampling', read: (s) => time(s.duration_ns) },
  { name: 'threads', title: 'Threads alive now', read: (s) => count(s.threads) },
  { name: 'samples', title: 'Samples so far', read: (s) => count(s.samples.total) },
  { name: 'lost', title: 'Records that lprofd was too slow for', read: (s) => count(s.samples.lost), isBad: (s) => s.samples.lost > 0 },
  {
    name: 'truncated', title: 'Stacks that were deeper than the copy of them', read: (s) => count(s.samples.truncated_stacks),
    isBad: (s) => s.samples.truncated_stacks > 0.01 * s.samples.total,
  },
  { name: 'lprofd CPU', title: 'Share of one CPU that lprofd uses', read: (s) => `${percent(s.observer.daemon_cpu_percent)}\u2009%` },
  { name: 'lprofd memory', title: 'Memory that lprofd holds', read: (s) => bytes(s.observer.rss_bytes) },
  { name: 'cost to target', title: 'Estimated slow-down of the target', read: (s) => `${percent(s.observer.target_overhead_percent)}\u2009%` },
];

function Warnings({ warnings }: { warnings: string[] }) {
  if (warnings.length === 0) return null;
  return (
    <details class="warnings">
      <summary title={warnings.join('\n')}>{warnings.length === 1 ? warnings[0] : `${plural(warnings.length, 'warning')}: ${warnings[0]}`}</summary>
      <ul>{warnings.map((warning) => <li key={warning}>{warning}</li>)}</ul>
    </details>
  );
}

const SAYS: Record<string, string> = { lost: 'no connection', frozen: 'held' };

function Shown({ session: shown }: { session: Session }) {
  const state = lost.value ? 'lost' : frozen.value && shown.state === 'running' ? 'frozen' : shown.state;
  return (
    <p>
      <span class="state" data-state={state} role="status">{SAYS[state] ?? state}</span>
      <span class="command" title={`${shown.command}\n${shown.executable}`}>{shortCommand(shown.command || shown.executable)}{shown.pid ? ` · pid ${shown.pid}` : ''}</span>
    </p>
  );
}

/** As high before anything is known as afterwards, with warnings and without: what is below stays. */
export function Strip() {
  const shown = session.value;
  return (
    <>
      <section class="strip" aria-label="Session">
        <div class="target">
          {shown ? <Shown session={shown} /> : <p class="quiet">{lost.value ? 'No connection' : 'Connecting…'}</p>}
          <Warnings warnings={shown?.warnings ?? []} />
        </div>
        <dl class="figures">
          {FIGURES.map(({ name, title, read, isBad }) => (
            <div key={name} title={title}><dt>{name}</dt><dd class={shown && isBad?.(shown) ? 'bad' : undefined}>{shown ? read(shown) : '–'}</dd></div>
          ))}
        </dl>
      </section>
      {shown && lost.value && <p class="notice lost" role="alert">{lost.value.message} What you see is what was known when the connection ended.{lost.value.status === 404 && <> <a href="#/">Show the newest session</a></>}</p>}
    </>
  );
}
