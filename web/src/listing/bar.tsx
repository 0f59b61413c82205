// What stands above the listing: the file, its share, the function at the cursor, and the switches.
import type { ComponentChildren, RefObject } from 'preact';

import { FIND_MAX } from '../checks.ts';
import { count, percent, plural, splitPath, time } from '../format.ts';
import { go, link, replace, route, setOption } from '../state.ts';
import type { FileRow, Inlines, Sort } from '../types.ts';
import type { Costs, Share } from './costs.ts';
import { labelOf } from './languages.ts';

const STATUS: Record<string, [text: string, title: string]> = {
  found: ['source matches', 'This is the source that the program was built from, as far as can be told'],
  kept: ['source as it was', 'The file has changed or gone since; this is the text that the program was built from'],
  stale: ['source may differ', 'The file is newer than the program, or its text differs: lines may be off'],
  missing: ['source missing', 'The file is not there'],
  fetching: ['source on its way', 'A debuginfod server is asked for it'],
  denied: ['source denied', 'The target\u2019s user may not read it'],
  too_large: ['source too large', 'It is not shown'],
  not_a_file: ['no source', 'It is not a regular file'],
  unreadable: ['source unreadable', 'It cannot be read'],
};

export function FileHead({ path, row, status, costs }: { path: string; row: FileRow | undefined; status: string; costs: Costs }) {
  const [folder, name] = splitPath(path);
  const [, module] = splitPath(row?.module ?? '');
  const label = labelOf(path);
  const whole = costs.total.time_ns;
  const self = whole ? (100 * costs.file.self.time_ns) / whole : 0;
  const known = STATUS[status];
  return (
    <div class="file-head">
      <h2 class="mono" title={path}><span class="quiet">{folder}</span><span class="name">{name}</span></h2>
      <p class="facts">
        {label && <span>{label}</span>}
        {module && <span class="mono" title={`Compiled into ${row!.module}`}>{module}</span>}
        {known && <span class="status" data-status={status} title={known[1]}>{known[0]}</span>}
        <span title="Time in which a line of this file was executed itself, not one that it called">
          <b class="number">{percent(self)}</b> % of the program is its own{whole > 0 && <> ({time(costs.file.self.time_ns)})</>}
        </span>
      </p>
    </div>
  );
}

/** The function at the cursor, with its numbers. */
export function FunctionAt({ costs, cursor: line, anchor }: { costs: Costs; cursor: number; anchor: number }) {
  const one = costs.functionOf(line);
  const name = one?.name ?? costs.rows.get(line)?.function ?? '';
  const whole = costs.counted.time_ns;
  if (anchor !== line) return <Selection costs={costs} from={Math.min(anchor, line)} to={Math.max(anchor, line)} />;
  return (
    <p class="function-at" title={name}>
      {name ? (
        <>
          <a class="mono" href={link({ view: 'flame', options: { center: name } })} title={`${name}: its callers and what it calls, as a flame graph`}>{name}</a>
          {one && whole > 0 && (
            <span class="numbers">
              <b>{percent((100 * one.total.time_ns) / whole)}</b> % total <b>{percent((100 * one.self.time_ns) / whole)}</b> % self
            </span>
          )}
        </>
      ) : <span class="quiet">no samples here</span>}
    </p>
  );
}

/** What the selected lines cost together; only self times add up. */
function Selection({ costs, from, to }: { costs: Costs; from: number; to: number }) {
  let time_ns = 0;
  let hits = 0;
  for (const row of costs.rows.values())
    if (row.line >= from && row.line <= to) {
      time_ns += row.self_time_ns;
      hits += row.self_hits;
    }
  const share = costs.total.time_ns ? (100 * time_ns) / costs.total.time_ns : 0;
  return (
    <p class="function-at">
      <span>{plural(to - from + 1, 'line')} selected</span>
      <span class="quiet numbers">{percent(share)} % self, {time(time_ns)}, {count(hits)} samples</span>
    </p>
  );
}

function Toggle({ on, title, pick, children }: { on: boolean; title: string; pick: () => void; children: ComponentChildren }) {
  return <button type="button" aria-pressed={on} title={title} onClick={pick}>{children}</button>;
}

export interface BarProps {
  by: Sort;
  inlines: Inlines;
  share: Share;
  hasFunctions: boolean;
  folds: number;
  found: ComponentChildren;
  /** What stands in the middle. */
  children: ComponentChildren;
  find: RefObject<HTMLInputElement>;
  line: RefObject<HTMLInputElement>;
  step: (step: 1 | -1) => void;
  findNext: (step: 1 | -1) => void;
  goToLine: (line: number) => void;
  leave: () => void;
}

export function Bar(props: BarProps) {
  const { by, inlines, share, findNext, leave } = props;
  const folded = route.value.options.fold === 'cold';
  return (
    <div class="source-bar" role="toolbar" aria-label="Listing">
      <span class="toggles">
        <Toggle on={by === 'total'} title="Cost with what is called from the line (t)" pick={() => go({ by: 'total' })}>Total</Toggle>
        <Toggle on={by === 'self'} title="Cost of the line itself (t)" pick={() => go({ by: 'self' })}>Self</Toggle>
      </span>
      <span class="toggles">
        <Toggle on={inlines === 'written'} title="Inlined code costs where it is written (i)" pick={() => go({ inlines: 'written' })}>Written here</Toggle>
        <Toggle on={inlines === 'called'} title="Inlined code costs where it is called from (i)" pick={() => go({ inlines: 'called' })}>Called from here</Toggle>
      </span>
      <label class="share">
        <span>% of</span>
        <select value={share} onChange={(event) => setOption('share', event.currentTarget.value === 'program' ? '' : event.currentTarget.value)}>
          <option value="program">program</option>
          <option value="file">file</option>
          {props.hasFunctions && <option value="function">function</option>}
        </select>
      </label>
      {props.hasFunctions && (
        <button type="button" aria-pressed={folded} title="Fold what is not in a function with cost (f)" onClick={() => { go({ options: { ...route.value.options, fold: folded ? '' : 'cold', open: '' } }); }}>
          Fold cold{folded && props.folds > 0 ? ` (${count(props.folds)})` : ''}
        </button>
      )}
      <span class="toggles">
        <button type="button" title="Hot line before this one (p)" aria-label="Hot line before" onClick={() => props.step(-1)}>↑ hot</button>
        <button type="button" title="Next hot line (n); the dearest: h" aria-label="Next hot line" onClick={() => props.step(1)}>↓ hot</button>
      </span>
      {props.children}
      <form class="find" role="search" onSubmit={(event) => { event.preventDefault(); findNext(1); }}>
        <input
          ref={props.find} type="search" placeholder="Find ( / )" aria-label="Find in this file" maxLength={FIND_MAX} spellcheck={false} autocomplete="off" value={route.value.options.find ?? ''}
          onInput={(event) => setOption('find', event.currentTarget.value, replace)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && event.shiftKey) findNext(-1);
            else if (event.key === 'F3') findNext(event.shiftKey ? -1 : 1);
            else if (event.key === 'Escape') leave();
            else return;
            event.preventDefault();
            event.stopPropagation();
          }}
        />
        <span class="found number quiet" role="status">{props.found}</span>
      </form>
      <form class="go-to" onSubmit={(event) => { event.preventDefault(); props.goToLine(Number(props.line.current?.value)); }}>
        <input
          ref={props.line} type="text" inputMode="numeric" pattern="[0-9]*" placeholder="Line ( : )" aria-label="Go to line" autocomplete="off"
          onKeyDown={(event) => {
            if (event.key !== 'Escape') return;
            event.currentTarget.value = '';
            leave();
            event.stopPropagation();
          }}
        />
      </form>
    </div>
  );
}
