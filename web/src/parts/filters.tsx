// What of the session is counted now, each with a button that takes it back.
import { count, time } from '../format.ts';
import { go, route } from '../state.ts';
import type { ComponentChildren } from 'preact';

const SHOWN_MAX = 4;

function Chip({ children, title, remove }: { children: ComponentChildren; title: string; remove: () => void }) {
  return (
    <span class="chip" title={title}>
      <span>{children}</span>
      <button type="button" aria-label={`Remove: ${title}`} onClick={remove}>×</button>
    </span>
  );
}

/** A path of frames, as its last one. */
function lastFrame(focus: string): string {
  return focus.length > 60 ? `…${focus.slice(-58)}` : focus;
}

/** As much of a text as a sentence has room for. */
export function clipped(text: string, most = 80): string {
  return text.length > most ? `${text.slice(0, most)}… (${count(text.length)} characters)` : text;
}

/** What the address says and nobody can follow: otherwise its numbers would pass for what was asked. */
export function Ignored() {
  const { ignored } = route.value;
  if (ignored.length === 0) return null;
  const shown = ignored.slice(0, SHOWN_MAX).map((one) => clipped(one)).join(', ');
  return <p class="notice" role="status">Not understood in this address, and left out: <code>{shown}</code>{ignored.length > SHOWN_MAX && ` and ${count(ignored.length - SHOWN_MAX)} more`}</p>;
}

export function Filters() {
  const { view, range: selected, threads: chosen, focus, hide, kernel, inlines } = route.value;
  // The two sides of a comparison have ranges and threads of their own.
  const [range, threads] = view === 'compare' ? [null, []] : [selected, chosen];
  const without = (list: string[], one: string) => list.filter((other) => other !== one);
  if (!range && threads.length === 0 && focus.length === 0 && hide.length === 0 && kernel && inlines === 'written') return null;
  return (
    <section class="filters" aria-label="Filters">
      <span class="quiet">Counted:</span>
      {range && (
        <Chip title={`from ${time(range.from_ns)} to ${time(range.to_ns)}`} remove={() => go({ range: null })}>
          {time(range.from_ns)} – {time(range.to_ns)} ({time(range.to_ns - range.from_ns)})
        </Chip>
      )}
      {threads.map((tid) => (
        <Chip key={tid} title={`thread ${tid}`} remove={() => go({ threads: threads.filter((other) => other !== tid) })}>thread {tid}</Chip>
      ))}
      {focus.map((frame) => (
        <Chip key={frame} title={`only stacks with ${frame}`} remove={() => go({ focus: without(focus, frame) })}>only with <code>{lastFrame(frame)}</code></Chip>
      ))}
      {hide.map((frame) => (
        <Chip key={frame} title={`no stacks with ${frame}`} remove={() => go({ hide: without(hide, frame) })}>without <code>{lastFrame(frame)}</code></Chip>
      ))}
      {!kernel && <Chip title="kernel time counts at the line that called the kernel" remove={() => go({ kernel: true })}>kernel time at its caller</Chip>}
      {inlines === 'called' && <Chip title="inlined code counts where it is called from" remove={() => go({ inlines: 'written' })}>inlined code at its caller</Chip>}
      <button type="button" onClick={() => go({ range: null, threads: [], focus: [], hide: [], kernel: true, inlines: 'written' })}>Count all</button>
    </section>
  );
}
