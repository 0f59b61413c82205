// `?`: the list of keys.
import { useRef } from 'preact/hooks';

import { groups, useKeys, type KeyGroup } from '../keys.ts';

const NAMES: Record<string, string> = { ArrowLeft: '←', ArrowRight: '→', ArrowUp: '↑', ArrowDown: '↓', ' ': 'Space', Escape: 'Esc' };

/** Groups of the same title as one. */
function merged(): KeyGroup[] {
  const titles = [...new Set(groups.value.map(({ title }) => title))];
  return titles.map((title) => ({ title, keys: groups.value.filter((group) => group.title === title).flatMap(({ keys }) => keys) }));
}

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  useKeys('Everywhere', [{ key: '?', title: 'Show the keys', run: () => dialog.current?.showModal() }]);
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title">
      <header>
        <h2 id="help-title">Keys</h2>
        <button type="button" onClick={() => dialog.current?.close()}>Close</button>
      </header>
      <div class="key-groups">
        {merged().map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.keys.map(({ key, title }) => <div key={key}><dt><kbd>{NAMES[key] ?? key}</kbd></dt><dd>{title}</dd></div>)}
            </dl>
          </section>
        ))}
      </div>
    </dialog>
  );
}
