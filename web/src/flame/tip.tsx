// What is known of a frame: beside the pointer, and in a line below the graph.
import { useLayoutEffect, useRef } from 'preact/hooks';

import { count, percent, plural, splitPath, time } from '../format.ts';
import { route } from '../state.ts';
import { focusFunction, hasSelf, hasSource, hideFunction, isFunction, labelOf, nameOf, sandwich, showSource, zoomTo, type Frame } from './actions.ts';
import { KINDS, knownOf, type Kind } from './graph.ts';
import { visible } from './names.ts';
import { palette, swatch } from './palette.ts';

export const KIND_NAMES: Record<Kind, string> = {
  none: '', target: 'program', library: 'library', runtime: 'C/C++ runtime', jit: 'compiled at run time', kernel: 'kernel', vdso: 'vDSO',
  anonymous: 'unnamed code', unknown: 'unknown',
};

export const kindOf = ({ graph, node }: Frame): Kind => KINDS[graph.kinds[graph.name[node]!]!]!;

export function Swatch({ kind }: { kind: Kind }) {
  return <i class="flame-swatch" style={{ background: swatch(palette.value, kind) }} />;
}

/** "libc.so.6", and of what kind that is. */
function moduleOf(frame: Frame): string {
  const { graph, node } = frame;
  const path = graph.modules[graph.nameModule[graph.name[node]!]!] ?? '';
  return [visible(splitPath(path)[1] || KIND_NAMES[kindOf(frame)]), path && KIND_NAMES[kindOf(frame)]].filter(Boolean).join(' · ');
}

/** "file.c:12", or nothing where that is not known. */
export function placeOf({ graph, node }: Frame): string {
  const { file, line } = knownOf(graph, node);
  const path = graph.files[file] ?? '';
  if (!path) return '';
  return `${visible(splitPath(path)[1])}${line ? `:${line}` : ''}`;
}

const shareOf = ({ graph, node }: Frame, of = 0) => percent((100 * graph.width[node]!) / (graph.width[of]! || 1));
const selfShareOf = ({ graph, node }: Frame) => {
  const { selfTime_ns, selfHits } = knownOf(graph, node);
  const self = graph.totalTime_ns > 0 ? selfTime_ns : selfHits;
  return percent((100 * self) / (graph.width[0]! || 1));
};

function Costs({ frame, zoom }: { frame: Frame; zoom: number }) {
  const { graph, node, direction } = frame;
  const own = hasSelf(direction);
  const { time_ns, selfTime_ns, hits, selfHits } = knownOf(graph, node);
  return (
    <dl class="flame-costs">
      <div><dt>Total</dt><dd>{time(time_ns)}</dd><dd>{shareOf(frame)} %</dd></div>
      {own && <div><dt>Self</dt><dd>{time(selfTime_ns)}</dd><dd>{selfShareOf(frame)} %</dd></div>}
      <div><dt>Samples</dt><dd>{count(hits)}</dd>{own && <dd>{count(selfHits)} self</dd>}</div>
      {zoom > 0 && zoom !== node && <div class="flame-of-zoom"><dt>Of the zoom</dt><dd>{shareOf(frame, zoom)} %</dd></div>}
    </dl>
  );
}

/** Follows the pointer, and stays within the window. */
export function Tip({ frame, zoom, at }: { frame: Frame; zoom: number; at: { x: number; y: number } }) {
  const element = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const place = (x: number, y: number) => {
      const box = element.current;
      if (!box) return;
      const left = Math.max(4, Math.min(x + 14, innerWidth - box.offsetWidth - 8));
      const above = y + 18 + box.offsetHeight > innerHeight;
      box.style.transform = `translate(${left}px, ${above ? Math.max(4, y - box.offsetHeight - 10) : y + 18}px)`;
    };
    place(at.x, at.y);
    const follow = (event: PointerEvent) => place(event.clientX, event.clientY);
    addEventListener('pointermove', follow);
    return () => removeEventListener('pointermove', follow);
  }, [frame.graph, frame.node]);
  return (
    <div class="flame-tip" ref={element} aria-hidden="true">
      <p class="flame-name"><Swatch kind={kindOf(frame)} /><bdi>{labelOf(frame)}</bdi></p>
      <p class="quiet">{[isFunction(frame) ? moduleOf(frame) : '', placeOf(frame)].filter(Boolean).join(' · ')}</p>
      {knownOf(frame.graph, frame.node).folded > 0 && <p class="quiet">Too small to be drawn. Double click to see them.</p>}
      <Costs frame={frame} zoom={zoom} />
    </div>
  );
}

/** The line below the graph: the frame that is chosen, and what can be done with it. */
export function Detail({ frame, zoom, openMenu }: { frame: Frame | null; zoom: number; openMenu: (x: number, y: number) => void }) {
  if (!frame) return <div class="flame-detail quiet"><p>Click a frame for its cost and its source; double click or Enter makes it as wide as the window.</p></div>;
  const usable = isFunction(frame);
  const place = placeOf(frame);
  return (
    <div class="flame-detail">
      <div class="flame-what">
        <p class="flame-name" title={labelOf(frame)}><Swatch kind={kindOf(frame)} /><bdi>{labelOf(frame)}</bdi></p>
        <p class="quiet">{usable ? [moduleOf(frame), place || 'source not known'].join(' · ') : plural(knownOf(frame.graph, frame.node).hits, 'sample')}</p>
      </div>
      <Costs frame={frame} zoom={zoom} />
      <div class="flame-acts">
        {usable && <button type="button" aria-pressed={hasSource()} title="Its source with the graph, counting only the stacks through this frame (s)" onClick={() => showSource(!hasSource())}>Source</button>}
        <button type="button" title="As wide as the window (Enter)" onClick={() => zoomTo(frame)}>Zoom</button>
        {usable && route.value.options.center !== nameOf(frame) && <button type="button" class="flame-wide" title="Who calls it, and what it calls (c)" onClick={() => sandwich(nameOf(frame))}>Callers</button>}
        {usable && <button type="button" class="flame-wide" title="Count only stacks with this function (f)" onClick={() => focusFunction(frame)}>Focus</button>}
        {usable && <button type="button" class="flame-wide" title="Count no stacks with this function (h)" onClick={() => hideFunction(frame)}>Hide</button>}
        <button
          type="button" aria-haspopup="menu" aria-label="More" title="More (m)"
          onClick={(event) => {
            const box = event.currentTarget.getBoundingClientRect();
            openMenu(box.left, box.top);
          }}
        >
          ⋯
        </button>
      </div>
    </div>
  );
}
