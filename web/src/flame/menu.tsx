// What can be done with a frame, where the pointer is.
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

import { copyName, focusFunction, focusStack, hasSource, hideFunction, isFunction, labelOf, nameOf, openSource, sandwich, showSource, sourceOf, zoomTo, type Frame } from './actions.ts';
import { knownOf } from './graph.ts';

interface Item {
  title: string;
  key: string;
  run: () => void;
  disabled?: boolean;
}

function itemsOf(frame: Frame): Item[] {
  const zoom = { title: knownOf(frame.graph, frame.node).folded ? 'Show these' : 'Zoom', key: 'Enter', run: () => zoomTo(frame) };
  if (!isFunction(frame)) return [zoom];
  return [
    zoom,
    { title: hasSource() ? 'Close the source' : 'Show the source', key: 's', run: () => showSource(!hasSource()) },
    { title: 'Open the source alone', key: 'o', run: () => openSource(frame), disabled: !sourceOf(frame) },
    { title: 'Callers and callees', key: 'c', run: () => sandwich(nameOf(frame)) },
    { title: 'Count only stacks with this function', key: 'f', run: () => focusFunction(frame) },
    { title: 'Count only this path', key: 'F', run: () => focusStack(frame) },
    { title: 'Count no stacks with this function', key: 'h', run: () => hideFunction(frame) },
    { title: 'Copy the name', key: 'y', run: () => copyName(frame) },
  ];
}

export function Menu({ frame, x, y, close }: { frame: Frame; x: number; y: number; close: () => void }) {
  const list = useRef<HTMLDivElement>(null);
  const before = useRef(document.activeElement);
  const end = () => {
    close();
    if (before.current instanceof HTMLElement) before.current.focus({ preventScroll: true });
  };
  useLayoutEffect(() => {
    const box = list.current!;
    box.style.left = `${Math.max(4, Math.min(x, innerWidth - box.offsetWidth - 8))}px`;
    box.style.top = `${Math.max(4, Math.min(y, innerHeight - box.offsetHeight - 8))}px`;
    box.querySelector<HTMLElement>('button:not(:disabled)')?.focus();
  }, []);
  useEffect(() => {
    const outside = (event: Event) => { if (!list.current?.contains(event.target as Node)) close(); };
    addEventListener('pointerdown', outside);
    addEventListener('blur', close);
    return () => {
      removeEventListener('pointerdown', outside);
      removeEventListener('blur', close);
    };
  }, []);
  const onKey = (event: KeyboardEvent) => {
    const buttons = [...list.current!.querySelectorAll<HTMLButtonElement>('button:not(:disabled)')];
    const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
    const goTo = (index: number) => buttons[(index + buttons.length) % buttons.length]?.focus();
    switch (event.key) {
      case 'ArrowDown': goTo(at + 1); break;
      case 'ArrowUp': goTo(at - 1); break;
      case 'Home': goTo(0); break;
      case 'End': goTo(-1); break;
      case 'Escape': case 'Tab': end(); break;
      case 'Enter': case ' ': return; // the button's own
      default: // a key of the view: it does what the menu says beside it
        if (event.key.length === 1) end();
        return;
    }
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div ref={list} class="flame-menu" role="menu" aria-label={labelOf(frame).slice(0, 200)} onKeyDown={onKey} onContextMenu={(event) => event.preventDefault()}>
      <p class="flame-name" role="presentation"><bdi>{labelOf(frame)}</bdi></p>
      {itemsOf(frame).map(({ title, key, run, disabled }) => (
        <button key={title} type="button" role="menuitem" tabIndex={-1} disabled={disabled} onClick={() => { end(); run(); }}>
          <span>{title}</span><kbd aria-hidden="true">{key}</kbd>
        </button>
      ))}
    </div>
  );
}
