// follow.js: how a browser's sound follows the session. Pure: clocks are parameters.
//
// The track is played in segments that follow one another without a gap. Each is played a little faster or slower than the
// last so that at its end the error is gone; only what is too far off is cut and joined anew.

const WINDOW_MS = 20000;
/** What is true now is the middle of the last moments. */
const RECENT_MS = 3000;
const RECENT_POINTS = 5;
/** Browsers say odd things while a device starts. */
const STEADY_S = 0.002;
const PATIENCE_MS = 4000;
/** Crystals are that good; more is a step: the device ran dry. */
const DRIFT_MOST = 3e-4;
const STEP_S = 0.001;
/** Beyond this the playbook seeks. */
export const SEEK_S = 0.2;
/** Up to an error (seconds): the rate it is corrected with. What nobody hears as an error is nothing to hurry for. */
const RATES_MOST = [[0.002, 2e-4], [0.02, 5e-3], [Infinity, 1e-2]];
/** Smaller corrections are left alone: a rate of exactly 1 copies samples. */
const RATE_LEAST = 4e-6;

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Which moment of the audio context is heard when, by what the browser says of it; medians, for some of that is odd. */
export class OutputClock {
  #points = [];
  #began = NaN;
  /** The device's clock against ours: positive, it is fast. */
  drift = 0;

  /** contextTime in seconds is heard at local time in milliseconds. */
  add(contextTime, at) {
    const last = this.#points.at(-1);
    if (!Number.isFinite(contextTime) || !Number.isFinite(at) || (last && at <= last.at)) return;
    if (!last) this.#began = at;
    this.#points.push({ offset: contextTime - at / 1000, at });
    while (at - this.#points[0].at > WINDOW_MS) this.#points.shift();
    this.#findDrift(at);
  }

  #between(from, to) {
    const part = this.#points.filter(({ at }) => at >= from && at <= to);
    return part.length < RECENT_POINTS ? null : { offset: median(part.map(({ offset }) => offset)), at: median(part.map(({ at }) => at)) };
  }

  #recent() {
    const last = this.#points.at(-1).at;
    const part = this.#points.filter(({ at }, i) => at >= last - RECENT_MS || i >= this.#points.length - RECENT_POINTS);
    return { offsets: part.map(({ offset }) => offset), at: median(part.map(({ at }) => at)) };
  }

  /** By three parts of the window, which have to lie on one line. */
  #findDrift(now) {
    const first = this.#points[0].at;
    const third = (now - first) / 3;
    if (third < WINDOW_MS / 6) return;
    const [a, b, c] = [0, 1, 2].map((i) => this.#between(first + i * third, first + (i + 1) * third));
    if (!a || !b || !c) return;
    const drift = ((c.offset - a.offset) * 1000) / (c.at - a.at);
    const bend = b.offset - a.offset - (drift * (b.at - a.at)) / 1000;
    if (Math.abs(drift) <= DRIFT_MOST && Math.abs(bend) <= STEP_S) this.drift = drift;
    else this.#points = this.#points.filter(({ at }) => at >= now - RECENT_MS);
  }

  get isKnown() {
    if (this.#points.length < RECENT_POINTS) return false;
    const last = this.#points.slice(-RECENT_POINTS).map(({ offset }) => offset);
    return Math.max(...last) - Math.min(...last) < STEADY_S || this.#points.at(-1).at - this.#began > PATIENCE_MS;
  }

  /** For how long it has been looked at. */
  get seconds() {
    return this.#points.length ? (this.#points.at(-1).at - this.#began) / 1000 : 0;
  }

  contextAt(at) {
    const recent = this.#recent();
    return at / 1000 + median(recent.offsets) + ((at - recent.at) / 1000) * this.drift;
  }
}

/**
 * The next segment. begin: the context time at which it has to begin, for there is no gap; wanted: at which its first sample
 * is to be heard; seconds: its length; drift: the device's.
 * { rate }, or null: too far off, join anew.
 */
export function steer(begin, wanted, seconds, drift) {
  const late = begin - wanted;
  if (Math.abs(late) > SEEK_S) return null;
  const [, most] = RATES_MOST.find(([error]) => Math.abs(late) <= error);
  const correction = Math.max(-most, Math.min(most, late / seconds));
  // A device that is fast plays more of its seconds in one of ours: each has less of the track.
  const rate = 1 - drift + correction;
  return { rate: Math.abs(rate - 1) < RATE_LEAST ? 1 : rate };
}

/** Where in the track a context time is, by the segments that were planned; null: none sounds then. */
export function trackTime(segments, context) {
  for (let i = segments.length - 1; i >= 0; i--) {
    const one = segments[i];
    if (context >= one.begin) return context < one.begin + one.seconds / one.rate + 0.05 ? one.from + (context - one.begin) * one.rate : null;
  }
  return null;
}
