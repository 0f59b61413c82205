// What the source beside the graph is of: the chosen frame, in words that stay the same while its numbers grow.
import { useEffect, useState } from 'preact/hooks';

import { splitPath } from '../format.ts';
import { link } from '../state.ts';
import { focusWith, isFunction, labelOf, nameOf, sourceOf, sourceRoute, stackFilter, type Frame } from './actions.ts';
import { knownOf, type Kind } from './graph.ts';
import { visible } from './names.ts';
import { kindOf, placeOf } from './tip.tsx';

const SETTLE_MS = 120; // a held arrow key passes many frames

export interface Subject {
  label: string;
  name: string;
  place: string;
  path: string;
  file: number; // 0: not known
  line: number; // 0: not known
  focus: string[];
  /** What is counted. */
  says: string;
  /** Why there is no file. */
  why: string;
  /** The same, alone. */
  href: string;
}

const WHY: Partial<Record<Kind, string>> = {
  kernel: 'This is code of the kernel. There is no debug information of it here that says where it is written.',
  vdso: 'This is code that the kernel lends to every program. It comes without line numbers.',
  jit: 'This was compiled while the program ran, and its compiler does not say from which lines.',
  anonymous: 'This code is in memory that no file stands for, so nothing says where it was written.',
  unknown: 'It is not known what this code is, or not yet.',
};

function whyOf(frame: Frame): string {
  const { graph, node } = frame;
  if (node === 0) return 'These are all samples together. Choose a function to see its source.';
  if (knownOf(graph, node).folded) return 'These frames are too small to be drawn. Enter, or a double click, shows them.';
  const known = WHY[kindOf(frame)];
  if (known) return known;
  const module = visible(splitPath(graph.modules[graph.nameModule[graph.name[node]!]!] ?? '')[1]);
  return `No debug information says where this function is written. Install the -dbg or -dbgsym package of ${module || 'its module'}, or build it with -g.`;
}

function subjectOf(frame: Frame): Subject {
  const { graph, node } = frame;
  const file = isFunction(frame) ? sourceOf(frame) : 0;
  return {
    label: labelOf(frame), name: nameOf(frame), place: placeOf(frame), path: visible(graph.files[knownOf(graph, node).file] ?? ''), file,
    line: knownOf(graph, node).line, focus: focusWith(frame), says: isFunction(frame) ? stackFilter(frame).says : '',
    why: file ? '' : whyOf(frame), href: file ? link(sourceRoute(frame)) : '',
  };
}

/** The subject of the frame, once it stays chosen; the same object as long as nothing of it changes. */
export function useSubject(frame: Frame | null): Subject | null {
  const text = frame ? JSON.stringify(subjectOf(frame)) : '';
  const [settled, setSettled] = useState({ text: '', subject: null as Subject | null });
  useEffect(() => {
    if (text === settled.text) return undefined;
    const timer = setTimeout(() => setSettled({ text, subject: text ? JSON.parse(text) as Subject : null }), settled.text ? SETTLE_MS : 0);
    return () => clearTimeout(timer);
  }, [text, settled]);
  return settled.subject;
}
