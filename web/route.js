// The state of the page is its URL: Back, Forward and links work.

// #/  #/attach  #/session/1?by=total  #/session/1/file/3?by=self&line=20
export function parse(hash) {
  const [path, query] = hash.replace(/^#/, '').split('?');
  const parts = path.split('/').filter(Boolean);
  const parameters = new URLSearchParams(query ?? '');
  const by = parameters.get('by');
  const line = Number.parseInt(parameters.get('line') ?? '', 10);
  const route = {view: 'home', by: by === 'self' || by === 'total' ? by : null, line: line > 0 ? line : null};
  if (parts[0] === 'attach') return {...route, view: 'attach'};
  const id = Number.parseInt(parts[1] ?? '', 10);
  if (parts[0] !== 'session' || !(id > 0)) return route;
  const file = Number.parseInt(parts[3] ?? '', 10);
  if (parts[2] === 'file' && file > 0) return {...route, view: 'source', id, file, by: route.by ?? 'total'};
  return {...route, view: 'lines', id, by: route.by ?? 'self'};
}

export function format(route) {
  if (route.view === 'attach') return '#/attach';
  if (route.view === 'home') return '#/';
  const parameters = new URLSearchParams();
  if (route.by) parameters.set('by', route.by);
  if (route.line) parameters.set('line', route.line);
  const query = parameters.size ? `?${parameters}` : '';
  return `#/session/${route.id}${route.file ? `/file/${route.file}` : ''}${query}`;
}

export function go(route) {
  location.hash = format(route);
}

// Changes the URL without a step that Back would have to take.
export function replace(route) {
  history.replaceState(null, '', format(route));
}
