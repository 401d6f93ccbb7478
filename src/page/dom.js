// dom.js: elements without markup. What others wrote only ever becomes a text node.

/**
 * An element. Properties: on… listeners, class, data-…, aria-… and other attributes; true is an empty attribute, and
 * null, undefined or false none. Children: nodes, texts, arrays of them; null is nothing.
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  set(element, properties);
  append(element, children);
  return element;
}

/** The same of an SVG. */
export function s(tag, properties = {}, ...children) {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  set(element, properties);
  append(element, children);
  return element;
}

export function set(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === null || value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? '' : String(value));
  }
}

function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child);
  }
}

export function fill(element, ...children) {
  element.replaceChildren();
  append(element, children);
}

/** Sets a text only when it differs, so that screen readers and selections are left alone. */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes a list's children those of items, by key: what stays keeps its element, and with it the focus.
 * row(item) gives { element, update(item, index) }.
 */
export function keyed(list, items, key, row) {
  const rows = list.rows ?? new Map();
  const next = new Map();
  items.forEach((item, index) => {
    const name = key(item);
    const one = rows.get(name) ?? row(item);
    next.set(name, one);
    one.update(item, index);
    if (list.children[index] !== one.element) list.insertBefore(one.element, list.children[index] ?? null);
  });
  while (list.children.length > next.size) list.lastElementChild.remove();
  list.rows = next;
}

/** For screen readers, also where nothing of it is seen. */
export function announce(text) {
  document.getElementById('said').textContent = text;
}
