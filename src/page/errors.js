// errors.js: how far off a room was over the last minutes, and how that is drawn. Pure. Times are the hub's, in milliseconds;
// errors in microseconds, positive: ahead.

const MINUTE_MS = 60000;
export const SPAN_MS = 300000;
/** Who plays says so each second: more than this without a word is a gap, and nothing is known of it. */
export const GAP_MS = 3500;
const KEPT = 400;
const LEAST_US = 50;
/** Of what is seen at least this share is on the scale; the rest is marked at its edge. */
const ON_SCALE = 0.95;

/** What one room said: { at, error, within }; error null: it was silent; within null: it does not know. */
export class History {
  #points = [];

  add(point) {
    const last = this.#points.at(-1);
    if (!Number.isFinite(point.at) || (last && point.at <= last.at)) return;
    this.#points.push(point);
    if (this.#points.length > KEPT) this.#points.shift();
  }

  /** What is known since from, as runs of points without a gap. */
  runs(from) {
    const runs = [];
    let last = null;
    for (const point of this.#points) {
      if (point.at < from) continue;
      if (point.error === null) last = null;
      else {
        if (last === null || point.at - last.at > GAP_MS) runs.push([]);
        runs.at(-1).push(point);
        last = point;
      }
    }
    return runs;
  }
}

/** How much of the time until now there is something to show of, in whole minutes, as ms. */
export function spanOf(runs, now) {
  const first = Math.min(now, ...runs.flat().map(({ at }) => at));
  return Math.max(1, Math.min(SPAN_MS / MINUTE_MS, Math.ceil((now - first) / MINUTE_MS))) * MINUTE_MS;
}

/** 1, 2 or 5 times a power of ten, not less than number. */
function round(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return power * [1, 2, 5, 10].find((one) => one * power >= number * (1 - 1e-9));
}

/** Up to which error, ahead and behind, the scale of these runs goes. */
export function scaleOf(runs) {
  const sizes = runs.flat().map(({ error, within }) => Math.abs(error) + (within ?? 0)).sort((a, b) => a - b);
  return round(Math.max(LEAST_US, sizes[Math.ceil(ON_SCALE * sizes.length) - 1] ?? 0));
}

const short = (number) => String(Math.round(10 * number) / 10);

/**
 * Runs as paths of an SVG: { line, band: how exactly it is known, beyond: marks of what is off the scale }.
 * box: { from, to (times), most (the scale), width, height }.
 */
export function paths(runs, { from, to, most, width, height }) {
  const x = ({ at }) => short(((at - from) / (to - from)) * width);
  const y = (error) => short((1 - Math.max(-1, Math.min(1, error / most))) * (height / 2));
  const line = runs.map((run) => `M${run.map((one) => `${x(one)} ${y(one.error)}`).join('L')}${run.length === 1 ? 'h.1' : ''}`).join('');
  const band = runs.map((run) => run.filter(({ within }) => within !== null)).filter((run) => run.length > 1)
    .map((run) => `M${[...run.map((one) => `${x(one)} ${y(one.error + one.within)}`), ...[...run].reverse().map((one) => `${x(one)} ${y(one.error - one.within)}`)].join('L')}z`).join('');
  const beyond = runs.flat().filter(({ error }) => Math.abs(error) > most)
    .map((one) => (one.error > 0 ? `M${x(one)} 0l-3 6h6z` : `M${x(one)} ${height}l-3 -6h6z`)).join('');
  return { line, band, beyond };
}
