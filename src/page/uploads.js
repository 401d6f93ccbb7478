// uploads.js: files on their way to the hub, one after another; what did not arrive stays until somebody says so.
import { upload } from './api.js';
import { news } from './dialog.js';
import { fill, h, keyed, say } from './dom.js';
import { icon } from './icons.js';
import { clipBytes, trackName } from './names.js';
import { t } from './texts.js';

const NAME_BYTES = 250;

function newId() {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** state: waiting, sending, checking, failed, interrupted. */
export class Uploads extends EventTarget {
  list = [];
  #session; #running = null;

  constructor(session) {
    super();
    this.#session = session;
    addEventListener('beforeunload', this.#hold);
    session.addEventListener('change', this.#resume);
  }

  #hold = (event) => {
    if (this.list.some((one) => one.state !== 'failed')) event.preventDefault();
  };

  /** What was interrupted goes on when the hub is back: nobody has to look after it. */
  #resume = () => {
    if (!this.#session.isLive) return;
    let any = false;
    for (const one of this.list) {
      if (one.state !== 'interrupted') continue;
      one.state = 'waiting';
      any = true;
    }
    if (any) this.#next();
  };

  add(files) {
    for (const file of files) {
      const name = clipBytes(trackName(file.name), NAME_BYTES);
      this.list.push({ id: newId(), track: newId(), name, file, state: 'waiting', share: 0, why: '', stop: null });
    }
    this.#next();
  }

  retry(one) {
    one.state = 'waiting';
    this.#next();
  }

  drop(one) {
    this.list = this.list.filter((other) => other !== one);
    one.stop?.();
    this.#changed();
  }

  #changed() {
    this.dispatchEvent(new CustomEvent('change'));
  }

  #next() {
    this.#changed();
    if (this.#running) return;
    this.#running = this.list.find((one) => one.state === 'waiting') ?? null;
    if (this.#running) this.#send(this.#running);
  }

  async #send(one) {
    one.state = 'sending';
    one.share = 0;
    const { done, stop } = upload(this.#session.id, this.#session.token, one, (share) => {
      one.share = share;
      one.state = share < 1 ? 'sending' : 'checking';
      this.#changed();
    });
    one.stop = stop;
    this.#changed();
    try {
      const answer = await done;
      this.list = this.list.filter((other) => other !== one);
      news(answer.status === 'pending' ? t('asked') : t('added', { name: answer.name }));
    } catch (refusal) {
      this.#failed(one, refusal);
    }
    one.stop = null;
    this.#running = null;
    this.#next();
  }

  /** Where the answer was lost the track may have arrived all the same: its id tells. */
  #failed(one, { status, message }) {
    if (status === 0 && this.#session.items.some((item) => item.track_id === one.track)) this.drop(one);
    else if (status === 0) one.state = 'interrupted';
    else Object.assign(one, { state: 'failed', why: message });
  }
}

function row(uploads, one) {
  const state = h('span', { class: 'state', dir: 'auto' });
  const line = h('i', { class: 'line' });
  const again = h('button', { class: 'quiet', 'aria-label': t('again', { name: one.name }), onclick: () => uploads.retry(one) }, icon('again'));
  const stop = h('button', { class: 'quiet', 'aria-label': t('stop', { name: one.name }), onclick: () => uploads.drop(one) }, icon('close'));
  const element = h('li', { class: 'upload' }, h('span', { class: 'name', dir: 'auto' }, one.name), state, again, stop, line);
  const texts = {
    waiting: () => t('waiting'), sending: () => t('sending', { percent: Math.floor(100 * one.share) }), checking: () => t('checking'),
    interrupted: () => t('interrupted'), failed: () => t('failed', { why: one.why }),
  };
  return {
    element,
    update() {
      element.dataset.state = one.state;
      say(state, texts[one.state]());
      again.hidden = one.state !== 'failed' && one.state !== 'interrupted';
      line.style.setProperty('--share', `${100 * one.share}%`);
    },
  };
}

export class UploadList {
  constructor(uploads) {
    this.uploads = uploads;
    this.list = h('ul', { class: 'uploads', 'aria-label': t('uploads') });
    this.element = h('div', {});
    uploads.addEventListener('change', () => this.update());
  }

  update() {
    if (this.uploads.list.length === 0) fill(this.element);
    else if (!this.list.isConnected) fill(this.element, this.list);
    keyed(this.list, this.uploads.list, (one) => one.id, (one) => row(this.uploads, one));
  }
}
