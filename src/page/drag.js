// drag.js: a row of a list by its grip: with a finger, a mouse, or the arrow keys.
import { placeOf } from './order.js';

/** The row's index is asked for when it matters: lists change. move(from, to). */
export function draggable(grip, row, index, move) {
  grip.addEventListener('keydown', (event) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const to = index() + step;
    if (!step || to < 0 || to >= row.parentElement.children.length) return;
    event.preventDefault();
    move(index(), to);
  });
  grip.addEventListener('pointerdown', (event) => {
    if (event.button === 0) begin(event, grip, row, index, move);
  });
}

function begin(event, grip, row, index, move) {
  const list = row.parentElement;
  const from = index();
  const middles = [...list.children].map((one) => one.offsetTop + one.offsetHeight / 2);
  const start = event.pageY;
  let to = from;
  event.preventDefault();
  grip.setPointerCapture(event.pointerId);
  row.classList.add('dragged');

  const show = (by) => {
    row.style.transform = `translateY(${by}px)`;
    [...list.children].forEach((one, i) => {
      if (one === row) return;
      const aside = i > from && i <= to ? -row.offsetHeight : i < from && i >= to ? row.offsetHeight : 0;
      one.style.transform = aside ? `translateY(${aside}px)` : '';
    });
  };
  const follow = (e) => {
    const by = e.pageY - start;
    to = placeOf(middles, from, by);
    const edge = e.clientY < 80 ? -12 : e.clientY > innerHeight - 120 ? 12 : 0;
    if (edge) scrollBy(0, edge);
    show(by);
  };
  const end = (e) => {
    for (const one of list.children) one.style.transform = '';
    row.classList.remove('dragged');
    grip.removeEventListener('pointermove', follow);
    grip.removeEventListener('pointerup', end);
    grip.removeEventListener('pointercancel', end);
    if (e.type === 'pointerup' && to !== from) move(from, to);
  };
  grip.addEventListener('pointermove', follow);
  grip.addEventListener('pointerup', end);
  grip.addEventListener('pointercancel', end);
}
