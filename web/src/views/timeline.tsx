// CPU time per thread over time, on top of every view: a range or a thread chosen here counts everywhere.
import { useSignal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';

import { address } from '../api.ts';
import { plural, seconds } from '../format.ts';
import { useKeys } from '../keys.ts';
import { isLive, session } from '../live.ts';
import { useQuery } from '../query.ts';
import { go, route } from '../state.ts';
import { theme } from '../theme.ts';
import { COLOURS, Plot } from '../timeline/plot.ts';
import { typedTime } from '../timeline/stack.ts';
import type { Timeline } from '../types.ts';

const POINTS = 600;
const PAUSE_MS = 1000;

function RangeInputs() {
  const { range } = route.value;
  const from = useRef<HTMLInputElement>(null);
  const to = useRef<HTMLInputElement>(null);
  const wrong = useSignal('');
  const end_ns = session.value?.duration_ns ?? 0;
  const apply = (event: Event) => {
    event.preventDefault();
    const from_ns = typedTime(from.current!.value || '0');
    const to_ns = to.current!.value ? typedTime(to.current!.value) : end_ns;
    if (from_ns === null || to_ns === null || to_ns <= from_ns) {
      wrong.value = 'A range is two times in seconds, the later one second';
      return;
    }
    wrong.value = '';
    go({ range: { from_ns, to_ns } });
  };
  const step = (share: number) => {
    const now = route.value.range ?? { from_ns: 0, to_ns: end_ns };
    const width = now.to_ns - now.from_ns;
    const from_ns = Math.max(0, now.from_ns + Math.round(share * width));
    go({ range: { from_ns, to_ns: from_ns + width } });
  };
  useKeys('Timeline', [
    { key: 'r', title: 'Type a range', run: () => from.current?.focus() },
    { key: 'a', title: 'Count all of the time', run: () => go({ range: null }) },
    { key: '[', title: 'Move the range back', run: () => { if (route.value.range) step(-0.5); } },
    { key: ']', title: 'Move the range on', run: () => { if (route.value.range) step(0.5); } },
    { key: 'l', title: 'The last 10 seconds', run: () => go({ range: { from_ns: Math.max(0, end_ns - 10e9), to_ns: Math.max(end_ns, 1) } }) },
  ]);
  const key = range ? `${range.from_ns}-${range.to_ns}` : '';
  return (
    <form onSubmit={apply} key={key}>
      {wrong.value && <span role="alert">{wrong.value}</span>}
      <label>from <input ref={from} type="text" inputMode="decimal" placeholder="0" aria-label="From, in seconds" defaultValue={range ? seconds(range.from_ns) : ''} /></label>
      <label>to <input ref={to} type="text" inputMode="decimal" placeholder={isLive(session.value?.state) ? 'now' : 'end'} aria-label="To, in seconds" defaultValue={range ? seconds(range.to_ns) : ''} /> s</label>
      <button type="submit">Select</button>
      {range && <button type="button" onClick={() => go({ range: null })}>All</button>}
    </form>
  );
}

function Threads({ timeline }: { timeline: Timeline }) {
  const { threads } = route.value;
  const toggle = (tid: number) => go({ threads: threads.includes(tid) ? threads.filter((other) => other !== tid) : [...threads, tid] });
  return (
    <div class="threads">
      {timeline.series.map(({ tid, name, threads: folded }, index) =>
        tid === 0 ? <span key="rest" class="thread">{name || plural(folded ?? 0, 'other thread')}</span> : (
          <button
            key={tid} type="button" class="thread" data-thread={index < COLOURS ? index + 1 : undefined} aria-pressed={threads.includes(tid)}
            title={`Count only thread ${name} (${tid})`} onClick={() => toggle(tid)}
          >
            {name || tid}
          </button>
        ))}
    </div>
  );
}

export function TimelineView() {
  const { session: id, range } = route.value;
  const root = useRef<HTMLDivElement>(null);
  const plot = useRef<Plot | null>(null);
  const query = useQuery<Timeline>(session.value ? address(`/sessions/${id}/timeline`, { points: POINTS, limit: COLOURS }) : null, { pause_ms: PAUSE_MS });
  const timeline = query.value.data;
  const hasSeries = Boolean(timeline?.series.length);

  useEffect(() => {
    if (!root.current) return undefined;
    plot.current = new Plot(root.current, (next) => go({ range: next }));
    const observer = new ResizeObserver(() => plot.current?.resize());
    observer.observe(root.current);
    return () => {
      observer.disconnect();
      plot.current?.close();
    };
  }, []);
  useEffect(() => {
    if (timeline && hasSeries) plot.current?.show(timeline, range, theme.value);
  }, [timeline, range, theme.value]);

  return (
    <section class="timeline" aria-label="Timeline">
      <div class="plot" ref={root} aria-hidden="true" />
      <div class="legend">
        {timeline && hasSeries ? <Threads timeline={timeline} /> : <span class="threads quiet">CPU time over time appears here</span>}
        <RangeInputs />
      </div>
    </section>
  );
}
