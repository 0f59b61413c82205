// The annotated source of one file, live.
import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';

import { address } from '../api.ts';
import { count } from '../format.ts';
import { useKeys } from '../keys.ts';
import { Bar, FileHead, FunctionAt } from '../listing/bar.tsx';
import { Callers } from '../listing/callers.tsx';
import { Costs, extentOf, nextHot, type FunctionCost, type Share } from '../listing/costs.ts';
import { useFeed } from '../listing/feed.ts';
import { useFileText } from '../listing/file_text.ts';
import { coldFolds, type Fold } from '../listing/folds.ts';
import { languageOf } from '../listing/languages.ts';
import { Listing, type Told } from '../listing/listing.ts';
import { formatPlace, parseOpen, parsePlace } from '../listing/places.ts';
import { useSearch } from '../listing/searching.ts';
import { Notes } from '../listing/notes.tsx';
import { Empty, ProblemNote } from '../parts/notes.tsx';
import { useQuery } from '../query.ts';
import { filters, go, replace, route, setOption } from '../state.ts';
import type { FileRow, Sort, Total } from '../types.ts';

const FILES_MS = 5000; // the files' table opens every file
const FUNCTIONS_MS = 1500;
const FILES_MAX = 1000;
const URL_MS = 200; // a held arrow key must not change the URL with each row

/** The cost rows of the file, taken in as they come. */
function useCosts(session: number, file: number) {
  const costs = useRef(new Costs()).current;
  const feed = useFeed(session, file, costs);
  const base = `/sessions/${session}/files`;
  const isFound = feed.version > 0; // a file that is not there has no functions
  const functions = useQuery<{ total: Total; functions: FunctionCost[] }>(isFound ? address(`${base}/${file}/functions`, filters.value) : null, { pause_ms: FUNCTIONS_MS }).value.data;
  const follow = route.value.options.share === 'file';
  const files = useQuery<FileRow[]>(address(base, { ...filters.value, sort: 'total', limit: FILES_MAX }), { follow, pause_ms: FILES_MS }).value;
  const row = files.data?.find((one) => one.id === file);
  costs.functions = useMemo(() => functions?.functions.map(extentOf) ?? [], [functions]);
  costs.counted = functions?.total ?? { hits: 0, time_ns: 0 };
  // The table of files is older than the rows, too.
  const share = row ? row.total_percent / 100 : 0;
  costs.file.total = row ? { hits: share * costs.total.hits, time_ns: share * costs.total.time_ns } : null;
  return { costs, feed, hasFunctions: functions !== null, row };
}

export function SourceView() {
  const { session, file, by, inlines, options } = route.value;
  const { costs, feed, hasFunctions, row } = useCosts(session, file);
  const { text, status: textStatus, problem } = useFileText(session, file);
  const share: Share = options.share === 'file' || (options.share === 'function' && hasFunctions) ? options.share : 'program';
  const path = feed.path || (row?.path ?? '');
  const { search, found, done } = useSearch(text, options.find ?? '');
  const host = useRef<HTMLDivElement>(null);
  const find = useRef<HTMLInputElement>(null);
  const lineInput = useRef<HTMLInputElement>(null);
  const told = useRef<Told | null>(null);
  const listing = useRef<Listing | null>(null);
  const [place, setPlace] = useState(parsePlace(options.line));
  const cursor = place?.cursor ?? 0;
  const asked = parsePlace(options.callers)?.cursor ?? 0;
  const isReady = feed.version > 0 && (text !== null || problem !== null);

  const urlTimer = useRef(0);
  const known = useRef(options.line); // what the URL had, or got from here
  function forget(): void {
    clearTimeout(urlTimer.current);
    urlTimer.current = 0;
  }
  function remember(to: number, anchor: number): void {
    setPlace({ cursor: to, anchor });
    forget();
    urlTimer.current = setTimeout(() => {
      urlTimer.current = 0;
      known.current = formatPlace(to, anchor);
      setOption('line', known.current, replace);
    }, URL_MS) as unknown as number;
  }
  function moveTo(line: number, where: 'third' | 'edge' = 'third'): void {
    const fold = listing.current?.rows.foldOf(line);
    if (fold) unfold(fold);
    listing.current?.goTo(line, line, where);
    remember(line, line);
  }
  function unfold(fold: Fold): void {
    setOption('open', [...parseOpen(route.peek().options.open), fold.first].join(','), replace);
  }
  function showCallers(line: number): void {
    forget();
    go({ options: { ...route.peek().options, line: String(line), callers: String(line) } });
  }
  told.current = { onCursor: remember, onCallers: showCallers, onUnfold: unfold, onSort: (to: Sort) => go({ by: to }) };

  function step(direction: 1 | -1, order: 'file' | 'cost' = 'file'): void {
    const view = listing.current;
    const from = view && (view.cursor || view.firstSeen);
    const next = from ? nextHot(costs.hot(by), from, direction, order) : null;
    if (next) moveTo(next);
  }
  const match = useRef(-1);
  function findNext(direction: 1 | -1): void {
    const view = listing.current;
    if (!text || !view || !search?.matches.length) return;
    const { matches } = search;
    const now = matches[match.current];
    const here = view.cursor || view.firstSeen;
    let next = now !== undefined && text.lineAt(now) === here ? match.current + direction
      : direction > 0 ? search.after(text.start(here)) : search.after(text.start(here)) - 1;
    next = (next + matches.length) % matches.length;
    match.current = next;
    const line = text.lineAt(matches[next]!);
    const fold = view.rows.foldOf(line);
    if (fold) unfold(fold);
    view.goToMatch(matches[next]!);
    remember(line, line);
  }
  function goToLine(line: number): void {
    const view = listing.current;
    if (!view || !Number.isSafeInteger(line) || line < 1) return;
    const to = view.rows.has(line) ? line : Math.min(line, view.rows.lineAt(view.rows.count - 1));
    forget();
    // A step for Back, as following a link is.
    const isFolded = Boolean(view.rows.foldOf(to));
    const opened = isFolded ? [...parseOpen(options.open), to].join(',') : options.open ?? '';
    go({ options: { ...route.value.options, line: String(to), open: opened } });
    if (!isFolded) { // the URL may have named this line already, while the cursor was elsewhere
      view.goTo(to);
      setPlace({ cursor: to, anchor: to });
    }
    if (lineInput.current) lineInput.current.value = '';
    view.grid.element.focus();
  }
  const leave = () => listing.current?.grid.element.focus();

  useKeys('Source', [
    { key: 'j', title: 'Next line (Shift and the arrows select)', run: () => listing.current?.step(1) },
    { key: 'k', title: 'Line before', run: () => listing.current?.step(-1) },
    { key: 'n', title: 'Next hot line of the file', run: () => step(1) },
    { key: 'p', title: 'Hot line before', run: () => step(-1) },
    { key: 'h', title: 'The dearest line, then the next dearest', run: () => step(1, 'cost') },
    { key: 'H', title: 'Back to the dearer line', run: () => step(-1, 'cost') },
    { key: '/', title: 'Find in the file', run: () => { find.current?.focus(); find.current?.select(); } },
    { key: 'F3', title: 'Next match (with Shift: the one before)', run: (event) => findNext(event.shiftKey ? -1 : 1) },
    { key: ':', title: 'Go to a line', run: () => lineInput.current?.focus() },
    { key: 'g', title: 'Go to a line', run: () => lineInput.current?.focus() },
    { key: 'c', title: 'Callers of the line (also Enter)', run: () => { if (cursor) showCallers(cursor); } },
    { key: 't', title: 'Self or total', run: () => go({ by: by === 'self' ? 'total' : 'self' }) },
    { key: 'i', title: 'Inlined code: written here or called from here', run: () => go({ inlines: inlines === 'called' ? 'written' : 'called' }) },
    { key: 'f', title: 'Fold what is not in a function with cost', run: () => { if (hasFunctions) go({ options: { ...route.value.options, fold: options.fold === 'cold' ? '' : 'cold', open: '' } }); } },
    { key: 'Escape', title: 'Close the callers; forget what was found', run: () => { if (asked) setOption('callers', ''); else if (options.find) setOption('find', '', replace); } },
  ]);

  useLayoutEffect(() => {
    const made = new Listing(costs, {
      onCursor: (to, anchor) => told.current!.onCursor(to, anchor),
      onCallers: (line) => told.current!.onCallers(line),
      onUnfold: (fold) => told.current!.onUnfold(fold),
      onSort: (to) => told.current!.onSort(to),
    });
    listing.current = made;
    host.current!.prepend(made.element);
    // The keys of the grid work at once, unless something else is in use.
    if (!document.activeElement || document.activeElement === document.body || document.activeElement.id === 'main') made.grid.element.focus({ preventScroll: true });
    return () => {
      forget();
      made.close();
    };
  }, []);

  useLayoutEffect(() => { if (isReady) listing.current!.setText(text, languageOf(path)); }, [text, isReady, path]);
  useLayoutEffect(() => { listing.current!.setSearch(search); match.current = -1; }, [search, found]);

  const folds = useMemo(
    () => (options.fold === 'cold' && text ? coldFolds(costs.functions, text.count, parseOpen(options.open), costs.rows.values()) : []),
    [options.fold, options.open, costs.functions, text],
  );
  const lineCount = text?.count ?? 0;
  // Rows change with the text, what is folded, and with cost where there is no text.
  const rowsKey = `${lineCount}/${folds.map((fold) => `${fold.first}-${fold.last}+${fold.hits}`).join()}/${[...costs.rows.keys()].filter((line) => line > lineCount).length}`;
  useLayoutEffect(() => { if (isReady) listing.current!.setRows(folds); }, [isReady, text, rowsKey]);

  useLayoutEffect(() => {
    if (!isReady) return;
    const view = listing.current!;
    view.recount();
    view.setOptions(by, share, asked);
    view.update();
  });

  // The URL's line, when it is another one than the cursor's: a link, Back or Forward.
  useLayoutEffect(() => {
    const view = listing.current!;
    if (options.line !== known.current) forget(); // what was about to be written would take it back
    known.current = options.line;
    if (!isReady || !view.rows.count || urlTimer.current) return;
    const wanted = parsePlace(options.line);
    if (wanted && (wanted.cursor !== view.cursor || wanted.anchor !== view.anchor)) {
      view.goTo(wanted.cursor, wanted.anchor);
      setPlace(wanted);
    } else if (!wanted && !view.cursor) {
      const dearest = costs.hot(by)[0];
      if (dearest && route.peek().ignored.length) { // the address stays, and with it what is said of it
        view.goTo(dearest);
        setPlace({ cursor: dearest, anchor: dearest });
      } else if (dearest) moveTo(dearest);
    }
  }, [isReady, options.line, rowsKey]);

  if (feed.problem && !feed.version) return <ProblemNote problem={feed.problem} />;
  const status = problem?.reason || (text && textStatus) || '';
  const nothing = isReady && !text && costs.rows.size === 0;
  return (
    <>
      <div class="source-head">
        <FileHead path={path} row={row} status={status} costs={costs} />
        <Bar
          by={by} inlines={inlines} share={share} hasFunctions={hasFunctions && text !== null} folds={folds.length} find={find} line={lineInput}
          found={options.find && text ? `${match.current >= 0 ? `${count(match.current + 1)} of ` : ''}${count(found)}${search?.full || !done ? '+' : ''}` : ''}
          step={step} findNext={findNext} goToLine={goToLine} leave={leave}
        >
          <FunctionAt costs={costs} cursor={cursor} anchor={place?.anchor ?? cursor} />
        </Bar>
        <Notes beyond={isReady && text && cursor > text.count && !costs.rows.has(cursor) ? cursor : 0} text={text} stale={textStatus === 'stale'} problem={problem} rows={costs.rows.size} />
      </div>
      <div class="source-body" ref={host}>
        {asked > 0 && path && <Callers key={asked} path={path} line={asked} close={() => { setOption('callers', ''); leave(); }} />}
        {!isReady && <Empty>Reading…</Empty>}
        {nothing && <Empty title="Nothing to show">Of this file there is no text, and none of its lines has samples in what is counted.</Empty>}
      </div>
    </>
  );
}
