// live.js: the one WebSocket. It is live when the hub has answered within some seconds, and comes back by itself.
import { ServerClock } from './clock.js';
import { parseStamp } from './timeline.js';

const BEAT_MS = 3000;
/** Without an answer for so long nothing that is shown can be vouched for. */
const SILENCE_MS = 5000;
const BURST = 8;
const BURST_MS = 120;
const WAIT_LEAST_MS = 500;
const WAIT_MOST_MS = 8000;

/** Events: open (a fresh socket), state (live or not), message ({ type, payload }). */
export class Live extends EventTarget {
  live = false;
  clock = new ServerClock();
  #url; #token; #socket = null; #timer = 0; #beat = 0; #wait = WAIT_LEAST_MS; #ended = false;
  #echoes = new Map(); #sequence = 0; #heard = 0;

  constructor(session, token) {
    super();
    this.#url = `${location.protocol === 'https:' ? 'wss' : 'ws'}://${location.host}/ws/sessions/${session}`;
    this.#token = token;
    addEventListener('online', this.#hurry);
    addEventListener('offline', this.#lost);
    document.addEventListener('visibilitychange', this.#look);
    this.#open();
  }

  #open() {
    this.#heard = performance.now();
    // A protocol beside the hub's own carries the token: an address would stand in logs.
    const socket = new WebSocket(this.#url, ['tutti-hub', `token.${this.#token}`]);
    this.#socket = socket;
    socket.onopen = () => this.#opened();
    socket.onmessage = (event) => this.#take(event.data);
    socket.onclose = () => { if (socket === this.#socket) this.#lost(); };
    clearInterval(this.#beat);
    this.#beat = setInterval(() => this.#tick(), BEAT_MS);
  }

  #opened() {
    this.#echoes.clear();
    this.clock.forget();
    this.dispatchEvent(new CustomEvent('open'));
    for (let i = 0; i < BURST; i++) setTimeout(() => this.#ask(), i * BURST_MS);
  }

  #ask() {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const sequence = ++this.#sequence;
    this.#echoes.set(sequence, performance.now());
    if (this.#echoes.size > 32) this.#echoes.delete(this.#echoes.keys().next().value);
    this.send('sync_ack', { client_time: new Date().toISOString(), sequence });
  }

  #tick() {
    if (performance.now() - this.#heard > SILENCE_MS) this.#lost();
    else this.#ask();
  }

  /** A phone that was in a pocket: ask at once, and trust the answer only. */
  #look = () => {
    if (document.visibilityState !== 'visible' || this.#ended) return;
    if (this.#socket) this.#tick();
    else this.#hurry();
  };

  #hurry = () => {
    if (this.#ended || this.#socket) return;
    clearTimeout(this.#timer);
    this.#open();
  };

  #lost = () => {
    const socket = this.#socket;
    this.#socket = null;
    clearInterval(this.#beat);
    socket?.close();
    this.#become(false);
    if (this.#ended) return;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#open(), this.#wait * (0.75 + Math.random() / 2));
    this.#wait = Math.min(2 * this.#wait, WAIT_MOST_MS);
    this.dispatchEvent(new CustomEvent('lost'));
  };

  #become(live) {
    if (live === this.live) return;
    this.live = live;
    if (live) this.#wait = WAIT_LEAST_MS;
    this.dispatchEvent(new CustomEvent('state'));
  }

  #take(text) {
    let message;
    try {
      message = JSON.parse(text);
    } catch {
      return;
    }
    const { type, payload } = message ?? {};
    if (typeof type !== 'string' || payload === null || typeof payload !== 'object') return;
    this.#heard = performance.now();
    if (type === 'sync_ack') this.#echo(payload);
    else this.dispatchEvent(new CustomEvent('message', { detail: { type, payload } }));
  }

  #echo(payload) {
    const sent = this.#echoes.get(payload.sequence);
    if (sent === undefined) return;
    this.#echoes.delete(payload.sequence);
    this.clock.add({
      sent, received: performance.now(),
      serverReceived: parseStamp(payload.server_received_at), serverSent: parseStamp(payload.server_sent_at),
    });
    this.#become(true);
  }

  /** The server's time in milliseconds. */
  now() {
    return this.clock.at(performance.now());
  }

  /** The local time, as performance.now() has it, at a time of the server. */
  localAt(server) {
    const now = performance.now();
    return now + server - this.clock.at(now);
  }

  send(type, payload) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify({ type, payload }));
    return true;
  }

  /** What was sent had no answer: look again on a fresh socket. */
  renew() {
    if (this.#socket) this.#lost();
  }

  end() {
    this.#ended = true;
    clearTimeout(this.#timer);
    removeEventListener('online', this.#hurry);
    removeEventListener('offline', this.#lost);
    document.removeEventListener('visibilitychange', this.#look);
    this.#lost();
  }
}
