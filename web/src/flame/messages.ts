// What the page and its worker say to each other.
import type { Graph } from './graph.ts';
import type { Found } from './search.ts';

export type Request =
  | { type: 'load'; id: number; pane: string; url: string }
  | { type: 'abort'; id: number }
  | { type: 'search'; id: number; pane: string; serial: number; text: string; within: number };

export interface Answer {
  id: number;
  graph?: Graph;
  layout_ms?: number;
  found?: Found | null;
  problem?: { status: number; title: string; detail: string; reason: string };
}
