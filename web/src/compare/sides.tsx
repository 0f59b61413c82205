// The two sides: which session, and which range of it.
import { useSignal } from '@preact/signals';

import { listSessions } from '../api.ts';
import { useAsync } from '../async.ts';
import { plural, seconds, shortCommand, time } from '../format.ts';
import { session } from '../live.ts';
import { go, route, type Range } from '../state.ts';
import { typedTime } from '../timeline/stack.ts';
import type { DiffSide, Session } from '../types.ts';
import { choiceOf, optionsOf, type Choice, type Side } from './choice.ts';

export function choose(change: Partial<Choice>): void {
  const now = choiceOf(route.value);
  go({ options: optionsOf({ ...now, ...change }, route.value.session) });
}

interface Props {
  name: 'a' | 'b';
  side: Side;
  known: Session[];
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
    const end = known.find(({ id }) => id === side.session)?.duration_ns ?? 0;
    const range: Range = { from_ns: typedTime(from || '0') ?? -1, to_ns: to ? typedTime(to) ?? -1 : end };
    wrong.value = range.from_ns < 0 || range.to_ns <= range.from_ns;
    if (!wrong.value) change({ range });
  };
  const selected = route.value.range;
  return (
    <form class={`side side-${name}`} onSubmit={apply} key={`${side.range?.from_ns}-${side.range?.to_ns}`} aria-label={`Side ${label}`}>
      <span class="badge" aria-hidden="true">{label}</span>
      <select aria-label={`Session of ${label}`} value={String(side.session)} onChange={(event) => change({ session: Number(event.currentTarget.value), range: null })}>
        {!known.some(({ id }) => id === side.session) && <option value={String(side.session)}>{side.session}: gone</option>}
        {known.map((one) => <option key={one.id} value={String(one.id)}>{`${one.id}: ${shortCommand(one.command || String(one.pid)).slice(0, 32)}`}</option>)}
      </select>
      <label>from <input type="text" inputMode="decimal" placeholder="0" aria-label={`${label} from, in seconds`} defaultValue={side.range ? seconds(side.range.from_ns) : ''} /></label>
      <label>to <input type="text" inputMode="decimal" placeholder="end" aria-label={`${label} to, in seconds`} defaultValue={side.range ? seconds(side.range.to_ns) : ''} /> s</label>
      <button type="submit">Set</button>
      {selected && side.session === route.value.session && (
        <button type="button" title="The range that is selected on the timeline" onClick={() => change({ range: selected })}>{time(selected.from_ns)} – {time(selected.to_ns)}</button>
      )}
      {wrong.value && <span role="alert">Two times in seconds, the later one second</span>}
      {counted && <span class="quiet">{plural(counted.total.hits, 'sample')}, {time(counted.total.time_ns)}</span>}
    </form>
  );
}

export function Sides({ choice, a, b }: { choice: Choice; a?: DiffSide | undefined; b?: DiffSide | undefined }) {
  const known = useAsync(listSessions, [choice.a.session, choice.b.session], 5000).data ?? [];
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
  const side = (range: Range): Side => ({ session: route.value.session, range });
  choose({ a: side({ from_ns: 0, to_ns: middle_ns }), b: side({ from_ns: middle_ns, to_ns: end_ns }), file: 0 });
}
