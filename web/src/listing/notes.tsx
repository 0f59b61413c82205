// Why the listing is not what one would wish, and what would help.
import type { Problem } from '../api.ts';
import { count, plural } from '../format.ts';
import type { SourceText } from './text.ts';

export function Notes({ text, stale, problem, rows }: { text: SourceText | null; stale: boolean; problem: Problem | null; rows: number }) {
  return (
    <>
      {problem && !text && (
        <p class="note" role="status">
          <b>{problem.title}.</b> {problem.message !== problem.title && problem.message} {rows > 0 && <>{rows === 1 ? 'The line' : `The ${plural(rows, 'line')}`} with samples {rows === 1 ? 'is' : 'are'} listed without text.</>}
        </p>
      )}
      {stale && (
        <p class="note" role="status">
          <b>This is not the source that the program was built from:</b> the file is newer, or differs. Lines may be off. Build the program anew, or show the
          sources it was built from with <code>--source-path OLD=NEW</code>.
        </p>
      )}
      {text?.clipped && <p class="note" role="status">Only the first {count(text.count)} lines are shown.</p>}
    </>
  );
}
