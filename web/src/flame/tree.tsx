// The graph as a tree, around the node that is chosen: for screen readers. It is also what has the
// keyboard, and scrolls.
import type { ComponentChildren, RefObject } from 'preact';

import { percent, time } from '../format.ts';
import { knownOf, rowOf, type Graph } from './graph.ts';

const AROUND = 10; // siblings before and after, children

interface TreeProps {
  scroller: RefObject<HTMLDivElement>;
  name: string;
  label: string;
  graph: Graph;
  /** Whether self time is what it is called: from the leaves it is not. */
  hasSelf: boolean;
  /** Where the keyboard begins. */
  home: number;
  selected: number;
  select: (node: number) => void;
  children: ComponentChildren;
}

/** The nodes that are said: the parent, the siblings, and below the chosen node its children. */
function nodesAround(graph: Graph, node: number): number[] {
  const list: number[] = [];
  const add = (from: number, to: number) => { for (let i = from; i < to; i++) list.push(i); };
  if (node > 0) list.push(graph.parent[node]!);
  const first = node > 0 ? graph.firstChild[graph.parent[node]!]! : 0;
  const end = node > 0 ? graph.firstChild[graph.parent[node]! + 1]! : 1;
  add(Math.max(first, node - AROUND), node + 1);
  add(graph.firstChild[node]!, Math.min(graph.firstChild[node + 1]!, graph.firstChild[node]! + 2 * AROUND));
  add(node + 1, Math.min(end, node + 1 + AROUND));
  return list;
}

function says(graph: Graph, node: number, hasSelf: boolean): string {
  const share = percent((100 * graph.width[node]!) / (graph.width[0]! || 1));
  const { folded, time_ns, selfTime_ns } = knownOf(graph, node);
  const name = folded ? `${folded} more, too small to be shown` : graph.labels[graph.name[node]!]!.slice(0, 300);
  const self = hasSelf ? `, of that ${time(selfTime_ns)} itself` : '';
  return `${name}, ${share} %, ${time(time_ns)}${self}`;
}

export function Tree({ scroller, name, label, graph, hasSelf, home, selected, select, children }: TreeProps) {
  const node = selected >= 0 ? selected : home;
  const id = (one: number) => `flame-${name}-${one}`;
  const around = graph.count ? nodesAround(graph, node) : [];
  return (
    <div
      ref={scroller} class="flame-scroll" role="tree" tabIndex={0} aria-label={`${label}. Arrow keys move, Enter zooms, s shows the source.`}
      aria-activedescendant={around.length ? id(node) : undefined}
      onFocus={(event) => { if (selected < 0 && event.currentTarget.matches(':focus-visible')) select(home); }}
    >
      {children}
      {around.map((one) => {
        const parent = graph.parent[one]!;
        const first = one > 0 ? graph.firstChild[parent]! : 0;
        const siblings = one > 0 ? graph.firstChild[parent + 1]! - first : 1;
        const hasChildren = graph.firstChild[one + 1]! > graph.firstChild[one]!;
        return (
          <div
            key={one} id={id(one)} class="visually-hidden" role="treeitem" aria-level={rowOf(graph, one) + 1}
            aria-setsize={siblings} aria-posinset={one - first + 1} aria-selected={one === selected}
            aria-expanded={hasChildren ? one === node || graph.parent[node] === one : undefined}
          >
            {says(graph, one, hasSelf)}
          </div>
        );
      })}
    </div>
  );
}
