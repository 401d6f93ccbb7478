// loudness.js: how loud rooms are and how late they sound, changed from here; and the sounds to find and to step them by.
import { told } from './dialog.js';
import { fill, h, say, set } from './dom.js';
import { tame } from './names.js';
import { mayChange } from './speakers.js';
import { t } from './texts.js';

const STEP = 5;

/** A volume's slider: what is wanted while it is moved and under way, else what the speaker said. */
class Slider {
  #held = false;

  constructor(change) {
    this.input = h('input', {
      type: 'range', class: 'bar', min: 0, max: 100, step: 1,
      oninput: () => { this.#held = true; this.#show(); },
      onchange: async () => { this.#held = true; await change(Number(this.input.value)); this.#held = false; this.update(this.volume, this.input.disabled, false); },
    });
  }

  #show() {
    this.input.style.setProperty('--share', `${this.input.value}%`);
    set(this.input, { 'aria-valuetext': `${this.input.value} %` });
  }

  update(volume, disabled, busy) {
    this.volume = volume;
    this.input.disabled = disabled;
    this.input.classList.toggle('busy', busy);
    if (!this.#held && volume !== null) this.input.value = String(Math.round(volume));
    this.#show();
  }
}

const button = (text, label, act) => h('button', { class: 'plain', 'aria-label': label, onclick: act }, text);

/** Of one room. */
export class Loudness {
  constructor(session) {
    this.session = session;
    this.slider = new Slider((volume) => this.#change({ volume }));
    this.mute = h('button', { class: 'plain mute', onclick: () => this.#change({ muted: !this.speaker.muted }) }, t('mute'));
    this.latency = h('output', {});
    this.steps = h('div', { class: 'steps latency', role: 'group' },
      this.#step(-1), this.#step(-0.1), this.latency, this.#step(0.1), this.#step(1));
    this.identify = h('button', { class: 'plain', onclick: () => this.#change({ identify: true }) }, t('identify'));
    this.clicks = h('button', { class: 'plain', onclick: () => this.#change({ clicks: !this.speaker.clicks }) }, t('clicks'));
    this.sounds = h('div', { class: 'answers' }, this.identify, this.clicks);
    this.none = h('p', { class: 'hint' }, t('roomFixed'));
    this.element = h('div', { class: 'loudness' }, h('div', { class: 'row' }, this.slider.input, this.mute), this.steps, this.sounds, this.none);
  }

  #step(by) {
    const label = t(by < 0 ? 'msLess' : 'msMore', { ms: Math.abs(by) });
    return button(`${by < 0 ? '−' : '+'}${Math.abs(by)}`, label, () => this.#change({ latency_ms: Math.round(10 * (this.speaker.latency + by)) / 10 }));
  }

  #change(change) {
    return told(this.session.changeRooms([this.speaker.id], change));
  }

  update(speaker) {
    const { session } = this;
    const may = mayChange(speaker);
    const busy = (what) => session.isBusy(`rooms ${speaker.id} ${what}`);
    const disabled = !session.isLive || !session.mayControl;
    if (this.speaker?.name !== speaker.name) {
      const name = tame(speaker.name);
      set(this.slider.input, { 'aria-label': t('volumeOf', { name }) });
      set(this.mute, { 'aria-label': t('muteOf', { name }) });
      set(this.steps, { 'aria-label': t('latencyOf', { name }) });
      set(this.identify, { 'aria-label': t('identifyThis', { name }) });
      set(this.clicks, { 'aria-label': t('clicksOf', { name }) });
    }
    this.speaker = speaker;
    this.element.hidden = !session.mayControl || !session.settings?.knowsWho || !speaker.connected;
    this.none.hidden = may.mute;
    this.slider.input.hidden = !may.volume;
    this.mute.hidden = !may.mute;
    this.steps.hidden = !may.latency || speaker.latency === null;
    this.slider.update(speaker.volume, disabled || busy('volume'), busy('volume'));
    set(this.mute, { 'aria-pressed': String(speaker.muted) });
    this.mute.disabled = disabled || busy('muted');
    this.mute.classList.toggle('waits', busy('muted'));
    this.sounds.hidden = !may.sound;
    set(this.clicks, { 'aria-pressed': String(speaker.clicks) });
    for (const [one, what] of [[this.identify, 'identify'], [this.clicks, 'clicks']]) {
      one.disabled = disabled || busy(what);
      one.classList.toggle('waits', busy(what));
    }
    say(this.latency, speaker.latency === null ? '' : `${speaker.latency.toFixed(1)} ms`);
    this.latency.classList.toggle('waits', busy('latency_ms'));
    for (const one of this.steps.querySelectorAll('button')) one.disabled = disabled || busy('latency_ms');
  }
}

/** Of all rooms at once: their proportions stay. */
export class AllLoudness {
  constructor(session) {
    this.session = session;
    const change = (what) => told(session.changeRooms('all', what));
    this.buttons = [
      button(`−${STEP} %`, t('allSofter'), () => change({ volume_by: -STEP })), button(`+${STEP} %`, t('allLouder'), () => change({ volume_by: STEP })),
      button(t('muteAll'), null, () => change({ muted: true })), button(t('unmuteAll'), null, () => change({ muted: false })),
      button(t('clickAll'), null, () => change({ clicks: true })), button(t('silenceAll'), null, () => change({ clicks: false })),
    ];
    this.element = h('div', { class: 'card all' }, h('h2', {}, t('allRooms')), h('div', { class: 'answers', role: 'group', 'aria-label': t('allRooms') }));
    fill(this.element.lastElementChild, this.buttons);
  }

  update(rooms) {
    const { session } = this;
    const busy = ['volume_by', 'muted', 'clicks'].some((what) => session.isBusy(`rooms all ${what}`));
    this.element.hidden = !session.mayControl || !session.settings?.knowsWho || rooms.filter(({ speaker }) => mayChange(speaker).mute).length < 2;
    for (const one of this.buttons) {
      one.disabled = !session.isLive || busy;
      one.classList.toggle('waits', busy);
    }
  }
}
