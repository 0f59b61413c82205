// Light or dark: as the system says, unless a person chose. The one thing that is kept outside the URL.
import { computed, effect, signal } from '@preact/signals';

export type Choice = 'system' | 'light' | 'dark';

const KEY = 'lprofd-theme';
const system = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(system.matches);
system.addEventListener('change', () => { systemIsDark.value = system.matches; });

function stored(): Choice {
  try {
    const value = localStorage.getItem(KEY);
    return value === 'light' || value === 'dark' ? value : 'system';
  } catch {
    return 'system'; // storage may be forbidden
  }
}

export const choice = signal<Choice>(stored());
/** What is shown; canvases draw anew when it changes. */
export const theme = computed<'light' | 'dark'>(() => (choice.value === 'system' ? (systemIsDark.value ? 'dark' : 'light') : choice.value));

export function choose(next: Choice): void {
  choice.value = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // then it lasts as long as the page
  }
}

export function startTheme(): void {
  effect(() => { document.documentElement.dataset.theme = theme.value; });
}
