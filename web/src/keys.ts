// Keys: views say what they listen to while they are shown; `?` lists it all.
import { signal } from '@preact/signals';
import { useLayoutEffect, useRef } from 'preact/hooks';

export interface Key {
  /** As KeyboardEvent.key says it: 'n', '/', 'Escape', 'ArrowLeft'. */
  key: string;
  /** What it does, for the list of keys. */
  title: string;
  run: (event: KeyboardEvent) => void;
  /** Whether the key is meant now (default: always). Not so: the browser does with it what it does. */
  when?: (event: KeyboardEvent) => boolean;
}

export interface KeyGroup {
  title: string;
  keys: Key[];
}

export const groups = signal<KeyGroup[]>([]);

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));
}

/** Whether the key is one that the element itself answers to: Space and Enter press what has the focus. */
function isPress({ key, target }: KeyboardEvent): boolean {
  return target instanceof Element && ((key === ' ' && target.closest('button, summary') !== null) || (key === 'Enter' && target.closest('button, summary, a[href]') !== null));
}

/** While the component is shown, these keys work wherever no text is typed. */
export function useKeys(title: string, keys: Key[]): void {
  const latest = useRef(keys);
  latest.current = keys;
  useLayoutEffect(() => { // with what the keys are for, not a frame later
    const group: KeyGroup = { title, keys: latest.current };
    groups.value = [...groups.peek(), group];
    const listen = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || isPress(event)) return;
      if (document.querySelector('dialog:modal')) return; // what is behind it is not meant
      const found = latest.current.find(({ key, when }) => key === event.key && (when?.(event) ?? true));
      if (!found) return;
      event.preventDefault();
      found.run(event);
    };
    addEventListener('keydown', listen);
    return () => {
      removeEventListener('keydown', listen);
      groups.value = groups.peek().filter((other) => other !== group);
    };
  }, []);
}
