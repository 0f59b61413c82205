// The graph of a pane with what is searched in it, both of the same answer.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';

import type { Problem } from '../api.ts';
import { useQuery } from '../query.ts';
import { loadGraph, searchGraph } from './engine.ts';
import type { Graph } from './graph.ts';
import { findPath } from './path.ts';
import type { Found } from './search.ts';

const PAUSE_MS = 1000; // between two answers: what changes more often cannot be read

export interface Shown {
  graph: Graph;
  found: Found | null;
  /** What the zoom is on, and whether that is what the URL asks for. */
  zoom: number;
  zoomIsWhole: boolean;
}

interface FoundIn {
  graph: Graph;
  found: Found | null;
}

/** Searches each new graph, and again for another text or another zoom. */
function useSearch(pane: string, graph: Graph | null, text: string, within: number): FoundIn | null {
  const [result, setResult] = useState<FoundIn | null>(null);
  useEffect(() => {
    if (!graph || !text) {
      setResult(null);
      return undefined;
    }
    let stopped = false;
    void searchGraph(pane, graph.serial, text, within).then((found) => {
      if (!stopped) setResult({ graph, found });
    });
    return () => { stopped = true; };
  }, [graph, text, within]);
  return result;
}

/**
 * What a pane shows; null until there is an answer. The last one stays while a new one is searched, or
 * asked for with other filters, but not if its shape is another one.
 */
export function useFlame(pane: string, url: string | null, shape: string, text: string, zoom: string): { shown: Shown | null; problem: Problem | null } {
  const query = useQuery<Graph>(url, { pause_ms: PAUSE_MS, ask: loadGraph(pane, shape) }).value;
  const graph = query.data?.shape === shape ? query.data : null;
  const at = useMemo(() => (graph ? findPath(graph, zoom) : null), [graph, zoom]);
  const search = useSearch(pane, graph, text, at?.node ?? 0);
  const settled = useRef<Shown | null>(null);
  const last = settled.current;
  if (!graph || !at) settled.current = null;
  else if (!text || search?.graph === graph || !last || last.graph.shape !== shape) {
    const found = text ? search?.found ?? null : null;
    if (last?.graph !== graph || last.found !== found || last.zoom !== at.node || last.zoomIsWhole !== at.whole)
      settled.current = { graph, found, zoom: at.node, zoomIsWhole: at.whole };
  } else if (last) {
    const old = findPath(last.graph, zoom);
    if (old.node !== last.zoom) settled.current = { ...last, zoom: old.node, zoomIsWhole: old.whole };
  }
  return { shown: settled.current, problem: query.problem };
}
