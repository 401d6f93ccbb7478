// speakers.js: the rooms' speakers, as the hub tells of them, and how exactly each has played. Pure.
import { GAP_MS, History } from './errors.js';
import { parseStamp } from './timeline.js';

const KEPT = 1000;
/** Who plays nothing says so every ten seconds. */
export const UNHEARD_MS = 15000;

const text = (value) => (typeof value === 'string' ? value : '');
const number = (value, scale = 1) => (Number.isFinite(value) ? value * scale : null);

/** The last that it was told: { id, status, reason }, or null. */
function takeCommand(command) {
  return typeof command?.id === 'string' ? { id: command.id, status: text(command.status), reason: text(command.reason) } : null;
}

/** What others may change of it: a speaker that does not say knows of no such thing. */
export function mayChange({ connected, remote, volume, clicks }) {
  const loud = connected && (remote === 'all' || remote === 'volume');
  return { volume: loud && volume !== null, mute: loud, latency: connected && remote === 'all', sound: loud && clicks !== null };
}

/** A speaker as it was told; null: it makes no sense. What it did not say is null, or ''. Times in ms since 1970, errors in µs. */
export function takeSpeaker(payload) {
  if (typeof payload.device_id !== 'string' || typeof payload.connected !== 'boolean') return null;
  return {
    id: payload.device_id, name: text(payload.name), ownName: text(payload.own_name), isHost: payload.role === 'host', connected: payload.connected,
    since: parseStamp(payload.since), seen: parseStamp(payload.seen_at), version: text(payload.version),
    volume: number(payload.volume), muted: payload.muted === true, latency: number(payload.latency_ms),
    device: text(payload.device), deviceError: text(payload.device_error),
    remote: text(payload.remote), clicks: typeof payload.clicks === 'boolean' ? payload.clicks : null, command: takeCommand(payload.command),
    error: number(payload.drift_ms, 1000), within: number(payload.clock_uncertainty_ms, 1000),
  };
}

/**
 * What can be said of it now: away, unheard (no word for long), known (its error), lost (it plays, but was not heard of just now) or quiet.
 * now: the hub's time.
 */
export function standing(speaker, now) {
  if (!speaker.connected) return 'away';
  const age = now - speaker.seen;
  if (!(age <= UNHEARD_MS)) return 'unheard';
  if (speaker.error === null) return 'quiet';
  return age <= GAP_MS ? 'known' : 'lost';
}

export class Speakers {
  /** Another number each time there is news. */
  news = 0;
  #rooms = new Map();
  #colours = 0;

  /** { speaker, history, colour: a small number that stays its own } of each, by name. */
  get list() {
    return [...this.#rooms.values()].sort((a, b) => a.speaker.name.localeCompare(b.speaker.name) || (a.speaker.id < b.speaker.id ? -1 : 1));
  }

  take(payload) {
    if (payload.removed === true) this.#rooms.delete(payload.device_id);
    else this.#keep(takeSpeaker(payload));
    this.news++;
  }

  #keep(speaker) {
    if (!speaker) return;
    const room = this.#rooms.get(speaker.id) ?? { history: new History(), colour: this.#colours++ };
    if (!this.#rooms.has(speaker.id) && this.#rooms.size >= KEPT) return;
    room.speaker = speaker;
    room.history.add({ at: speaker.seen, error: speaker.connected ? speaker.error : null, within: speaker.within });
    this.#rooms.set(speaker.id, room);
  }

  /** Of those with these ids: how the command ended, or is going on, there. What came after it took its place: then it is over. */
  ends(ids, command) {
    return ids.map((id) => this.#rooms.get(id)?.speaker).filter((speaker) => speaker?.command?.id === command);
  }

  /** All of them, as the hub lists them: others were forgotten meanwhile. */
  takeAll(payloads) {
    const ids = new Set(payloads.map((one) => one?.device_id));
    for (const id of this.#rooms.keys()) if (!ids.has(id)) this.#rooms.delete(id);
    for (const one of payloads) if (one && !this.#rooms.has(one.device_id)) this.#keep(takeSpeaker(one));
    this.news++;
  }
}
