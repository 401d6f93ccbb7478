// session.js: what is known of a session, and what is asked of it. Views read it, and hear of changes.
import { call } from './api.js';
import { Live } from './live.js';
import { currentIndex, following } from './order.js';
import { Speakers } from './speakers.js';
import { tame } from './names.js';
import { t } from './texts.js';
import { duration, positionAt, takePlayback } from './timeline.js';

const ANSWER_MS = 4000;
/** Nobody is told of speakers that ask to be let in: the host asks. */
const ASKERS_MS = 3000;
const REQUESTS_KEPT = 200;
/** A speaker has failed after 300 ms, or two seconds where it is to sound, and the hub says so. */
const COMMAND_MS = 3200;

/** Events: change; gone (the hub does not know this membership any more). */
export class Session extends EventTarget {
  playback = null;
  items = [];
  requests = new Map();
  /** { advance, repeat, shuffle, control, add }; null until the hub has told. */
  settings = null;
  code = null;
  isHost = false;
  /** When all of this was true for the last time; null: it is true now. */
  staleSince = null;
  speakers = new Speakers();
  /** Speakers that ask to be let in, as the hub lists them to a host. */
  askers = [];
  #timer = setInterval(() => this.#askAskers(), ASKERS_MS);
  #watches = false;
  #commands = [];
  #busy = new Map();
  #told = 0;
  #known = false;

  constructor(membership) {
    super();
    this.id = membership.id;
    this.token = membership.token;
    this.isHost = membership.role === 'host';
    this.code = membership.code ?? null;
    this.live = new Live(this.id, this.token);
    this.live.addEventListener('open', () => this.#watch());
    this.live.addEventListener('state', () => this.#turn());
    this.live.addEventListener('message', (event) => this.#take(event.detail));
    this.live.addEventListener('lost', () => this.#ask());
    this.#ask();
  }

  get isLive() {
    return this.live.live && this.playback !== null;
  }

  get current() {
    const index = this.playback ? currentIndex(this.items, this.playback) : -1;
    return index < 0 ? null : { index, item: this.items[index] };
  }

  /** Play, pause, skip, repeat, shuffle, and the rooms. */
  get mayControl() {
    return this.isHost || this.settings?.control === 'everyone';
  }

  /** What comes next: order.following(). */
  get next() {
    const { current } = this;
    return current ? following(this.items, current.index, this.settings) : {};
  }

  /** { ms, length } of what is heard now; length may be null. */
  get position() {
    if (!this.playback) return null;
    const length = duration(this.current?.item);
    const now = this.isLive ? this.live.now() : NaN;
    return { ms: positionAt(this.playback, now, length), length };
  }

  get pendingRequests() {
    return [...this.requests.values()].filter((request) => request.status === 'pending');
  }

  isBusy(what) {
    return this.#busy.has(what);
  }

  end() {
    clearInterval(this.#timer);
    this.live.end();
  }

  #changed() {
    this.dispatchEvent(new CustomEvent('change'));
  }

  #turn() {
    this.staleSince = this.live.live ? null : new Date();
    if (this.live.live) {
      this.#ask();
      this.#askAskers();
    }
    this.#changed();
  }

  /** Who am I here? A refused handshake does not say why; this does. */
  async #ask() {
    const told = ++this.#told;
    try {
      const glance = await call('GET', `/sessions/${this.id}`, { token: this.token });
      if (told !== this.#told) return;
      this.isHost = typeof glance.code === 'string';
      if (this.isHost) this.code = glance.code;
      else this.askers = [];
      this.#known = true;
      this.dispatchEvent(new CustomEvent('known'));
      this.#changed();
    } catch (refusal) {
      if ([401, 403, 404].includes(refusal.status)) this.dispatchEvent(new CustomEvent('gone'));
    }
  }

  // --- what is told -------------------------------------------------------------------------

  #take({ type, payload }) {
    if (type === 'playback_state') this.#takePlayback(payload);
    else if (type === 'playlist_update' && Array.isArray(payload.playlist)) this.items = payload.playlist;
    else if (type === 'request_update' && typeof payload.id === 'string') this.#takeRequest(payload);
    else if (type === 'speaker_update') {
      this.speakers.take(payload);
      return;
    } else if (type === 'session_settings') this.#takeSettings(payload);
    else if (type === 'error') this.#refuse(payload.detail);
    this.#changed();
  }

  #takePlayback(payload) {
    const playback = takePlayback(payload);
    if (!playback) return;
    this.playback = playback;
    const done = this.#commands.findIndex((command) => command.isDone(playback));
    if (done >= 0) this.#commands.splice(done, 1)[0].resolve();
  }

  #takeSettings({ advance, repeat, shuffle, control, add }) {
    if (typeof advance !== 'boolean' || typeof shuffle !== 'boolean' || !['off', 'one', 'all'].includes(repeat)) return;
    this.settings = {
      advance, repeat, shuffle, knowsWho: typeof control === 'string', control: control === 'everyone' ? control : 'host', add: ['host', 'everyone'].includes(add) ? add : 'requests',
    };
  }

  #takeRequest(request) {
    this.requests.delete(request.id);
    this.requests.set(request.id, request);
    for (const [id, { status }] of this.requests) {
      if (this.requests.size <= REQUESTS_KEPT) break;
      if (status !== 'pending') this.requests.delete(id);
    }
  }

  #refuse(detail) {
    this.#commands.shift()?.reject(new Error(typeof detail === 'string' ? detail : ''));
  }

  // --- speakers -----------------------------------------------------------------------------

  /** Whether to be told of the speakers: of each once a second, so only while somebody looks. */
  watch(watches) {
    if (watches === this.#watches) return;
    this.#watches = watches;
    if (watches) this.#watch();
    else this.live.send('subscribe', { speakers: false });
  }

  async #watch() {
    if (!this.#watches || !this.live.send('subscribe', { speakers: true })) return;
    try {
      const { speakers } = await call('GET', `/sessions/${this.id}/speakers`, { token: this.token });
      if (Array.isArray(speakers)) this.speakers.takeAll(speakers);
    } catch {
      // Each is told over the socket, too; only what was forgotten meanwhile stays until the next time.
    }
  }

  async #askAskers() {
    if (!this.isHost || !this.isLive || document.visibilityState !== 'visible') return;
    try {
      this.#takeAskers(await call('GET', `/sessions/${this.id}/pairing`, { token: this.token }));
    } catch {
      // asked again in some seconds
    }
  }

  #takeAskers(list) {
    const askers = (Array.isArray(list) ? list : []).filter((one) => typeof one?.id === 'string')
      .sort((a, b) => b.waiting_s - a.waiting_s || (a.id < b.id ? -1 : 1)); // nothing moves under a finger
    const same = askers.length === this.askers.length && askers.every((one, i) => one.id === this.askers[i].id && one.same_name === this.askers[i].same_name);
    this.askers = askers;
    if (!same) this.#changed();
  }

  async letIn(asker, allow) {
    try {
      return await this.#rest(`asker ${asker.id}`, 'POST', `/sessions/${this.id}/pairing/${asker.id}`, { allow });
    } finally {
      await this.#askAskers();
    }
  }

  async #changeSpeaker({ id }, method, body) {
    const answer = await this.#rest(`speaker ${id}`, method, `/sessions/${this.id}/speakers/${id}`, body);
    if (answer) this.speakers.take(answer);
    return answer;
  }

  /**
   * ids: of speakers, or 'all'; change: { volume } or { volume_by }, { muted }, { latency_ms }, { identify }, { clicks }. Done when each of them has said so; it is
   * refused with who did not, and why.
   */
  changeRooms(ids, change) {
    const what = `rooms ${ids === 'all' ? ids : ids.join(' ')} ${Object.keys(change)[0]}`;
    return this.#while(what, async () => {
      const { id, speakers } = await call('POST', `/sessions/${this.id}/speakers/command`, { token: this.token, body: { speakers: ids, ...change } });
      await this.#ended(id, speakers);
      const failed = this.speakers.ends(speakers, id).filter(({ command }) => command.status !== 'done');
      if (failed.length) throw new Error(failed.map(({ name, command }) => `${tame(name)}: ${tame(command.reason) || t('roomNoAnswer')}`).join('; '));
    });
  }

  /** Until no speaker has this command to do any more, as far as is told. */
  async #ended(id, speakers) {
    const end = performance.now() + COMMAND_MS;
    const isPending = () => this.speakers.ends(speakers, id).some(({ command }) => command.status === 'pending');
    do {
      await new Promise((resolve) => setTimeout(resolve, 80));
      const { speakers: now } = await call('GET', `/sessions/${this.id}/speakers/command/${id}`, { token: this.token });
      for (const one of now) this.speakers.take(one);
    } while (isPending() && performance.now() < end);
  }

  /** '': its own name again. */
  rename(speaker, name) {
    return this.#changeSpeaker(speaker, 'PATCH', { name });
  }

  forget(speaker) {
    return this.#changeSpeaker(speaker, 'DELETE');
  }

  // --- what is asked ------------------------------------------------------------------------

  /** Marks something as pending while it is under way. One thing is asked for once at a time. */
  async #while(what, work) {
    if (this.#busy.has(what)) return undefined;
    this.#busy.set(what, true);
    this.#changed();
    try {
      return await work();
    } finally {
      this.#busy.delete(what);
      this.#changed();
    }
  }

  #command(payload, isDone) {
    return new Promise((resolve, reject) => {
      const command = { isDone, resolve, reject };
      if (!this.live.send('playback_command', payload)) {
        reject(new Error(''));
        return;
      }
      this.#commands.push(command);
      setTimeout(() => {
        const index = this.#commands.indexOf(command);
        if (index < 0) return;
        this.#commands.splice(index, 1);
        this.live.renew();
        reject(new Error(''));
      }, ANSWER_MS);
    });
  }

  toggle() {
    const playing = !this.playback.playing;
    return this.#while('toggle', () => this.#command(
      { action: playing ? 'play' : 'pause', position_ms: Math.round(this.position.ms) },
      (state) => state.playing === playing));
  }

  skip(direction) {
    const action = direction > 0 ? 'skip_next' : 'skip_prev';
    // From here: where the track has just ended by itself, what has begun goes on.
    return this.#while(action, () => this.#command({ action, item_id: this.current?.item.id }, () => true));
  }

  seek(ms) {
    const position = Math.max(0, Math.round(ms));
    return this.#while('seek', () => this.#command({ action: 'seek', position_ms: position },
      (state) => Math.abs(state.position - position) < 2));
  }

  playItem(item) {
    return this.#while(`play ${item.id}`, () => this.#command(
      { action: 'play', item_id: item.id, track_id: item.track_id, position_ms: 0 },
      (state) => state.playing && (state.item ?? item.id) === item.id && state.track === item.track_id));
  }

  /** change: { repeat } or { shuffle }. The hub's answer is what it is then. */
  change(change) {
    return this.#while(Object.keys(change)[0], async () => {
      this.#takeSettings(await call('PATCH', `/sessions/${this.id}/settings`, { token: this.token, body: change }));
    });
  }

  #rest(what, method, path, body) {
    return this.#while(what, () => call(method, path, { token: this.token, body }));
  }

  move(item, to) {
    return this.#rest(`item ${item.id}`, 'PATCH', `/sessions/${this.id}/playlist/${item.id}`, { new_position: to });
  }

  remove(item) {
    return this.#rest(`item ${item.id}`, 'DELETE', `/sessions/${this.id}/playlist/${item.id}`);
  }

  /** Tracks of the house's library whose words begin so: { tracks, next, complete }. */
  search(words, after, limit) {
    return call('GET', `/library?${new URLSearchParams({ q: words, after, limit })}`, { token: this.token });
  }

  /** A track of the library: the item, or what was asked for. */
  add(track) {
    return this.#rest(`track ${track.id}`, 'POST', `/sessions/${this.id}/playlist`, { library: track.id });
  }

  decide(request, approve, reason) {
    return this.#rest(`request ${request.id}`, 'POST', `/requests/${request.id}/${approve ? 'approve' : 'deny'}`,
      reason ? { reason } : {});
  }
}
