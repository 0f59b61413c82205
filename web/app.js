// Glue: the URL decides what is shown; one live session feeds it.
import {changeState, detach, listSessions, Live} from './api.js';
import {h, setText} from './dom.js';
import {LinesView} from './lines.js';
import {ProcessesView} from './processes.js';
import {format, go, parse, replace} from './route.js';
import {SourceView} from './source.js';
import {Strip} from './strip.js';

const RETRY_MS = 2000;
const NOTICE_MS = 8000;

const main = document.getElementById('main');
const nav = document.getElementById('nav');
const actions = document.getElementById('actions');
const notice = document.getElementById('notice');
const strip = new Strip(document.getElementById('strip'));
let live = null;
let view = null;
let sessions = [];
let shownActions = '';

function notify(text) {
  setText(notice, text);
  clearTimeout(notify.timer);
  notify.timer = setTimeout(() => setText(notice, ''), NOTICE_MS);
}

async function act(work) {
  try {
    await work();
  } catch (problem) {
    notify(problem.message);
  }
}

function showActions(session, lost) {
  const state = lost ? '' : session?.state ?? '';
  if (state === shownActions) return;
  shownActions = state;
  const button = (text, title, work) => h('button', {type: 'button', title, onclick: () => act(work)}, text);
  const buttons = [];
  if (state === 'running') buttons.push(button('Pause', 'The numbers stop growing', () => changeState(session.id, 'paused')));
  if (state === 'paused') buttons.push(button('Resume', 'The numbers grow again', () => changeState(session.id, 'running')));
  if (state === 'running' || state === 'paused')
    buttons.push(button('Detach', 'Stop sampling for good; the program runs on and the numbers stay', () => detach(session.id)));
  actions.replaceChildren(...buttons);
}

function showNav(route) {
  const link = (text, target, current) => h('a', {href: format(target), 'aria-current': current ? 'page' : null}, text);
  const links = [];
  if (route.id) links.push(link('Hot lines', {view: 'lines', id: route.id, by: route.view === 'lines' ? route.by : null}, route.view === 'lines'));
  links.push(link('Attach', {view: 'attach'}, route.view === 'attach'));
  for (const session of sessions)
    if (session.id !== route.id) links.push(link(`${session.id}: ${(session.command || String(session.pid)).slice(0, 24)}`, {view: 'lines', id: session.id}, false));
  nav.replaceChildren(...links);
}

function changed(kind) {
  strip.update(live.session, live.lost);
  showActions(live.session, live.lost);
  view?.update(kind);
  const command = live.session?.command ?? '';
  setText(document.querySelector('title'), command ? `${command.slice(0, 40)} – lprofd` : 'lprofd');
}

function watch(route) {
  const by = route.view === 'lines' ? route.by : live?.by ?? 'self';
  if (live && live.id === route.id && live.by === by) return;
  live?.close();
  live = new Live(route.id, by, changed);
}

function leave() {
  live?.close();
  live = null;
  strip.update(null);
  showActions(null);
}

// Where to begin: the newest session, or the list of processes.
async function home() {
  main.replaceChildren(h('p', {class: 'empty'}, 'Connecting…'));
  try {
    sessions = await listSessions();
    const newest = sessions.at(-1);
    replace(newest ? {view: 'lines', id: newest.id, by: 'self'} : {view: 'attach'});
    show();
  } catch (problem) {
    main.replaceChildren(h('p', {class: 'empty'}, problem.message));
    setTimeout(() => parse(location.hash).view === 'home' && home(), RETRY_MS);
  }
}

function show() {
  const route = parse(location.hash);
  view?.close();
  view = null;
  setText(notice, '');
  showNav(route);
  if (route.id) watch(route);
  else leave();
  if (route.view === 'home') home();
  else if (route.view === 'attach') view = new ProcessesView(main, route, notify);
  else if (route.view === 'lines') view = new LinesView(main, route, live);
  else view = new SourceView(main, route, live, notify);
  document.body.dataset.view = route.view;
  if (route.id && live.session) changed('lines');
  if (route.view !== 'home')
    listSessions().then((list) => { sessions = list; showNav(parse(location.hash)); }, () => {});
}

addEventListener('hashchange', show);
document.querySelector('.brand').addEventListener('click', (event) => {
  event.preventDefault();
  go({view: 'home'});
});
show();
