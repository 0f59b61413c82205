// Why the listing is not what one would wish, and what would help.
import type { Problem } from '../api.ts';
import { count, plural } from '../format.ts';
import type { SourceText } from './text.ts';

interface Props {
  text: SourceText | null;
  stale: boolean;
  problem: Problem | null;
  /** Lines with cost. */
  rows: number;
  /** A line that was asked for and is not there; 0: none. */
  beyond?: number;
}

export function Notes({ text, stale, problem, rows, beyond = 0 }: Props) {
  return (
    <>
      {problem && !text && (
        <p class="note" role="status">
          <b>{problem.title}.</b> {problem.message !== problem.title && problem.message} {rows > 0 && <>{rows === 1 ? 'The line' : `The ${plural(rows, 'line')}`} with samples {rows === 1 ? 'is' : 'are'} listed without text.</>}
        </p>
      )}
      {stale && (
        <p class="note" role="status">
          <b>This may not be the source that the program was built from:</b> the file is newer than the program, or its text differs. Lines may be off. Build the program anew, or show the
          sources it was built from with <code>--source-path OLD=NEW</code>.
        </p>
      )}
      {beyond > 0 && <p class="note" role="status">There is no line {count(beyond)}: this file has {plural(text?.count ?? 0, 'line')}.</p>}
      {text?.clipped && <p class="note" role="status">Only the first {count(text.count)} lines are shown.</p>}
    </>
  );
}
