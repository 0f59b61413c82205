// No samples: says why, as far as it is known.
import { isLive, session } from '../live.ts';
import { go, route } from '../state.ts';
import { Empty } from './notes.tsx';

export function NothingYet() {
  const { range, threads, focus, hide } = route.value;
  const shown = session.value;
  if (range || threads.length || focus.length || hide.length)
    return (
      <Empty title="No samples in this selection">
        The program did not run there, or no stack matches.{' '}
        <button type="button" onClick={() => go({ range: null, threads: [], focus: [], hide: [] })}>Count all</button>
      </Empty>
    );
  if (!shown || shown.state === 'attaching') return <Empty>Attaching…</Empty>;
  if (shown.state === 'paused') return <Empty title="Paused">Sampling is paused. Resume it to see numbers.</Empty>;
  if (!isLive(shown.state)) return <Empty title="No samples">The program used no CPU time while it was watched, or ended before the first sample.</Empty>;
  return (
    <Empty title="No samples yet">
      The program sleeps: samples are taken only while it uses the CPU. Numbers appear here as soon as it runs.
    </Empty>
  );
}
