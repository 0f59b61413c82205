// The head of the page: the views, the sessions, and what can be done with the one that is shown.
import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';

import { changeState, detach, listSessions } from '../api.ts';
import { useAsync } from '../async.ts';
import { shortCommand } from '../format.ts';
import { useKeys } from '../keys.ts';
import { isLive, lost, session } from '../live.ts';
import { frozen, go, heldAt, link, route, type View } from '../state.ts';
import { choice, choose, type Choice } from '../theme.ts';

const VIEWS: [view: View, title: string, key: string][] = [
  ['lines', 'Hot lines', '1'],
  ['functions', 'Functions', '2'],
  ['flame', 'Flame graph', '3'],
  ['compare', 'Compare', '4'],
];
const SESSIONS_MS = 5000;
const NEXT_THEME: Record<Choice, Choice> = { system: 'light', light: 'dark', dark: 'system' };

function Views() {
  const { session: id, view } = route.value;
  return (
    <nav aria-label="Views">
      {id !== 0 && VIEWS.map(([name, title]) => (
        <a key={name} href={link({ view: name })} aria-current={view === name ? 'page' : undefined}>{title}</a>
      ))}
      {view === 'source' && <a href={link({})} aria-current="page">Source</a>}
      <a href="#/attach" aria-current={view === 'attach' ? 'page' : undefined}>Attach</a>
    </nav>
  );
}

function Sessions() {
  const id = route.value.session;
  const known = useAsync(listSessions, [id], SESSIONS_MS).data ?? [];
  if (known.length === 0 || (known.length === 1 && known[0]!.id === id)) return null;
  return (
    <select
      class="sessions"
      aria-label="Session"
      value={String(id)}
      onChange={(event) => go({ view: route.value.view === 'attach' || route.value.view === 'source' ? 'lines' : route.value.view, session: Number(event.currentTarget.value) })}
    >
      {!known.some((one) => one.id === id) && <option value={String(id)}>{id ? `${id}: gone` : 'Sessions'}</option>}
      {known.map((one) => <option key={one.id} value={String(one.id)}>{`${one.id}: ${shortCommand(one.command || String(one.pid)).slice(0, 40)} (${one.state})`}</option>)}
    </select>
  );
}

function Actions() {
  const notice = useSignal('');
  const last = session.value?.state;
  const state = lost.value ? undefined : last;
  const isOpen = last ? isLive(last) : !lost.value; // the buttons have their place before anything is known, and while nobody answers
  const id = session.value?.id ?? 0;
  async function act(work: () => Promise<void>): Promise<void> {
    notice.value = '';
    try {
      await work();
    } catch (problem) {
      notice.value = problem instanceof Error ? problem.message : String(problem);
    }
  }
  useEffect(() => { notice.value = ''; }, [id]);
  const toggleFrozen = () => { heldAt.value = frozen.value ? null : Math.max(session.value?.duration_ns ?? 0, 1); };
  const toggleSampling = () => {
    if (state === 'running' || state === 'paused') void act(() => changeState(id, state === 'running' ? 'paused' : 'running'));
  };
  useKeys('Session', [
    { key: ' ', title: 'Hold the numbers still; sampling goes on', run: toggleFrozen },
    { key: 'P', title: 'Pause or resume sampling', run: toggleSampling },
  ]);
  return (
    <>
      {(isOpen || frozen.value) && (
        <button type="button" disabled={!last} aria-pressed={frozen.value} title="Hold the numbers still; sampling goes on (Space)" onClick={toggleFrozen}>
          {frozen.value ? 'Held' : 'Hold'}
        </button>
      )}
      {isOpen && (
        <button type="button" disabled={state !== 'running' && state !== 'paused'} title={`${last === 'paused' ? 'Take samples again' : 'Take no more samples until resumed'} (P)`} onClick={toggleSampling}>
          {last === 'paused' ? 'Resume' : 'Pause'}
        </button>
      )}
      {isOpen && (
        <button type="button" disabled={state !== 'running' && state !== 'paused'} title="Stop sampling for good; the program runs on and the numbers stay" onClick={() => void act(() => detach(id))}>Detach</button>
      )}
      {notice.value && <span role="alert">{notice.value}</span>}
    </>
  );
}

export function Head() {
  const id = route.value.session;
  useKeys('Views', VIEWS.map(([view, title, key]) => ({ key, title, run: () => { if (route.value.session) go({ view }); } }))
    .concat([{ key: '0', title: 'Attach', run: () => { location.hash = '#/attach'; } }]));
  return (
    <header class="head">
      <a class="brand" href="#/"><span class="mark" aria-hidden="true" />lprofd</a>
      <Views />
      <div class="actions">
        <Sessions />
        {id !== 0 && <Actions />}
        <button type="button" class="icon" title={`Theme: ${choice.value}`} aria-label={`Theme: ${choice.value}`} onClick={() => choose(NEXT_THEME[choice.value])}>
          {choice.value === 'system' ? '◐' : choice.value === 'light' ? '○' : '●'}
        </button>
      </div>
    </header>
  );
}
