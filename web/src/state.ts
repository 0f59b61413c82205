// What the page shows is what its URL says: Back, Forward and links work. Nothing else is state.
//
// #/  #/attach  #/session/1/lines?by=total&from=1.5&to=3&tid=7  #/session/1/source/3?line=20
import { computed, signal } from '@preact/signals';

import type { Parameters } from './api.ts';
import { rangeOf, sift, whole } from './checks.ts';
import type { Inlines, Sort } from './types.ts';

export type View = 'home' | 'attach' | 'lines' | 'functions' | 'flame' | 'source' | 'compare' | 'unknown';

export interface Range {
  from_ns: number;
  to_ns: number; // beyond from_ns
}

export interface Route {
  view: View;
  session: number; // 0: none
  file: number; // of the source view, else 0
  range: Range | null; // null: all there is, and what is to come
  threads: number[]; // none: all
  by: Sort;
  inlines: Inlines;
  kernel: boolean; // kernel frames stand for themselves
  focus: string[]; // frames that stacks must contain
  hide: string[]; // frames that they must not contain
  /** What only one view knows: line, find, filter, group, order, zoom, center, flip, a, b, ... */
  options: Record<string, string>;
  /** What of the address could not be understood and does not count, as it stood there. */
  ignored: readonly string[];
}

const VIEWS: readonly View[] = ['lines', 'functions', 'flame', 'source', 'compare'];
const FILTERS = ['from', 'to', 'tid', 'by', 'inlines', 'kernel', 'focus', 'hide'];

const home: Route = {
  view: 'home', session: 0, file: 0, range: null, threads: [], by: 'self', inlines: 'written', kernel: true,
  focus: [], hide: [], options: {}, ignored: [],
};

export function parse(hash: string): Route {
  const text = hash.replace(/^#/, '');
  const mark = text.indexOf('?');
  const parts = (mark < 0 ? text : text.slice(0, mark)).split('/').filter(Boolean);
  const query = new URLSearchParams(mark < 0 ? '' : text.slice(mark + 1));
  if (parts.length === 0) return home;
  if (parts[0] === 'attach' && parts.length === 1) return { ...home, view: 'attach', options: others(query) };
  const session = whole(parts[1]);
  const view = (parts[2] ?? 'lines') as View;
  const file = view === 'source' ? whole(parts[3]) : 0;
  const known = VIEWS.includes(view) && parts.length <= (view === 'source' ? 4 : 3) && (view !== 'source' || file > 0);
  if (parts[0] !== 'session' || !session || !known) return { ...home, view: 'unknown' };
  const { good, ignored } = sift(view, query);
  return {
    view,
    session,
    file,
    range: rangeOf(good.get('from'), good.get('to')),
    threads: good.getAll('tid').map(whole),
    by: (good.get('by') ?? (view === 'source' ? 'total' : 'self')) as Sort,
    inlines: (good.get('inlines') ?? 'written') as Inlines,
    kernel: good.get('kernel') !== '0',
    focus: good.getAll('focus'),
    hide: good.getAll('hide'),
    options: others(good),
    ignored,
  };
}

function others(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].filter(([name, value]) => !FILTERS.includes(name) && value));
}

export function format(route: Route): string {
  if (route.view === 'home' || route.view === 'unknown') return '#/';
  const query = new URLSearchParams();
  if (route.range) {
    query.set('from', String(route.range.from_ns / 1e9));
    query.set('to', String(route.range.to_ns / 1e9));
  }
  for (const tid of route.threads) query.append('tid', String(tid));
  if (route.by !== (route.view === 'source' ? 'total' : 'self')) query.set('by', route.by);
  if (route.inlines === 'called') query.set('inlines', 'called');
  if (!route.kernel) query.set('kernel', '0');
  for (const frame of route.focus) query.append('focus', frame);
  for (const frame of route.hide) query.append('hide', frame);
  for (const [name, value] of Object.entries(route.options)) if (value) query.set(name, value);
  const path = route.view === 'attach' ? 'attach' : `session/${route.session}/${route.view}${route.file ? `/${route.file}` : ''}`;
  return `#/${path}${query.size ? `?${query}` : ''}`;
}

export const route = signal<Route>(home);
let shown: string | null = null; // the part of the address that `route` is of

/** Where a link to a changed route goes. Another view forgets the options of this one, unless given. */
export function link(change: Partial<Route>): string {
  const now = route.value;
  const next = { ...now, ...change };
  if (change.session !== undefined && change.session !== now.session)
    Object.assign(next, { range: null, threads: [], focus: [], hide: [], options: {}, ...change });
  if (next.view !== now.view || next.file !== now.file) {
    next.options = change.options ?? {};
    if (next.view !== 'source') next.file = 0;
    if (change.by === undefined && (next.view === 'source') !== (now.view === 'source')) next.by = next.view === 'source' ? 'total' : 'self';
  }
  return format(next);
}

/** Goes to a changed route: a step that Back takes back. */
export function go(change: Partial<Route>): void {
  const hash = link(change);
  if (hash === location.hash) return;
  location.hash = hash;
  read(); // at once: what comes before the event must not begin from the route that was
}

/** Changes the URL without a step for Back: for what changes continuously, like a text being typed. */
export function replace(change: Partial<Route>): void {
  history.replaceState(null, '', link(change));
  read();
}

/** One option of the view, changed; empty forgets it. */
export function setOption(name: string, value: string, how: typeof go = go): void {
  how({ options: { ...route.value.options, [name]: value } });
}

/** Up to when numbers count while they are held still, ns of the session; null: they follow it. */
export const heldAt = signal<number | null>(null);
/** The numbers stand still, in every view; sampling goes on. */
export const frozen = computed(() => heldAt.value !== null);

/** Where a query's time ends: at the range's end, and not after the numbers were held. */
export function endOf(range: Range | null, held_ns: number | null): number | undefined {
  if (held_ns === null || (range && range.from_ns >= held_ns)) return range?.to_ns;
  return range ? Math.min(range.to_ns, held_ns) : held_ns;
}

/** The filters as parameters of a query. */
export const filters = computed<Parameters>(() => {
  const { range, threads, inlines, kernel, focus, hide } = route.value;
  return {
    from_ns: range?.from_ns, to_ns: endOf(range, heldAt.value), tid: threads, inlines: inlines === 'called' ? inlines : null,
    kernel: kernel ? null : '0', focus, hide,
  };
});



function read(): void {
  if (location.hash !== shown) route.value = parse(location.hash);
  shown = location.hash;
}

export function startRouting(): void {
  addEventListener('hashchange', read);
  read();
}
