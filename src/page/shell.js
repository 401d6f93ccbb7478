// shell.js: a session's views, and which of them are seen: one at a time on a phone, two on a desk.
import { fill, h, say, set } from './dom.js';
import { icon } from './icons.js';
import { Listener } from './listen.js';
import { More } from './more.js';
import { MiniPlayer, Playing } from './playing.js';
import { Queue } from './queue.js';
import { Rooms } from './rooms.js';
import { Requests } from './requests.js';
import { t } from './texts.js';
import { tame } from './names.js';
import { Uploads } from './uploads.js';

const VIEWS = { playing: 'note', queue: 'list', rooms: 'speaker', requests: 'hand', more: 'more' };
const TICK_MS = 250;

export class Shell {
  #session; #frame = 0; #timer; #looked = false;

  constructor(session, ways) {
    this.#session = session;
    this.uploads = new Uploads(session);
    this.listener = new Listener(session);
    this.views = {
      playing: new Playing(session, this.listener), queue: new Queue(session, this.uploads), rooms: new Rooms(session), requests: new Requests(session), more: new More(session, this.listener, ways),
    };
    this.mini = new MiniPlayer(session, () => this.show('playing'));
    this.badges = { requests: h('b', { class: 'badge' }), rooms: h('b', { class: 'badge' }) };
    this.state = h('span', { class: 'connection' });
    this.name = h('span', { class: 'session-name' });
    this.role = h('span', { class: 'chip' });
    this.banner = h('p', { class: 'banner', role: 'alert' });
    this.tabs = Object.fromEntries(Object.entries(VIEWS).map(([name, symbol]) => [name,
      h('button', { onclick: () => this.show(name) }, icon(symbol), h('span', {}, t(name)), this.badges[name])]));
    this.main = h('main', {}, Object.entries(this.views).map(([name, view]) => h('div', { class: 'view', 'data-name': name }, view.element)));
    this.element = h('div', { class: 'shell' },
      h('header', { class: 'top' }, h('img', { src: 'page/icon.svg', alt: '', width: 28, height: 28 }), this.name, this.role, this.state),
      this.banner, this.main, this.mini.element, h('nav', { 'aria-label': t('views') }, Object.values(this.tabs)));
    session.addEventListener('change', () => this.#soon());
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
    this.show(this.tabs[location.hash.slice(1)] ? location.hash.slice(1) : 'playing');
    addEventListener('hashchange', this.#turn);
    document.addEventListener('visibilitychange', this.#look);
    this.update();
  }

  /** Speakers are told of while somebody looks, and has looked at them. */
  #look = () => {
    this.#looked ||= this.element.dataset.view === 'rooms';
    this.#session.watch(this.#looked && document.visibilityState === 'visible');
  };

  #turn = () => {
    const name = location.hash.slice(1);
    if (this.tabs[name]) this.show(name);
  };

  show(name) {
    this.element.dataset.view = name;
    for (const [one, tab] of Object.entries(this.tabs)) set(tab, { 'aria-current': one === name ? 'page' : null });
    if (location.hash !== `#${name}`) history.replaceState(null, '', `#${name}`);
    this.#look();
    this.views.rooms.tick();
    scrollTo(0, 0);
  }

  /** However many things change at once, it is drawn once. */
  #soon() {
    if (!this.#frame) this.#frame = setTimeout(() => { this.#frame = 0; this.update(); }, 16);
  }

  #tick() {
    if (document.visibilityState !== 'visible') return;
    this.views.rooms.tick();
    if (!this.#session.isLive) return;
    this.views.more.tick();
    if (!this.#session.playback?.playing) return;
    this.views.playing.tick();
    this.mini.tick();
  }

  #updateState() {
    const { isLive, isHost, code, staleSince, playback } = this.#session;
    this.element.classList.toggle('stale', !isLive);
    this.state.classList.toggle('live', isLive);
    say(this.state, t(isLive ? 'live' : 'connecting'));
    say(this.name, code ?? 'tutti');
    say(this.role, t(isHost ? 'host' : 'guest'));
    const lost = !isLive && playback !== null && staleSince;
    this.banner.hidden = !lost;
    say(this.banner, lost ? t('lost', { time: staleSince.toLocaleTimeString(document.documentElement.lang) }) : '');
  }

  #count(badge, waiting) {
    badge.hidden = waiting === 0;
    say(badge, waiting > 99 ? '99+' : String(waiting));
  }

  update() {
    const heard = this.#session.current?.item;
    this.#updateState();
    this.#count(this.badges.requests, this.#session.pendingRequests.length);
    this.#count(this.badges.rooms, this.#session.askers.length);
    for (const view of Object.values(this.views)) view.update();
    this.mini.update();
    document.title = heard ? `${tame(heard.name)} – tutti` : 'tutti';
  }

  end() {
    clearInterval(this.#timer);
    clearTimeout(this.#frame);
    removeEventListener('hashchange', this.#turn);
    document.removeEventListener('visibilitychange', this.#look);
    this.listener.stop();
    this.#session.end();
    fill(this.element);
  }
}
