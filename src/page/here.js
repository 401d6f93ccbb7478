// here.js: the switch that makes this browser a speaker, and how exactly it plays.
import { h, say, set } from './dom.js';
import { icon } from './icons.js';
import { t } from './texts.js';

const TEXTS = { loading: 'hereLoading', waiting: 'hereWaiting', blocked: 'hereBlocked', playing: 'hereJoining' };

/** 3.2 ms ahead ± 0.4 ms */
function driftText({ ms, within }) {
  const off = Math.abs(ms).toFixed(1);
  return t(ms < 0 ? 'behind' : 'ahead', { ms: off, within: within.toFixed(within < 10 ? 1 : 0) });
}

export class Here {
  constructor(listener) {
    this.listener = listener;
    this.label = h('span', {});
    this.button = h('button', { class: 'plain here', 'aria-pressed': 'false', onclick: () => this.#toggle() }, icon('speaker'), this.label);
    this.state = h('p', { class: 'hint' });
    this.volume = h('input', {
      type: 'range', class: 'bar', min: 0, max: 100, step: 1, value: Math.round(100 * listener.volume), 'aria-label': t('volumeHere'),
      oninput: () => this.#setVolume(),
    });
    this.element = h('div', { class: 'listen' }, this.button, this.volume, this.state);
    this.#setVolume();
    listener.addEventListener('change', () => this.update());
    this.update();
  }

  #toggle() {
    if (this.listener.isOn) this.listener.stop();
    else this.listener.start();
  }

  #setVolume() {
    const share = Number(this.volume.value) / 100;
    this.volume.style.setProperty('--share', `${100 * share}%`);
    this.volume.setAttribute('aria-valuetext', `${this.volume.value} %`);
    if (share !== this.listener.volume) this.listener.volume = share;
  }

  update() {
    const { isOn } = this.listener;
    set(this.button, { 'aria-pressed': String(isOn) });
    say(this.label, t(isOn ? 'hereOn' : 'here'));
    this.volume.hidden = this.state.hidden = !isOn;
    this.tick();
  }

  tick() {
    const { isOn, state, why, drift } = this.listener;
    if (!isOn) return;
    this.element.dataset.state = state;
    if (drift) this.element.dataset.drift = drift.ms.toFixed(2);
    if (state === 'failed') say(this.state, t('hereFailed', { why: why === 'elsewhere' ? t('hereElsewhere') : why === 'mp3' ? t('hereNoMp3') : why }));
    else say(this.state, drift ? driftText(drift) : t(TEXTS[state]));
  }
}

/** For what loudspeakers, headphones and their radios take, which no browser knows. */
export function latencySetting(listener) {
  const shown = h('output', { id: 'latency' });
  const show = () => say(shown, `${listener.latency} ms`);
  const step = (by, label) => h('button', { class: 'plain', 'aria-label': label, onclick: () => { listener.latency += by; show(); } }, by < 0 ? '−' : '+');
  show();
  return h('div', { class: 'setting', role: 'group', 'aria-label': t('latency') }, h('span', {}, t('latency')),
    h('div', { class: 'steps' }, step(-5, t('earlier')), shown, step(5, t('later'))));
}
