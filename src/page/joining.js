// joining.js: speakers that ask to be let in, and what a host says.
import { news, told } from './dialog.js';
import { fill, h, keyed, say } from './dom.js';
import { tame } from './names.js';
import { t, tt } from './texts.js';

export class Joining {
  #session; #seen = new Set();

  constructor(session) {
    this.#session = session;
    this.element = h('ul', { class: 'requests', 'aria-label': t('joining') });
  }

  async #decide(asker, allow) {
    if (await told(this.#session.letIn(asker, allow))) news(t(allow ? 'letInDone' : 'turnedAway', { name: tame(asker.name) }));
  }

  #row(first) {
    let asker = first;
    const text = h('p', { class: 'wish' });
    const sign = h('p', { class: 'sign' });
    const double = h('p', { class: 'notice' }, t('joinDouble'));
    const letIn = h('button', { class: 'strong', onclick: () => this.#decide(asker, true) }, t('letIn'));
    const refuse = h('button', { class: 'plain', onclick: () => this.#decide(asker, false) }, t('turnAway'));
    const element = h('li', { class: 'card' }, text, sign, double, h('p', { class: 'hint' }, t('joinCheck')), h('div', { class: 'answers' }, refuse, letIn));
    return {
      element,
      update: (next) => {
        const busy = this.#session.isBusy(`asker ${next.id}`);
        asker = next;
        fill(text, tt('wantsJoin', { name: next.name }), ' ', h('span', { class: 'hint' }, tame(next.address)));
        say(sign, t('joinSign', { sign: tame(next.sign) }));
        double.hidden = next.same_name !== true;
        letIn.disabled = refuse.disabled = !this.#session.isLive || busy;
        element.classList.toggle('busy', busy);
      },
    };
  }

  /** A new one is said wherever one looks at the moment. */
  #announce(askers) {
    const fresh = askers.filter(({ id }) => !this.#seen.has(id));
    this.#seen = new Set(askers.map(({ id }) => id));
    if (fresh.length) news(t('joinNews', { name: tame(fresh.at(-1).name) }));
  }

  update() {
    const { askers } = this.#session;
    this.element.hidden = askers.length === 0;
    keyed(this.element, askers, ({ id }) => id, (asker) => this.#row(asker));
    this.#announce(askers);
  }
}
