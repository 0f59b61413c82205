// What is said where numbers would stand: nothing yet, and what went wrong.
import type { ComponentChildren } from 'preact';

import type { Problem } from '../api.ts';
import { go, route } from '../state.ts';

export function Empty({ title, children }: { title?: string; children: ComponentChildren }) {
  return (
    <div class="empty" role="status">
      {title && <h2>{title}</h2>}
      <p>{children}</p>
    </div>
  );
}

/** In place of a view: what is wrong and what to do. */
export function ProblemNote({ problem }: { problem: Problem }) {
  const gone = problem.status === 404;
  const { focus, hide } = route.value;
  return (
    <Empty title={problem.title}>
      {problem.message !== problem.title && problem.message}{' '}
      {gone && <>It may have been of an lprofd that was restarted. <a href="#/">Show the newest session</a> or <a href="#/attach">attach to a process</a>.</>}
      {problem.status === 400 && focus.length + hide.length > 0 && <button type="button" onClick={() => go({ focus: [], hide: [] })}>Count all stacks</button>}
      {problem.status === 0 && 'What you see is kept; the page connects again by itself.'}
    </Empty>
  );
}
