// library.js: the tracks of the house, found as one types; a tap adds one, or asks for it.
import { Cover } from './cover.js';
import { news, told } from './dialog.js';
import { announce, h, keyed, say, set } from './dom.js';
import { icon } from './icons.js';
import { credits, tame } from './names.js';
import { t } from './texts.js';
import { clockText, duration } from './timeline.js';

/** Whoever types goes on within this; then it is looked for. */
const PAUSE_MS = 150;
/** The hub tells so many at a time; nobody looks through more than some pages of them. */
const PAGE = 30;
const MOST = 300;

export class Library {
  #session; #timer = 0; #asked = 0; #found = []; #next = null; #state = '';

  constructor(session) {
    this.#session = session;
    this.input = h('input', { type: 'search', id: 'library-words', maxlength: 200, autocomplete: 'off', dir: 'auto', enterkeyhint: 'search', placeholder: t('searchHint'), oninput: () => this.#typed() });
    this.state = h('p', { class: 'hint', role: 'status' });
    this.list = h('ul', { class: 'queue found', 'aria-label': t('found') });
    this.more = h('button', { class: 'plain', onclick: () => this.#search(this.#next) }, t('searchMore'));
    this.element = h('div', { class: 'library', role: 'search' }, h('label', { for: 'library-words' }, t('search')), this.input, this.state, this.list, this.more);
  }

  #typed() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(0), PAUSE_MS);
  }

  /** Only the latest question's answer counts, however long others take. */
  async #search(after) {
    const words = this.input.value.trim();
    const asked = ++this.#asked;
    if (!words) {
      this.#show([], null, '');
      return;
    }
    try {
      const { tracks, next, complete } = await this.#session.search(words, after, PAGE);
      if (asked !== this.#asked) return;
      const all = [...(after ? this.#found : []), ...tracks].slice(0, MOST);
      this.#show(all, all.length < MOST ? next : null, all.length ? '' : t(complete ? 'foundNothing' : 'foundNothingYet'));
    } catch (refusal) {
      if (asked === this.#asked) this.#show([], null, refusal.status ? t('refused', { why: refusal.message }) : t('unreachable'));
    }
  }

  #show(found, next, state) {
    this.#found = found;
    this.#next = next;
    this.#state = state;
    this.update();
  }

  async #add(track) {
    const answer = await told(this.#session.add(track));
    if (!answer) return;
    const text = answer.status === 'pending' ? t('asked') : t('added', { name: tame(track.title) });
    news(text);
    announce(text);
  }

  #row(track) {
    const title = tame(track.title);
    const length = duration(track);
    const cell = h('span', { class: 'cell' }, icon('add'));
    const picture = new Cover(cell);
    const add = h('button', { class: 'open', onclick: () => this.#add(track) }, cell,
      h('span', { class: 'name', dir: 'auto' }, title, h('small', {}, credits(track))), h('span', { class: 'time' }, length === null ? '' : clockText(length)));
    const element = h('li', {}, add);
    const update = (next) => {
      picture.show(next);
      const { isHost, isLive, settings } = this.#session;
      const adds = isHost || settings?.add === 'everyone';
      set(add, { 'aria-label': t(adds ? 'addThis' : 'askThis', { name: title }) });
      add.disabled = !isLive || (!adds && settings?.add === 'host');
      element.classList.toggle('busy', this.#session.isBusy(`track ${track.id}`));
    };
    return { element, update };
  }

  update() {
    this.input.disabled = !this.#session.isLive;
    say(this.state, this.#state);
    keyed(this.list, this.#found, (track) => track.id, (track) => this.#row(track));
    this.more.hidden = this.#next === null;
  }
}
