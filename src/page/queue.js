// queue.js: what is played next, in what order; and how music comes to it.
import { Cover } from './cover.js';
import { news, question, told } from './dialog.js';
import { announce, fill, h, keyed, say, set } from './dom.js';
import { draggable } from './drag.js';
import { icon } from './icons.js';
import { Library } from './library.js';
import { credits, tame } from './names.js';
import { moved } from './order.js';
import { t } from './texts.js';
import { clockText, duration } from './timeline.js';
import { UploadList } from './uploads.js';

export class Queue {
  #session; #order = null;

  constructor(session, uploads) {
    this.#session = session;
    this.input = h('input', {
      type: 'file', accept: 'audio/*,video/mp4,.mp3,.mp4,.m4a,.flac,.ogg,.oga,.opus,.wav,.aif,.aiff', multiple: true, hidden: true, id: 'files',
      onchange: () => { uploads.add(this.input.files); this.input.value = ''; },
    });
    this.add = h('button', { class: 'strong add', onclick: () => this.input.click() }, icon('upload'), h('span', {}, t('addMusic')));
    this.sum = h('p', { class: 'hint' });
    this.uploads = new UploadList(uploads);
    this.library = new Library(session);
    this.list = h('ol', { class: 'queue', 'aria-label': t('queue') });
    this.empty = h('div', { class: 'empty' }, icon('list'), h('p', {}));
    this.element = h('section', { 'aria-label': t('queue') },
      h('header', { class: 'row' }, h('h1', {}, t('queue')), this.sum), this.input, this.add,
      h('p', { class: 'hint drop-hint' }, t('addHint')), this.library.element, this.uploads.element, this.list, this.empty);
    this.#takeDrops(uploads);
  }

  #takeDrops(uploads) {
    const hasFiles = (event) => event.dataTransfer?.types.includes('Files');
    document.body.dataset.drop = t('drop');
    const over = (on) => document.body.classList.toggle('dropping', on);
    addEventListener('dragover', (event) => { if (hasFiles(event)) { event.preventDefault(); over(true); } });
    addEventListener('dragleave', (event) => { if (!event.relatedTarget) over(false); });
    addEventListener('drop', (event) => {
      over(false);
      if (!hasFiles(event) || !this.element.isConnected) return;
      event.preventDefault();
      uploads.add(event.dataTransfer.files);
    });
  }

  /** The order that was asked for, until the hub says how it is. */
  get #items() {
    return this.#order ?? this.#session.items;
  }

  async #move(from, to) {
    const items = this.#items;
    const item = items[from];
    if (!item || !this.#session.isLive || this.#session.isBusy(`item ${item.id}`)) return;
    if (this.#session.isHost) this.#order = moved(items, from, to);
    this.update();
    const answer = await told(this.#session.move(item, to));
    this.#order = null;
    this.update();
    if (!answer) return;
    if (answer.status === 'pending') news(t('asked'));
    else announce(t('movedTo', { name: item.name, n: to + 1 }));
  }

  async #remove(item) {
    const host = this.#session.isHost;
    const sure = await question({
      title: t(host ? 'removeTitle' : 'askRemoveTitle'), danger: host, yes: t(host ? 'remove' : 'ask'),
      content: [h('p', { class: 'name', dir: 'auto' }, tame(item.name)), h('p', { class: 'hint' }, t(host ? 'removeHint' : 'askHint'))],
    });
    if (!sure) return;
    const answer = await told(this.#session.remove(item));
    if (answer?.status === 'pending') news(t('asked'));
  }

  #row(first) {
    let item = first;
    let index = 0;
    const number = h('span', { class: 'number', 'aria-hidden': 'true' });
    const cell = h('span', { class: 'cell' }, number);
    const picture = new Cover(cell);
    const name = h('span', { class: 'name', dir: 'auto' });
    const by = h('span', { class: 'by', dir: 'auto' });
    const time = h('span', { class: 'time' });
    const play = h('button', { class: 'open', onclick: () => told(this.#session.playItem(item)) }, cell, h('span', { class: 'what' }, name, by), time);
    const drop = h('button', { class: 'quiet', onclick: () => this.#remove(item) }, icon('close'));
    const grip = h('button', { class: 'quiet grip' }, icon('grip'));
    const element = h('li', {}, play, drop, grip);
    draggable(grip, element, () => index, (from, to) => this.#move(from, to));
    const update = (next, place) => {
      const { mayControl, isLive, current, playback } = this.#session;
      item = next;
      index = place;
      const now = current?.item.id === item.id;
      const shown = tame(item.name);
      element.classList.toggle('now', now);
      element.classList.toggle('sounding', now && isLive && playback.playing);
      set(element, { 'aria-current': now ? 'true' : null });
      say(number, String(place + 1));
      picture.show(item);
      if (name.textContent !== shown) {
        say(name, shown);
        set(drop, { 'aria-label': t('removeThis', { name: shown }) });
        set(grip, { 'aria-label': t('moveThis', { name: shown }) });
      }
      say(by, credits(item));
      by.hidden = !by.textContent;
      const length = duration(item);
      say(time, length === null ? '' : clockText(length));
      set(play, { 'aria-label': mayControl ? t('playThis', { name: shown }) : null });
      play.disabled = !mayControl || !isLive;
      drop.disabled = grip.disabled = !isLive;
      const busy = this.#session.isBusy(`item ${item.id}`) || this.#session.isBusy(`play ${item.id}`);
      element.classList.toggle('busy', busy);
    };
    return { element, update };
  }

  update() {
    const { isHost, isLive, items, settings } = this.#session;
    const adds = isHost || settings?.add === 'everyone';
    const total = items.reduce((sum, item) => sum + (duration(item) ?? 0), 0);
    say(this.sum, items.length === 0 ? '' : t(items.length === 1 ? 'oneTrack' : 'tracks', { n: items.length, time: clockText(total) }));
    say(this.add.querySelector('span'), t(adds ? 'addMusic' : 'askMusic'));
    this.add.disabled = !isLive;
    this.add.hidden = !adds && settings?.add === 'host';
    this.empty.hidden = items.length > 0;
    fill(this.empty.querySelector('p'), t(adds ? 'nothingHost' : 'nothingGuest'));
    keyed(this.list, this.#items, (item) => item.id, (item) => this.#row(item));
    this.uploads.update();
    this.library.update();
  }
}
