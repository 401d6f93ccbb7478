// more.js: the session's invitation, other sessions, and how this page looks.
import { news, question, told } from './dialog.js';
import { fill, h, say } from './dom.js';
import { latencySetting } from './here.js';
import { qr } from './qr.js';
import { icon } from './icons.js';
import { forget, memberships, preference, prefer } from './keys.js';
import { LANGUAGES, language, t } from './texts.js';

function applyTheme() {
  document.documentElement.dataset.theme = preference('theme');
}
applyTheme();

async function copy(text) {
  // Without TLS browsers have no clipboard for pages: then it can be copied by hand.
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text);
    news(t('copied'));
    return;
  }
  const field = h('input', { class: 'link', readonly: true, value: text, 'aria-label': t('copyThis'), onfocus: () => field.select() });
  await question({ title: t('copyThis'), yes: t('close'), content: field });
}

function choice(name, label, options, chosen, change) {
  return h('div', { class: 'setting' }, h('label', { for: name }, label),
    h('select', { id: name, onchange: (event) => change(event.target.value) },
      Object.entries(options).map(([value, text]) => h('option', { value, selected: value === chosen }, text))));
}

export class More {
  #session; #enter; #listed = ''; #invited = '';

  /** leave(): to the entry; enter(membership): to another session. */
  constructor(session, listener, { leave, enter }) {
    this.#session = session;
    this.code = h('p', { class: 'invite-code', dir: 'ltr' });
    this.picture = h('div', {});
    this.address = h('p', { class: 'address', dir: 'ltr' });
    this.invite = h('div', {}, this.code, h('p', { class: 'hint' }, t('inviteHint')), this.picture, this.address,
      h('div', { class: 'answers' },
        navigator.share && h('button', { class: 'plain', onclick: () => navigator.share({ url: this.#link() }).catch(() => {}) }, icon('share'), t('share')),
        h('button', { class: 'strong', onclick: () => copy(this.#link()) }, icon('copy'), t('copyLink'))));
    this.noInvite = h('p', { class: 'hint' }, t('inviteGuest'));
    this.clock = h('span', {});
    this.who = this.#whoMay();
    this.sessions = h('div', { class: 'choices' });
    this.#enter = enter;
    this.element = h('section', { 'aria-label': t('more') },
      h('header', { class: 'row' }, h('h1', {}, t('more'))),
      h('div', { class: 'card' }, h('h2', {}, t('invite')), this.invite, this.noInvite),
      this.who,
      h('div', { class: 'card' }, h('h2', {}, t('sessions')), this.sessions,
        h('div', { class: 'answers' },
          h('button', { class: 'plain', onclick: () => this.#forget(leave) }, t('leave')),
          h('button', { class: 'plain', onclick: leave }, t('another')))),
      h('div', { class: 'card' }, h('h2', {}, t('thisPage')),
        choice('language', t('language'), LANGUAGES, language, (value) => { prefer('language', value); location.reload(); }),
        choice('theme', t('theme'), { '': t('automatic'), light: t('light'), dark: t('dark') }, preference('theme'),
          (value) => { prefer('theme', value); applyTheme(); }),
        latencySetting(listener),
        h('div', { class: 'setting' }, h('span', {}, t('clock')), this.clock)));
  }

  #whoMay() {
    const set = (name) => async (value) => { await told(this.#session.change({ [name]: value })); this.update(); };
    return h('div', { class: 'card' }, h('h2', {}, t('whoMay')),
      choice('control', t('whoControls'), { host: t('onlyHost'), everyone: t('everybody') }, 'host', set('control')),
      choice('add', t('whoAdds'), { requests: t('guestsAsk'), everyone: t('everybody'), host: t('onlyHost') }, 'requests', set('add')));
  }

  #updateWho() {
    const { settings, isHost, isLive } = this.#session;
    this.who.hidden = !isHost || !settings?.knowsWho;
    for (const name of ['control', 'add']) {
      const select = this.who.querySelector(`#${name}`);
      const busy = this.#session.isBusy(name);
      select.disabled = !isLive || busy;
      if (settings && !busy) select.value = settings[name];
    }
  }

  #link() {
    return `${location.origin}/#join=${this.#session.code}`;
  }

  async #showLink() {
    const link = this.#link();
    if (link === this.#invited) return;
    this.#invited = link;
    say(this.address, link);
    fill(this.picture, await qr(link, t('qr')));
  }

  #listSessions() {
    const known = memberships();
    const list = JSON.stringify(known.map(({ id, code, role }) => [id, code, role]));
    if (list === this.#listed) return;
    this.#listed = list;
    fill(this.sessions, known.map((one) => h('button', {
      class: 'choice', disabled: one.id === this.#session.id, 'aria-current': one.id === this.#session.id ? 'true' : null, onclick: () => this.#enter(one),
    }, h('b', {}, t('session', { code: one.code ?? '…' })), h('span', {}, t(one.role === 'host' ? 'host' : 'guest')))));
  }

  async #forget(leave) {
    const sure = await question({
      title: t('leaveTitle'), yes: t('forget'), danger: true, content: h('p', {}, t(this.#session.isHost ? 'leaveHost' : 'leaveGuest')),
    });
    if (!sure) return;
    forget(this.#session.id);
    leave();
  }

  update() {
    const { code, isHost } = this.#session;
    const shows = Boolean(code);
    this.invite.hidden = !shows;
    this.noInvite.hidden = shows || isHost;
    say(this.code, code ?? '');
    if (shows) this.#showLink();
    this.#listSessions();
    this.#updateWho();
    this.tick();
  }

  tick() {
    const off = this.#session.live.clock.uncertainty(performance.now());
    say(this.clock, this.#session.isLive && Number.isFinite(off) ? t('clockKnown', { ms: off.toFixed(off < 10 ? 1 : 0) }) : '–');
  }
}
