// playing.js: what is heard, and where in it we are.
import { Cover } from './cover.js';
import { told } from './dialog.js';
import { fill, h, say, set } from './dom.js';
import { icon } from './icons.js';
import { Here } from './here.js';
import { credits, hue, tame } from './names.js';
import { t, tt } from './texts.js';
import { clockText } from './timeline.js';

const REPEATS = ['off', 'all', 'one'];
const REPEAT_TEXTS = { off: 'repeatOff', all: 'repeatAll', one: 'repeatOne' };

function button(name, label, act) {
  return h('button', { class: `round ${name}`, 'aria-label': label, onclick: act }, icon(name.split(' ')[0]));
}

/** What stands for a track that brings no picture along: a colour of its own. */
function paint(cover, text) {
  cover.style.setProperty('--hue', String(hue(text)));
}

export class Playing {
  #session; #seeking = false; #shown = null;

  constructor(session, listener) {
    this.#session = session;
    this.here = new Here(listener);
    this.cover = h('div', { class: 'cover' }, icon('note'));
    this.picture = new Cover(this.cover);
    this.title = h('h1', { class: 'title', dir: 'auto' });
    this.by = h('p', { class: 'by', dir: 'auto' });
    this.place = h('p', { class: 'place' });
    this.following = h('p', { class: 'following' });
    this.at = h('span', { class: 'at' });
    this.length = h('span', { class: 'length' });
    this.bar = h('input', {
      type: 'range', class: 'bar', min: 0, max: 1, step: 1, value: 0, 'aria-label': t('seek'),
      oninput: () => this.#preview(), onchange: () => this.#seek(), onblur: () => { this.#seeking = false; },
    });
    this.toggle = button('play', t('play'), () => told(session.toggle()));
    this.previous = button('previous', t('previous'), () => told(session.skip(-1)));
    this.skip = button('next', t('next'), () => told(session.skip(1)));
    this.shuffle = button('shuffle small', t('shuffle'), () => told(session.change({ shuffle: !session.settings.shuffle })));
    this.once = h('b', { class: 'once', 'aria-hidden': 'true' }, '1');
    this.repeat = button('repeat small', '', () => told(session.change({ repeat: REPEATS[(REPEATS.indexOf(session.settings.repeat) + 1) % REPEATS.length] })));
    this.repeat.append(this.once);
    this.note = h('p', { class: 'hint' }, t('hostControls'));
    this.controls = h('div', { class: 'controls', role: 'group', 'aria-label': t('playback') }, this.shuffle, this.previous, this.toggle, this.skip, this.repeat);
    this.element = h('section', { class: 'playing', 'aria-label': t('playing') },
      this.cover, this.title, this.by, this.place,
      h('div', { class: 'progress' }, this.bar, h('div', { class: 'times' }, this.at, this.length)),
      this.controls, this.note, this.following, this.here.element);
  }

  #preview() {
    this.#seeking = true;
    this.#showPosition(Number(this.bar.value), Number(this.bar.max));
  }

  async #seek() {
    const to = Number(this.bar.value);
    await told(this.#session.seek(to));
    this.#seeking = false;
  }

  update() {
    const { current, items, playback, isHost, isLive, mayControl } = this.#session;
    const item = current?.item ?? null;
    if (this.#shown !== (item?.id ?? '')) {
      this.#shown = item?.id ?? '';
      paint(this.cover, item?.name ?? '');
    }
    this.picture.show(item, item ? t('coverOf', { name: item.name }) : '');
    this.cover.classList.toggle('sounding', Boolean(isLive && playback?.playing && item));
    say(this.title, item ? tame(item.name) : t(items.length ? 'nobody' : 'nothing'));
    this.title.classList.toggle('none', !item);
    say(this.by, credits(item));
    this.by.hidden = !this.by.textContent;
    const place = item ? t('place', { n: current.index + 1, all: items.length })
      : items.length ? '' : t(isHost ? 'nothingHost' : 'nothingGuest');
    say(this.place, item && playback && !playback.playing ? `${t('paused')} · ${place}` : place);
    fill(this.following, item ? this.#next() : '');
    this.#updateControls(item);
    this.#updateSettings(mayControl && isLive);
    this.tick();
  }

  #next() {
    const { item, again, chosen } = this.#session.next;
    return item ? tt('upNext', { name: item.name }) : t(again ? 'nextAgain' : chosen ? 'nextShuffled' : 'lastOne');
  }

  #updateSettings(may) {
    const { settings } = this.#session;
    const repeat = settings?.repeat ?? 'off';
    this.shuffle.disabled = this.repeat.disabled = !may || !settings;
    set(this.shuffle, { 'aria-pressed': String(settings?.shuffle ?? false) });
    set(this.repeat, { 'aria-label': t(REPEAT_TEXTS[repeat]), 'data-on': repeat === 'off' ? null : repeat });
    this.once.hidden = repeat !== 'one';
    for (const [element, what] of [[this.shuffle, 'shuffle'], [this.repeat, 'repeat']]) element.classList.toggle('busy', this.#session.isBusy(what));
  }

  #updateControls(item) {
    const session = this.#session;
    const may = session.mayControl && session.isLive;
    const playing = Boolean(session.playback?.playing);
    this.controls.hidden = !session.mayControl;
    this.note.hidden = session.mayControl || !item;
    this.toggle.disabled = !may || !item;
    this.previous.disabled = this.skip.disabled = !may || !item;
    this.bar.disabled = !may || !item || this.#session.position?.length === null;
    if (this.toggle.dataset.shows !== String(playing)) {
      this.toggle.dataset.shows = String(playing);
      fill(this.toggle, icon(playing ? 'pause' : 'play'));
      set(this.toggle, { 'aria-label': t(playing ? 'pause' : 'play') });
    }
    for (const [element, what] of [[this.toggle, 'toggle'], [this.previous, 'skip_prev'], [this.skip, 'skip_next'], [this.bar, 'seek']])
      element.classList.toggle('busy', session.isBusy(what));
  }

  #showPosition(ms, length) {
    const known = Number.isFinite(length) && length > 1;
    say(this.at, clockText(ms));
    say(this.length, known ? clockText(length) : '');
    this.bar.style.setProperty('--share', known ? `${(100 * ms) / length}%` : '0%');
    const spoken = t('seekText', { at: clockText(ms), length: known ? clockText(length) : '–' });
    if (this.bar.getAttribute('aria-valuetext') !== spoken) this.bar.setAttribute('aria-valuetext', spoken);
  }

  /** Many times a second while something plays. */
  tick() {
    this.here.tick();
    const position = this.#session.position;
    if (!position || !this.#session.current) {
      this.#showPosition(0, NaN);
      this.bar.value = '0';
      return;
    }
    if (this.#seeking || this.#session.isBusy('seek')) return;
    const most = String(Math.max(1, Math.round(position.length ?? 1)));
    if (this.bar.max !== most) this.bar.max = most;
    this.bar.step = '1000';
    this.bar.step = '1';
    this.bar.value = String(Math.round(position.ms));
    this.#showPosition(position.ms, position.length);
  }
}

/** A line at the foot of the other views on a phone. */
export class MiniPlayer {
  #session;

  constructor(session, open) {
    this.#session = session;
    this.name = h('span', { class: 'name', dir: 'auto' });
    this.line = h('i', { class: 'line' });
    this.toggle = h('button', { class: 'round small', onclick: () => told(session.toggle()) }, icon('play'));
    this.element = h('div', { class: 'mini' }, this.line,
      h('button', { class: 'open', onclick: open, 'aria-label': t('playing') }, icon('note'), this.name), this.toggle);
  }

  update() {
    const { current, playback, mayControl, isLive } = this.#session;
    const playing = Boolean(playback?.playing);
    this.element.hidden = !current;
    say(this.name, tame(current?.item.name ?? ''));
    this.toggle.hidden = !mayControl;
    this.toggle.disabled = !isLive;
    this.toggle.classList.toggle('busy', this.#session.isBusy('toggle'));
    if (this.toggle.dataset.shows !== String(playing)) {
      this.toggle.dataset.shows = String(playing);
      fill(this.toggle, icon(playing ? 'pause' : 'play'));
      set(this.toggle, { 'aria-label': t(playing ? 'pause' : 'play') });
    }
    this.tick();
  }

  tick() {
    const position = this.#session.position;
    const share = position?.length ? (100 * position.ms) / position.length : 0;
    this.line.style.setProperty('--share', `${share}%`);
  }
}
