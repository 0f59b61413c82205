// One graph on the page: the canvas, the tree that says the same to those who do not see it, and what
// the pointer does to them.
import type { ComponentChildren } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';

import { hasSelf, zoomTo, type Direction, type Frame } from './actions.ts';
import { FlameCanvas } from './canvas.ts';
import { Tip } from './tip.tsx';
import { Tree } from './tree.tsx';
import type { Shown } from './use.ts';

export interface PaneProps {
  name: string;
  label: string;
  direction: Direction;
  zoomOption: string;
  flip: boolean;
  /** Rows before it are not shown. */
  firstRow: number;
  shown: Shown;
  /** The node that is chosen, or -1. */
  selected: number;
  select: (node: number) => void;
  /** A click on a node, or beside all (-1); how many clicks that makes there. */
  pick: (node: number, clicks: number) => void;
  openMenu: (node: number, x: number, y: number) => void;
  /** The canvas, for what keys do. */
  attach: (canvas: FlameCanvas | null) => void;
  children?: ComponentChildren;
}

export function Pane({ name, label, direction, zoomOption, flip, firstRow, shown, selected, select, pick, openMenu, attach, children }: PaneProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const surface = useRef<HTMLCanvasElement>(null);
  const spacer = useRef<HTMLDivElement>(null);
  const canvas = useRef<FlameCanvas | null>(null);
  const pointer = useRef<{ x: number; y: number } | null>(null);
  const [hovered, setHovered] = useState(-1);
  const { graph, found, zoom } = shown;
  const home = Math.max(zoom, Math.min(graph.rowFirst[firstRow] ?? 0, graph.count - 1));
  const frame = (node: number): Frame => ({ graph, node, direction, zoomOption });

  useLayoutEffect(() => {
    canvas.current = new FlameCanvas(surface.current!, scroller.current!, spacer.current!, firstRow);
    attach(canvas.current);
    return () => {
      attach(null);
      canvas.current?.close();
    };
  }, []);
  useLayoutEffect(() => canvas.current?.show(graph, found?.names ?? null, zoom, flip), [graph, found, zoom, flip]);
  useLayoutEffect(() => canvas.current?.mark(selected, hovered), [selected, hovered]);
  // Another graph may have another frame below the pointer, which did not move.
  useEffect(() => { if (pointer.current) point(pointer.current.x, pointer.current.y); }, [graph]);

  function point(x: number, y: number): void {
    pointer.current = { x, y };
    setHovered(canvas.current?.at(x, y) ?? -1);
  }
  useEffect(() => {
    const hide = () => setHovered(-1); // who uses keys does not point
    addEventListener('keydown', hide);
    return () => removeEventListener('keydown', hide);
  }, []);
  const leave = () => {
    pointer.current = null;
    setHovered(-1);
  };
  const menu = (event: MouseEvent) => {
    const node = canvas.current?.at(event.clientX, event.clientY) ?? -1;
    event.preventDefault();
    if (node < 0) return;
    select(node);
    leave();
    openMenu(node, event.clientX, event.clientY);
  };
  const zoomIn = (event: MouseEvent) => {
    const node = canvas.current?.at(event.clientX, event.clientY) ?? -1;
    if (node >= 0) zoomTo(frame(node));
  };
  return (
    <section class="flame-pane" data-pane={name} aria-label={label}>
      {children}
      <Tree scroller={scroller} name={name} label={label} graph={graph} hasSelf={hasSelf(direction)} home={home} selected={selected} select={select}>
        <canvas
          ref={surface} aria-hidden="true" onPointerMove={(event) => point(event.clientX, event.clientY)} onPointerLeave={leave}
          onClick={(event) => pick(canvas.current?.at(event.clientX, event.clientY) ?? -1, event.detail)} onDblClick={zoomIn} onContextMenu={menu} data-pointing={hovered >= 0 || undefined}
        />
        <div ref={spacer} aria-hidden="true" />
      </Tree>
      <i class="flame-ring" aria-hidden="true" />
      {graph.rows <= firstRow && <p class="flame-none quiet">Nothing calls it: stacks begin here.</p>}
      {hovered >= 0 && hovered < graph.count && pointer.current && <Tip frame={frame(hovered)} zoom={zoom} at={pointer.current} />}
    </section>
  );
}
