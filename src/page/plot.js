// plot.js: the errors of rooms over the last minutes, as lines with how exactly each is known.
import { SPAN_MS, paths, scaleOf, spanOf } from './errors.js';
import { s, set } from './dom.js';

const WIDTH = 600;

/** For the eyes: what it says is beside it in words. */
export class Plot {
  constructor(height, className) {
    this.height = height;
    this.zero = s('path', { class: 'zero', d: `M0 ${height / 2}H${WIDTH}` });
    this.lines = s('g', {});
    this.element = s('svg', { class: `plot ${className}`, viewBox: `0 0 ${WIDTH} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' }, this.zero, this.lines);
  }

  #group(index) {
    const parts = this.lines.children[index];
    if (parts) return parts;
    return this.lines.appendChild(s('g', {}, s('path', { class: 'band' }), s('path', { class: 'curve' }), s('path', { class: 'beyond' })));
  }

  /** rooms: { history, colour } each; now: the hub's time. What it shows: { most: up to which error, in µs; span: for how long, in ms }. */
  draw(rooms, now) {
    const all = rooms.map(({ history }) => history.runs(now - SPAN_MS));
    const most = scaleOf(all.flat());
    const span = spanOf(all.flat(), now);
    all.forEach((runs, i) => {
      const { line, band, beyond } = paths(runs, { from: now - span, to: now, most, width: WIDTH, height: this.height });
      const group = this.#group(i);
      set(group, { 'data-line': rooms[i].colour % 8, 'data-dash': Math.floor(rooms[i].colour / 8) % 3 });
      [band, line, beyond].forEach((d, part) => set(group.children[part], { d }));
    });
    while (this.lines.children.length > rooms.length) this.lines.lastElementChild.remove();
    return { most, span };
  }
}
