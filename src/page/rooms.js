// rooms.js: the rooms: which speakers are there, how it is with them, and how exactly they play together.
import { question, told } from './dialog.js';
import { h, keyed, say, set } from './dom.js';
import { Joining } from './joining.js';
import { icon } from './icons.js';
import { AllLoudness, Loudness } from './loudness.js';
import { tame } from './names.js';
import { Plot } from './plot.js';
import { standing } from './speakers.js';
import { t } from './texts.js';

/** Lines in one plot that eyes can still follow; with more rooms it is those farthest off. */
const LINES = 16;
const PLOT_HEIGHT = 200;
const LINE_HEIGHT = 40;
const DRAW_MS = 1000;
const DAY_MS = 86400000;

const DEVICES = {
  idle: 'deviceIdle', loading: 'deviceLoading', armed: 'deviceArmed', playing: 'devicePlaying', paused: 'devicePaused', ended: 'deviceEnded',
  recovering: 'deviceRecovering', failed: 'deviceFailed',
};

/** 8 µs, 1.2 ms */
function amount(us) {
  const size = Math.abs(us);
  return size < 1000 ? `${size.toFixed(0)} µs` : `${(size / 1000).toFixed(size < 10000 ? 2 : 0)} ms`;
}

function errorText({ error, within }) {
  const off = Math.abs(error) < 0.5 ? t('roomExact') : t(error < 0 ? 'roomBehind' : 'roomAhead', { off: amount(error) });
  return within === null ? off : `${off} ${t('roomWithin', { within: amount(within) })}`;
}

/** A time of day, with its day if that is another. */
function moment(ms, now) {
  if (!Number.isFinite(ms)) return '?';
  const format = now - ms > DAY_MS ? { dateStyle: 'short', timeStyle: 'short' } : { timeStyle: 'short' };
  return new Date(ms).toLocaleString(document.documentElement.lang, format);
}

const seconds = (ms) => Math.max(0, Math.round(ms / 1000));

/** What can be said of how exactly it plays. */
function exactText(speaker, now) {
  const state = standing(speaker, now);
  if (state === 'known') return errorText(speaker);
  if (state === 'lost') return t('roomLost', { n: seconds(now - speaker.seen) });
  return state === 'quiet' ? t('roomQuiet') : '';
}

function stateText(speaker, now) {
  const state = standing(speaker, now);
  if (state === 'away') return t('roomAway');
  if (state === 'unheard') return t('roomUnheard', { n: seconds(now - speaker.seen) });
  return speaker.device in DEVICES ? t(DEVICES[speaker.device]) : tame(speaker.device) || t('roomThere');
}

function loudText({ volume, muted }) {
  if (muted) return t('roomMuted');
  return volume === null ? '' : t('roomVolume', { percent: Math.round(volume) });
}

/** One speaker of the list. */
class Room {
  constructor(session) {
    this.session = session;
    this.name = h('h2', { class: 'name', dir: 'auto' });
    this.state = h('span', { class: 'chip' });
    this.exact = h('p', { class: 'exact' });
    this.plot = new Plot(LINE_HEIGHT, 'small');
    this.wrong = h('p', { class: 'wrong', dir: 'auto' });
    this.facts = h('p', { class: 'hint facts' });
    this.loudness = new Loudness(session);
    this.rename = h('button', { class: 'quiet', onclick: () => this.#rename() }, t('rename'));
    this.forget = h('button', { class: 'quiet', onclick: () => this.#forget() }, t('forget'));
    this.answers = h('div', { class: 'answers' }, this.rename, this.forget);
    this.element = h('li', { class: 'card room' },
      h('div', { class: 'row' }, h('i', { class: 'swatch' }), this.name, this.state), this.exact, this.plot.element, this.wrong, this.facts, this.loudness.element, this.answers);
  }

  async #rename() {
    const { speaker } = this;
    const name = await question({
      title: t('renameTitle', { name: speaker.name }), yes: t('rename'), field: t('roomName'), value: tame(speaker.name),
      content: h('p', { class: 'hint' }, t('renameHint')),
    });
    if (name !== null) told(this.session.rename(speaker, name));
  }

  async #forget() {
    const { speaker } = this;
    const sure = await question({ title: t('forgetRoom', { name: speaker.name }), yes: t('forget'), danger: true, content: h('p', {}, t('forgetRoomHint')) });
    if (sure) told(this.session.forget(speaker));
  }

  update({ speaker, colour, now }) {
    const { isHost, isLive, mayControl } = this.session;
    const state = standing(speaker, now);
    this.speaker = speaker;
    set(this.element, { 'data-standing': state, 'data-line': colour % 8 });
    const name = tame(speaker.name) || t('roomNameless');
    if (this.name.textContent !== name) {
      say(this.name, name);
      set(this.rename, { 'aria-label': t('renameThis', { name }) });
      set(this.forget, { 'aria-label': t('forgetThis', { name }) });
    }
    say(this.state, stateText(speaker, now));
    this.state.dataset.state = state === 'away' || speaker.device === 'failed' ? 'denied' : state === 'unheard' || state === 'lost' ? 'pending' : '';
    say(this.exact, exactText(speaker, now));
    say(this.wrong, speaker.deviceError ? t('roomDevice', { why: tame(speaker.deviceError) }) : '');
    say(this.facts, this.#facts(speaker, now));
    this.loudness.update(speaker);
    this.answers.hidden = !mayControl;
    this.forget.hidden = !isHost || speaker.connected;
    this.rename.disabled = this.forget.disabled = !isLive || this.session.isBusy(`speaker ${speaker.id}`);
    this.element.classList.toggle('busy', this.session.isBusy(`speaker ${speaker.id}`));
  }

  #facts(speaker, now) {
    const since = t(speaker.connected ? 'roomSince' : 'roomAwaySince', { time: moment(speaker.since, now) });
    const latency = speaker.latency === null ? '' : t('roomLatency', { ms: speaker.latency.toFixed(1) });
    const version = speaker.version ? `tuttid ${tame(speaker.version)}` : '';
    return [loudText(speaker), since, speaker.isHost ? t('host') : '', latency, version].filter(Boolean).join(' · ');
  }

  /** Where there are many rooms only the plot of all is drawn. */
  draw(room, now, drawn) {
    this.plot.element.toggleAttribute('hidden', !drawn);
    if (drawn) this.plot.draw([room], now);
  }
}

/** All rooms in one plot. */
class Together {
  constructor() {
    this.plot = new Plot(PLOT_HEIGHT, 'large');
    this.most = h('span', {});
    this.least = h('span', {});
    this.time = h('span', {});
    this.spoken = h('p', { class: 'unseen' });
    this.few = h('p', { class: 'hint' }, t('plotFew', { n: LINES }));
    this.element = h('figure', { class: 'card together' },
      h('figcaption', {}, h('h2', {}, t('plotTitle'))),
      h('div', { class: 'axis' }, this.most), this.plot.element, h('div', { class: 'axis' }, this.least, this.time),
      this.spoken, this.few, h('p', { class: 'hint' }, t('plotHint')));
  }

  draw(rooms, now) {
    const some = farthest(rooms, now);
    const { most, span } = this.plot.draw(some, now);
    this.few.hidden = rooms.length <= LINES;
    say(this.time, span > 60000 ? t('plotTime', { n: span / 60000 }) : t('plotMinute'));
    say(this.most, t('plotAhead', { off: amount(most) }));
    say(this.least, t('plotBehind', { off: amount(most) }));
    const known = some.filter(({ speaker }) => standing(speaker, now) === 'known');
    say(this.spoken, known.map(({ speaker }) => `${tame(speaker.name)}: ${errorText(speaker)}`).join('; ') || t('plotNothing'));
  }
}

function farthest(rooms, now) {
  if (rooms.length <= LINES) return rooms;
  const off = ({ speaker }) => (standing(speaker, now) === 'known' ? Math.abs(speaker.error) : -1);
  return [...rooms].sort((a, b) => off(b) - off(a)).slice(0, LINES);
}

export class Rooms {
  #session; #news = -1; #drawn = -Infinity; #offset = 0;

  constructor(session) {
    this.#session = session;
    this.sum = h('p', { class: 'hint' });
    this.joining = new Joining(session);
    this.together = new Together();
    this.all = new AllLoudness(session);
    this.list = h('ul', { class: 'rooms', 'aria-label': t('rooms') });
    this.empty = h('div', { class: 'empty' }, icon('speaker'), h('b', {}, t('noRooms')), h('p', {}, t('noRoomsHint')));
    this.element = h('section', { 'aria-label': t('rooms') },
      h('header', { class: 'row' }, h('h1', {}, t('rooms')), this.sum), this.joining.element, this.together.element, this.all.element, this.list, this.empty);
  }

  /** The hub's time, also while it cannot be asked. */
  get #now() {
    const now = this.#session.live.now();
    if (Number.isFinite(now)) this.#offset = now - performance.now();
    return performance.now() + this.#offset;
  }

  /** The session changed. */
  update() {
    this.#news = -1;
    this.joining.update();
    this.tick();
  }

  /** Some times a second, while it is looked at. */
  tick() {
    const { speakers } = this.#session;
    if (!this.element.offsetParent) return;
    const isDue = performance.now() - this.#drawn >= DRAW_MS;
    if (speakers.news === this.#news && !isDue) return;
    const now = this.#now;
    const rooms = speakers.list;
    this.#news = speakers.news;
    const connected = rooms.filter(({ speaker }) => speaker.connected).length;
    say(this.sum, rooms.length ? t('roomsConnected', { n: connected, all: rooms.length }) : '');
    this.empty.hidden = rooms.length > 0;
    this.together.element.hidden = rooms.length === 0;
    this.all.update(rooms);
    keyed(this.list, rooms.map((room) => ({ ...room, now })), ({ speaker }) => speaker.id, () => new Room(this.#session));
    if (isDue) this.#draw(rooms, now);
  }

  #draw(rooms, now) {
    this.#drawn = performance.now();
    this.together.draw(rooms, now);
    for (const room of rooms) this.list.rows.get(room.speaker.id).draw(room, now, rooms.length <= LINES);
  }
}
