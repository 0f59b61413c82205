// The two sides: which session, which range of it, and which threads.
import { useSignal } from '@preact/signals';

import { listThreads } from '../api.ts';
import { useAsync } from '../async.ts';
import { plural, seconds, shortCommand, time } from '../format.ts';
import { session } from '../live.ts';
import { go, route, type Range } from '../state.ts';
import { typedTime } from '../timeline/stack.ts';
import type { DiffSide, Session, ThreadRow } from '../types.ts';
import { choiceOf, optionsOf, type Choice, type Side } from './choice.ts';

const THREADS_MS = 5000;

export function choose(change: Partial<Choice>): void {
  const now = choiceOf(route.value);
  go({ options: optionsOf({ ...now, ...change }, route.value.session) });
}

/** The threads that are counted: all, or those that were chosen, one after the other. */
function Threads({ label, chosen, known, change }: { label: string; chosen: number[]; known: ThreadRow[]; change: (threads: number[]) => void }) {
  const nameOf = (tid: number) => `${known.find((one) => one.tid === tid)?.name || 'thread'} ${tid}`;
  const rest = known.filter(({ tid }) => !chosen.includes(tid));
  return (
    <>
      {chosen.map((tid) => (
        <span key={tid} class="chip" title={`${label} counts thread ${nameOf(tid)}`}>
          <span>{nameOf(tid)}</span>
          <button type="button" aria-label={`Remove thread ${tid} from ${label}`} onClick={() => change(chosen.filter((other) => other !== tid))}>×</button>
        </span>
      ))}
      {rest.length > 0 && (known.length > 1 || chosen.length > 0) && (
        <select aria-label={`Threads of ${label}`} value="" onChange={(event) => { if (event.currentTarget.value) change([...chosen, Number(event.currentTarget.value)]); }}>
          <option value="">{chosen.length ? 'and thread…' : 'all threads'}</option>
          {rest.map(({ tid, name }) => <option key={tid} value={String(tid)}>{`${name || 'thread'} ${tid}`}</option>)}
        </select>
      )}
    </>
  );
}

interface Props {
  name: 'a' | 'b';
  side: Side;
  known: Session[] | null;
  counted: DiffSide | undefined;
}

function OneSide({ name, side, known, counted }: Props) {
  const wrong = useSignal(false);
  const label = name.toUpperCase();
  const change = (next: Partial<Side>) => choose({ [name]: { ...side, ...next }, file: 0 });
  const apply = (event: Event) => {
    event.preventDefault();
    const form = event.currentTarget as HTMLFormElement;
    const [from, to] = [...form.querySelectorAll<HTMLInputElement>('input')].map((input) => input.value.trim());
    if (!from && !to) {
      wrong.value = false;
      change({ range: null });
      return;
    }
    const end = known?.find(({ id }) => id === side.session)?.duration_ns ?? 0;
    const range: Range = { from_ns: typedTime(from || '0') ?? -1, to_ns: to ? typedTime(to) ?? -1 : end };
    wrong.value = range.from_ns < 0 || range.to_ns <= range.from_ns;
    if (!wrong.value) change({ range });
  };
  const { range: selected, threads } = route.value; // on the timeline
  const isKnown = known?.some(({ id }) => id === side.session) ?? false;
  const answer = useAsync(
    async () => ({ of: side.session, threads: isKnown ? await listThreads(side.session) : [] }), [side.session, isKnown], THREADS_MS,
  ).data;
  const listed = answer?.of === side.session ? answer.threads : []; // never those of the session that was chosen before
  return (
    <form class={`side side-${name}`} onSubmit={apply} key={`${side.range?.from_ns}-${side.range?.to_ns}`} aria-label={`Side ${label}`}>
      <span class="badge" aria-hidden="true">{label}</span>
      <select aria-label={`Session of ${label}`} value={String(side.session)} onChange={(event) => change({ session: Number(event.currentTarget.value), range: null, threads: [] })}>
        {!isKnown && <option value={String(side.session)}>{side.session}{known && ': gone'}</option>}
        {known?.map((one) => <option key={one.id} value={String(one.id)}>{`${one.id}: ${shortCommand(one.command || String(one.pid)).slice(0, 32)}`}</option>)}
      </select>
      <label>from <input type="text" inputMode="decimal" placeholder="0" aria-label={`${label} from, in seconds`} defaultValue={side.range ? seconds(side.range.from_ns) : ''} /></label>
      <label>to <input type="text" inputMode="decimal" placeholder="end" aria-label={`${label} to, in seconds`} defaultValue={side.range ? seconds(side.range.to_ns) : ''} /> s</label>
      <button type="submit">Set</button>
      <div class="side-more">
        <Threads label={label} chosen={side.threads} known={listed} change={(next) => change({ threads: next })} />
        {(selected || threads.length > 0) && side.session === route.value.session && (
          <button type="button" title="What is selected on the timeline" onClick={() => change({ range: selected, threads })}>
            {[selected && `${time(selected.from_ns)} – ${time(selected.to_ns)}`, threads.length && plural(threads.length, 'thread')].filter(Boolean).join(', ')}
          </button>
        )}
        {wrong.value && <span role="alert">Two times in seconds, the later one second</span>}
        <span class="quiet">{counted ? `${plural(counted.total.hits, 'sample')}, ${time(counted.total.time_ns)}` : '–'}</span>
      </div>
    </form>
  );
}

export function Sides({ choice, known, a, b }: { choice: Choice; known: Session[] | null; a?: DiffSide | undefined; b?: DiffSide | undefined }) {
  return (
    <div class="sides">
      <OneSide name="a" side={choice.a} known={known} counted={a} />
      <button type="button" title="Exchange A and B (x)" aria-label="Exchange A and B" onClick={swap}>⇄</button>
      <OneSide name="b" side={choice.b} known={known} counted={b} />
    </div>
  );
}

export function swap(): void {
  const { a, b } = choiceOf(route.value);
  choose({ a: b, b: a, file: 0 });
}

/** The session's first half against its second. */
export function halves(): void {
  const end_ns = session.value?.duration_ns ?? 0;
  if (end_ns < 2) return;
  const middle_ns = Math.round(end_ns / 2e6) * 1e6 || 1;
  const now = choiceOf(route.value);
  const side = (name: 'a' | 'b', range: Range): Side => ({ session: route.value.session, range, threads: now[name].session === route.value.session ? now[name].threads : [] });
  choose({ a: side('a', { from_ns: 0, to_ns: middle_ns }), b: side('b', { from_ns: middle_ns, to_ns: end_ns }), file: 0 });
}
