// Off the page's thread: asks for flame graphs, lays them out, and searches them.
import { getJson, Problem } from '../api.ts';
import { buffers, type Columns } from './graph.ts';
import { layOut } from './layout.ts';
import type { Answer, Request } from './messages.ts';
import { search, type Searchable } from './search.ts';

const graphs = new Map<string, Searchable & { serial: number }>(); // the newest of each pane
const asked = new Map<number, AbortController>();
const scope = self as unknown as DedicatedWorkerGlobalScope;

function reply(answer: Answer, transfer: Transferable[] = []): void {
  scope.postMessage(answer, transfer);
}

/** What the search needs stays here; the rest is handed over. */
function deliver(id: number, pane: string, columns: Columns): void {
  const began = performance.now();
  const graph = layOut(columns);
  graph.serial = id;
  const { names, files, modules } = graph;
  graphs.set(pane, {
    serial: id, names, files, modules, name: graph.name.slice(), parent: graph.parent.slice(), width: graph.width.slice(),
    origin: graph.origin.slice(), file: graph.file.slice(), nameModule: graph.nameModule.slice(), kinds: graph.kinds.slice(),
  });
  reply({ id, graph, layout_ms: performance.now() - began }, buffers(graph));
}

async function load(id: number, pane: string, url: string): Promise<void> {
  const controller = new AbortController();
  asked.set(id, controller);
  try {
    deliver(id, pane, await getJson<Columns>(url, controller.signal));
  } catch (error) {
    if (controller.signal.aborted) return;
    const { status, title, message, reason } = error instanceof Problem ? error : new Problem(200, 'The answer is damaged', String(error));
    reply({ id, problem: { status, title, detail: message, reason } });
  } finally {
    asked.delete(id);
  }
}

scope.onmessage = ({ data }: MessageEvent<Request>) => {
  switch (data.type) {
    case 'load': void load(data.id, data.pane, data.url); break;
    case 'abort': asked.get(data.id)?.abort(); break;
    case 'search': {
      const graph = graphs.get(data.pane);
      if (graph?.serial === data.serial) {
        const found = search(graph, data.text, data.within);
        reply({ id: data.id, found }, [found.names.buffer as ArrayBuffer]);
      } else reply({ id: data.id, found: null });
    }
  }
};
