// The source of the chosen frame, with the graph: live, and of the stacks through the frame alone.
import { useLayoutEffect, useRef } from 'preact/hooks';

import { Costs } from '../listing/costs.ts';
import { useFeed } from '../listing/feed.ts';
import { useFileText } from '../listing/file_text.ts';
import { languageOf } from '../listing/languages.ts';
import { Listing, type Told } from '../listing/listing.ts';
import { Notes } from '../listing/notes.tsx';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { replace, filters, go, route, setOption } from '../state.ts';
import type { Subject } from './subject.ts';

/** Where to begin: where the function does or, where that is not known, at its dearest line. */
function firstLine(subject: Subject, costs: Costs): number {
  if (subject.line) return subject.line;
  const ranked = costs.ranked('total');
  return (ranked.find((row) => row.function === subject.name) ?? ranked[0])?.line ?? 0;
}

/** The listing of a file. */
function Lines({ subject }: { subject: Subject }) {
  const { session, options } = route.value;
  const { file, focus } = subject;
  const costs = useRef(new Costs()).current;
  const feed = useFeed(session, file, costs, { ...filters.value, focus });
  const { text, status, problem } = useFileText(session, file);
  const by = options.cost === 'self' ? 'self' : 'total';
  const host = useRef<HTMLDivElement>(null);
  const listing = useRef<Listing | null>(null);
  const told = useRef<Pick<Told, 'onCallers' | 'onSort'> | null>(null);
  const gone = useRef(''); // whose line was gone to
  const isReady = feed.version > 0 && (text !== null || problem !== null);
  const path = feed.path || subject.path;
  told.current = {
    onCallers: (line) => go({ view: 'source', file, focus, by, options: { line: String(line), callers: String(line) } }),
    onSort: (to) => setOption('cost', to === 'self' ? to : '', replace),
  };

  useLayoutEffect(() => {
    const made = new Listing(costs, {
      onCursor: () => undefined,
      onCallers: (line) => told.current!.onCallers(line),
      onUnfold: () => undefined,
      onSort: (to) => told.current!.onSort(to),
    });
    listing.current = made;
    host.current!.prepend(made.element);
    return () => made.close();
  }, []);

  // Numbers of one path never stand under the name of another.
  const question = focus.join('\n');
  const shown = useRef(question);
  useLayoutEffect(() => {
    if (shown.current === question) return;
    shown.current = question;
    costs.take([], costs.total, true);
  }, [question]);

  useLayoutEffect(() => { if (isReady) listing.current!.setText(text, languageOf(path)); }, [text, isReady, path]);
  const lineCount = text?.count ?? 0;
  const rowsKey = `${lineCount}/${[...costs.rows.keys()].filter((line) => line > lineCount).length}`;
  useLayoutEffect(() => { if (isReady) listing.current!.setRows([]); }, [isReady, text, rowsKey]);
  useLayoutEffect(() => {
    if (!isReady) return;
    const view = listing.current!;
    view.recount();
    view.setOptions(by, 'program', 0);
    view.update();
    const line = firstLine(subject, costs);
    const whose = `${question}\n${subject.name}\n${subject.line}`;
    if (gone.current === whose || !view.rows.count || !line) return;
    gone.current = whose;
    view.goTo(view.rows.has(line) ? line : Math.min(line, view.rows.lineAt(view.rows.count - 1)));
  });

  if (feed.problem && !feed.version) return <ProblemNote problem={feed.problem} />;
  const nothing = isReady && !text && costs.rows.size === 0;
  return (
    <>
      <Notes text={text} stale={status === 'stale'} problem={problem} rows={costs.rows.size} />
      <div class="source-body" ref={host}>
        {!isReady && <Empty>Reading…</Empty>}
        {nothing && <Empty title="Nothing to show">Of this file there is no text, and none of its lines has samples in what is counted.</Empty>}
      </div>
    </>
  );
}

export function SourcePanel({ subject, close }: { subject: Subject | null; close: () => void }) {
  const label = subject?.label ?? '';
  const section = useRef<HTMLElement>(null);
  useLayoutEffect(() => section.current!.scrollIntoView({ block: 'nearest' }), []); // a small window has it below the graph
  return (
    <section ref={section} class="flame-source" aria-label={label ? `Source of ${label.slice(0, 200)}` : 'Source'}>
      <header class="source-head">
        <h2 class="mono" title={subject ? [label, subject.path].filter(Boolean).join('\n') : ''}>
          {subject ? <><bdi>{label}</bdi> <span class="quiet">{subject.place}</span></> : 'Source'}
        </h2>
        {subject !== null && subject.file > 0 && <p class="quiet" title={`Lines count only ${subject.says}: ${subject.focus.join(', ')}`}>only {subject.says} = 100 %</p>}
        {subject?.href && <a class="button" href={subject.href} title="The source alone, with all that can be asked of it (o)">Full view</a>}
        <button type="button" class="icon" aria-label="Close the source" title="Close (s or Esc)" onClick={close}>×</button>
      </header>
      {!subject && <Empty>Choose a frame of the graph to see its source.</Empty>}
      {subject && !subject.file && <Empty title="No source is known">{subject.why}</Empty>}
      {subject && subject.file > 0 && <Lines key={`${route.value.session}/${subject.file}`} subject={subject} />}
    </section>
  );
}
