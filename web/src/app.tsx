// The frame around the views: head, strip, timeline, and the view that the URL names.
import { useEffect } from 'preact/hooks';

import { listSessions } from './api.ts';
import { lost, session } from './live.ts';
import { Empty, ProblemNote } from './parts/notes.tsx';
import { Head } from './parts/head.tsx';
import { Help } from './parts/help.tsx';
import { clipped, Filters, Ignored } from './parts/filters.tsx';
import { Strip } from './parts/strip.tsx';
import { replace, route, type View } from './state.ts';
import { TimelineView } from './views/timeline.tsx';
import { AttachView } from './views/attach.tsx';
import { CompareView } from './views/compare.tsx';
import { FlameView } from './views/flame.tsx';
import { FunctionsView } from './views/functions.tsx';
import { LinesView } from './views/lines.tsx';
import { SourceView } from './views/source.tsx';
import { useAsync } from './async.ts';

/** Where to begin: the newest session, or the list of processes. */
function Home() {
  const sessions = useAsync(listSessions, []);
  useEffect(() => {
    const newest = sessions.data?.at(-1);
    if (sessions.data) replace(newest ? { view: 'lines', session: newest.id } : { view: 'attach' });
  }, [sessions.data]);
  return sessions.problem ? <ProblemNote problem={sessions.problem} /> : <Empty>Connecting…</Empty>;
}

function CurrentView() {
  switch (route.value.view) {
    case 'home': return <Home />;
    case 'attach': return <AttachView />;
    case 'lines': return <LinesView />;
    case 'functions': return <FunctionsView />;
    case 'flame': return <FlameView />;
    case 'source': return <SourceView key={`${route.value.session}/${route.value.file}`} />;
    case 'compare': return <CompareView />;
    case 'unknown': return (
      <Empty title="There is no such page">
        The address <code>{clipped(location.hash)}</code> names no view. <a href="#/">Begin at the newest session</a> or{' '}
        <a href="#/attach">attach to a process</a>.
      </Empty>
    );
  }
}

const TITLES: Record<View, string> = {
  home: 'sessions', attach: 'attach to a process', lines: 'hot lines', functions: 'functions', flame: 'flame graph',
  source: 'source', compare: 'compare', unknown: 'no such page',
};

export function App() {
  const { session: id, view } = route.value;
  const command = session.value?.command;
  useEffect(() => {
    document.title = id && command ? `${command.slice(0, 40)} – lprofd` : 'lprofd';
  }, [id, command]);
  const isKnown = id !== 0 && session.value !== null; // before that nothing is asked of it
  const hasRoom = id !== 0 && (isKnown || !lost.value); // what is above a view has its place while it is unknown
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById('main')?.focus(); }}>Skip to the numbers</a>
      <Head />
      {id !== 0 && <Strip />}
      {hasRoom && <TimelineView key={id} />}
      {hasRoom && <Filters />}
      <Ignored />
      <main id="main" tabIndex={-1} data-view={view}>
        <h1 class="visually-hidden">lprofd: {TITLES[view]}</h1>
        {id === 0 || isKnown ? <CurrentView key={id} /> : lost.value ? <ProblemNote problem={lost.value} /> : <Empty>Connecting…</Empty>}
      </main>
      <Help />
    </>
  );
}
