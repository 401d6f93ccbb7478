// requests.js: what guests ask for, and what the host said.
import { question, told } from './dialog.js';
import { fill, h, keyed, say } from './dom.js';
import { icon } from './icons.js';
import { t, tt } from './texts.js';
import { tame } from './names.js';

/** What is asked for, as nodes. items: the playlist that ids refer to. */
export function wish(request, items) {
  const payload = request.payload ?? {};
  const item = items.find((one) => one.id === payload.item_id);
  const what = tame(payload.name) || tame(item?.name) || t('someTrack');
  const who = request.requester;
  const place = Number.isInteger(payload.new_position) ? payload.new_position + 1 : '?';
  if (request.request_type === 'add') return tt('wantsAdd', { who, what });
  if (request.request_type === 'remove') return tt('wantsRemove', { who, what });
  if (request.request_type === 'reorder') return tt('wantsMove', { who, what, n: place });
  return tt('wantsOther', { who });
}

export class Requests {
  #session;

  constructor(session) {
    this.#session = session;
    this.waiting = h('ul', { class: 'requests', 'aria-label': t('waitingRequests') });
    this.decided = h('ul', { class: 'requests', 'aria-label': t('decided') });
    this.decidedTitle = h('h2', {}, t('decided'));
    this.empty = h('div', { class: 'empty' }, icon('hand'), h('b', {}, t('noRequests')), h('p', {}));
    this.element = h('section', { 'aria-label': t('requests') },
      h('header', { class: 'row' }, h('h1', {}, t('requests'))), this.waiting, this.decidedTitle, this.decided, this.empty);
  }

  async #deny(request) {
    const reason = await question({
      title: t('denyTitle'), yes: t('deny'), danger: true, field: t('reason'),
      content: h('p', {}, wish(request, this.#session.items)),
    });
    if (reason !== null) told(this.#session.decide(request, false, reason));
  }

  #row(request) {
    const text = h('p', { class: 'wish' });
    const reason = h('p', { class: 'reason', dir: 'auto' });
    const state = h('span', { class: 'chip' });
    const approve = h('button', { class: 'strong', onclick: () => told(this.#session.decide(request, true)) }, t('approve'));
    const deny = h('button', { class: 'plain', onclick: () => this.#deny(request) }, t('deny'));
    const answers = h('div', { class: 'answers' }, deny, approve);
    const element = h('li', { class: 'card' }, h('div', { class: 'row' }, text, state), reason, answers);
    return {
      element,
      update: (next) => {
        const { isHost, isLive, items } = this.#session;
        const waits = next.status === 'pending';
        const busy = this.#session.isBusy(`request ${next.id}`);
        request = next;
        fill(text, wish(next, items));
        const known = ['pending', 'approved', 'denied'].includes(next.status);
        say(state, known ? t(next.status) : tame(next.status));
        state.dataset.state = known ? next.status : '';
        say(reason, next.reason ? tame(next.reason) : '');
        reason.hidden = !next.reason;
        answers.hidden = !isHost || !waits;
        approve.disabled = deny.disabled = !isLive || busy;
        element.classList.toggle('busy', busy);
      },
    };
  }

  update() {
    const all = [...this.#session.requests.values()];
    const waiting = all.filter((one) => one.status === 'pending');
    const decided = all.filter((one) => one.status !== 'pending').reverse();
    keyed(this.waiting, waiting, (one) => one.id, (one) => this.#row(one));
    keyed(this.decided, decided, (one) => one.id, (one) => this.#row(one));
    this.waiting.hidden = waiting.length === 0;
    this.decided.hidden = this.decidedTitle.hidden = decided.length === 0;
    this.empty.hidden = all.length > 0;
    say(this.empty.querySelector('p'), t(this.#session.isHost ? 'noRequestsHost' : 'noRequestsGuest'));
  }
}
