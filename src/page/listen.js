// listen.js: this browser as a speaker. It follows the session as the others do.
import { OutputClock, steer, trackTime } from './follow.js';
import { preference, prefer } from './keys.js';
import { readMp3, slice } from './mp3.js';

const TICK_MS = 200;
/** So much is planned in advance: a page in the background is called once a second, if that. */
const AHEAD_S = 3;
const SHORT_S = 1.5;
const LONG_S = 5;
/** Segments are short until the output's clock is known well. */
const SETTLED_S = 15;
const FADE_S = 0.006;
const JOIN_S = 0.25;
const FILES_KEPT = 2;

/** Events: change. state: off, loading, playing, waiting (nothing plays), blocked (the browser wants a tap), failed. */
export class Listener extends EventTarget {
  state = 'off';
  why = '';
  #session; #context = null; #clock = null; #timer = 0; #segments = []; #files = new Map(); #key = ''; #planning = false; #master = null; #opened = 0;

  constructor(session) {
    super();
    this.#session = session;
    session.addEventListener('change', () => { if (this.isOn) this.#tick(); });
  }

  get isOn() {
    return this.state !== 'off';
  }

  /** By how many milliseconds the sound is to leave earlier: what loudspeaker or headphones take. */
  get latency() {
    const kept = Number(preference('latency', '0'));
    return Number.isFinite(kept) ? Math.max(-1000, Math.min(1000, kept)) : 0;
  }

  set latency(ms) {
    prefer('latency', String(Math.round(10 * ms) / 10));
    this.#become(this.state);
  }

  get volume() {
    const kept = Number(preference('volume', '1'));
    return kept >= 0 && kept <= 1 ? kept : 1;
  }

  set volume(share) {
    prefer('volume', String(share));
    // The ear's loudness, as tuttid has it: half way is 18 dB less.
    if (this.#master) this.#master.gain.setTargetAtTime(share ** 3, this.#context.currentTime, 0.02);
  }

  /** From a tap: browsers let no page sound by itself. */
  start() {
    if (this.isOn) return;
    this.#become('loading');
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.#open(44100);
    this.#tick();
  }

  stop() {
    clearInterval(this.#timer);
    this.#cut();
    this.#context?.close();
    this.#context = null;
    this.#files.clear();
    this.#become('off');
  }

  #become(state, why = '') {
    this.state = state;
    this.why = why;
    this.dispatchEvent(new CustomEvent('change'));
  }

  /** A device that is nobody else's is to be closed before it is opened again. */
  async #reopen(rate) {
    const old = this.#context;
    this.#cut();
    this.#context = null;
    await old.close();
    if (this.isOn && !this.#context) this.#open(rate);
  }

  #open(rate) {
    this.#context = new AudioContext({ latencyHint: 'playback', sampleRate: rate });
    this.#master = this.#context.createGain();
    this.#master.gain.value = this.volume ** 3;
    this.#master.connect(this.#context.destination);
    this.#clock = new OutputClock();
    this.#opened = performance.now();

  }

  /** One that was opened just now begins by itself; asked again meanwhile, some browsers open the device twice. */
  #wake() {
    if (performance.now() - this.#opened < 1000) return;
    if (this.state !== 'blocked') this.#become('blocked');
    this.#context.resume().catch(() => {});
  }

  #look() {
    const { contextTime, performanceTime } = this.#context.getOutputTimestamp?.() ?? {};
    if (contextTime > 0) this.#clock.add(contextTime, performanceTime);
    else if (contextTime === undefined) this.#clock.add(this.#context.currentTime - (this.#context.outputLatency || this.#context.baseLatency || 0), performance.now());
  }

  /** When this place of the track is to sound, in the context's time. */
  #contextWhen(seconds) {
    const { playback, live } = this.#session;
    const server = playback.stamp + 1000 * seconds - playback.position;
    return this.#clock.contextAt(live.localAt(server) - this.latency);
  }

  /** { ms: heard less wanted, within } or null. */
  get drift() {
    if (this.state !== 'playing' || !this.#clock.isKnown) return null;
    const now = performance.now();
    const context = this.#clock.contextAt(now);
    const heard = trackTime(this.#segments, context);
    if (heard === null) return null;
    return { ms: 1000 * (context - this.#contextWhen(heard)), within: this.#session.live.clock.uncertainty(now), position: 1000 * heard };
  }

  // --- files --------------------------------------------------------------------------------

  async #load(item) {
    const address = new URL(item.media_url, location.origin);
    if (address.origin !== location.origin) throw new Error('elsewhere');
    const answer = await fetch(address, { credentials: 'omit', referrerPolicy: 'no-referrer' });
    if (!answer.ok) throw new Error(`HTTP ${answer.status}`);
    const buffer = await answer.arrayBuffer();
    const mp3 = readMp3(new Uint8Array(buffer));
    if (!mp3) throw new Error('mp3');
    return { buffer, mp3 };
  }

  /** The file if it is here; it is fetched if not. */
  #file(item) {
    let file = this.#files.get(item.media_url);
    if (!file) {
      file = { ready: null, error: null };
      this.#files.set(item.media_url, file);
      this.#load(item).then((ready) => { file.ready = ready; }, (error) => { file.error = error; }).finally(() => this.isOn && this.#tick());
      while (this.#files.size > FILES_KEPT) this.#files.delete(this.#files.keys().next().value);
    }
    return file;
  }

  // --- sound --------------------------------------------------------------------------------

  #cut() {
    const now = this.#context?.currentTime ?? 0;
    for (const { source, gain } of this.#segments) {
      if (!source) continue;
      gain.gain.cancelScheduledValues(now);
      gain.gain.setTargetAtTime(0, now, 0.005);
      source.stop(now + 0.05);
    }
    this.#segments = [];
    this.#key = '';
  }

  #tick() {
    if (!this.#context) return;
    if (this.#context.state !== 'running') {
      this.#wake();
      return;
    }
    this.#look();
    const { current, playback, isLive } = this.#session;
    // Without the hub the music goes on by what was true: so do all speakers.
    if (!playback?.playing || !current) {
      this.#cut();
      if (this.state !== 'waiting') this.#become('waiting');
      return;
    }
    if (!isLive && this.#segments.length === 0) return;
    const file = this.#file(current.item);
    if (file.error) {
      this.#cut();
      if (this.state !== 'failed') this.#become('failed', file.error.message);
    } else if (file.ready) {
      this.#play(file.ready, `${current.item.id} ${playback.stamp} ${playback.position}`);
    }
    this.#fetchNext();
  }

  #fetchNext() {
    const { next: { item: next }, position } = this.#session;
    if (next && position.length !== null && position.length - position.ms < 30000) this.#file(next);
  }

  #play(file, key) {
    if (this.#context.sampleRate !== file.mp3.rate) {
      this.#reopen(file.mp3.rate);
      return;
    }
    if (key !== this.#key) {
      this.#cut();
      this.#key = key;
    }
    if (this.#clock.isKnown && !this.#planning && Number.isFinite(this.#session.live.now())) this.#plan(file, key);
  }

  /** One segment after another until there is enough. */
  async #plan(file, key) {
    this.#planning = true;
    try {
      while (this.#key === key && this.#needsMore()) {
        const next = this.#next(file);
        const buffer = next && await this.#decode(file, next);
        if (!buffer || this.#key !== key) break;
        this.#schedule(next, buffer);
      }
    } catch (error) {
      this.#become('failed', error.message);
    }
    this.#planning = false;
  }

  #needsMore() {
    const last = this.#segments.at(-1);
    return !last || last.begin + last.seconds / last.rate < this.#context.currentTime + AHEAD_S;
  }

  #next(file) {
    const seconds = this.#clock.seconds < SETTLED_S ? SHORT_S : LONG_S;
    const last = this.#segments.at(-1);
    const now = this.#context.currentTime;
    if (last) {
      const begin = last.begin + last.seconds / last.rate;
      const from = last.from + last.seconds;
      const steered = begin > now && steer(begin, this.#contextWhen(from), seconds, this.#clock.drift);
      if (steered) return { from, begin, seconds, rate: steered.rate };
      this.#cutKeepingKey();
    }
    // Joined where it is to be heard some moments from now, at a whole sample.
    const begin = Math.ceil((now + JOIN_S) * file.mp3.rate) / file.mp3.rate;
    const ahead = begin - this.#contextWhen(0);
    if (ahead < 0) return { from: 0, begin: begin - ahead, seconds, rate: 1 };
    return { from: ahead, begin, seconds, rate: 1 };
  }

  #cutKeepingKey() {
    const key = this.#key;
    this.#cut();
    this.#key = key;
  }

  /** A piece of the track, with a little more at its end to fade into the next. */
  async #decode({ buffer, mp3 }, { from, seconds }) {
    const first = Math.floor(from * mp3.rate);
    const part = slice(mp3, first, first + Math.ceil((seconds + 2 * FADE_S) * mp3.rate));
    if (!part) return null;
    const decoded = await this.#context.decodeAudioData(buffer.slice(part.begin, part.end));
    return { decoded, offset: part.lead / mp3.rate + (from - first / mp3.rate) };
  }

  #schedule(next, { decoded, offset }) {
    const context = this.#context;
    if (next.begin < context.currentTime) return; // decoding took too long: the next tick joins anew
    const length = next.seconds / next.rate;
    const source = new AudioBufferSourceNode(context, { buffer: decoded, playbackRate: next.rate });
    const gain = new GainNode(context, { gain: 0 });
    source.connect(gain).connect(this.#master);
    gain.gain.setValueAtTime(0, next.begin);
    gain.gain.linearRampToValueAtTime(1, next.begin + FADE_S);
    gain.gain.setValueAtTime(1, next.begin + length);
    gain.gain.linearRampToValueAtTime(0, next.begin + length + FADE_S);
    source.start(next.begin, offset, next.seconds + 2 * FADE_S);
    this.#segments.push({ ...next, source, gain });
    if (this.#segments.length > 6) this.#segments.shift();
    if (this.state !== 'playing') this.#become('playing');
  }
}
