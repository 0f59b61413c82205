// The text of the file that is shown: asked for once, again while a server is fetching it.
import { useEffect, useState } from 'preact/hooks';

import { fileText, Problem, type TextStatus } from '../api.ts';
import { connection } from '../live.ts';
import { SourceText } from './text.ts';

const FETCHING_MS = 1500;
const RETRY_MS = 3000;

export interface FileText {
  text: SourceText | null;
  status: TextStatus | null;
  /** Why there is no text. */
  problem: Problem | null;
}

export function useFileText(session: number, file: number): FileText {
  const [state, setState] = useState<FileText>({ text: null, status: null, problem: null });
  useEffect(() => {
    const controller = new AbortController();
    let timer = 0;
    async function ask(): Promise<void> {
      try {
        const { text, status } = await fileText(session, file, controller.signal);
        // The daemon may be another one, and the file: what is the same is not read anew.
        setState((known) => ({ text: known.text?.source === text ? known.text : new SourceText(text), status, problem: null }));
      } catch (error) {
        if (controller.signal.aborted) return;
        const problem = error instanceof Problem ? error : new Problem(0, String(error));
        setState((known) => ({ ...known, problem }));
        if (problem.reason === 'fetching') timer = setTimeout(ask, FETCHING_MS) as unknown as number;
        else if (problem.status === 0 || problem.status >= 500) timer = setTimeout(ask, RETRY_MS) as unknown as number;
      }
    }
    void ask();
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, [session, file, connection.value]);
  return state;
}
