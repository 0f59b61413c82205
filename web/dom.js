// Elements from data. Whatever comes from the server becomes text, never markup.

// h('p', {class: 'x', onclick: f}, 'text', child, ...): null and false children are left out.
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}

// Writes only what differs: a node that stays the same costs no layout.
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

export function setBar(element, percent) {
  const width = `${Math.max(0, Math.min(100, percent)).toFixed(2)}%`;
  if (element.style.width !== width) element.style.width = width;
  element.hidden = percent < 0.05;
}
