// entry.js: who comes in, and how.
import { Refusal, call } from './api.js';
import { fill, h } from './dom.js';
import { memberships, preference, prefer, remember } from './keys.js';
import { clipBytes, tame } from './names.js';
import { t, tt } from './texts.js';

const NAME_BYTES = 60;

/** One membership for each session: whoever comes again to one is the same member. */
async function join(code, name) {
  const known = memberships().find((one) => one.code === code);
  if (known && await isStillKnown(known)) return known;
  const joined = await call('POST', `/sessions/${encodeURIComponent(code)}/join`, { body: { guest_name: name } });
  return { id: joined.session_id, token: joined.guest_token, role: 'guest', code, name };
}

async function isStillKnown({ id, token }) {
  try {
    await call('GET', `/sessions/${id}`, { token });
    return true;
  } catch (refusal) {
    if ([401, 403, 404].includes(refusal.status)) return false;
    throw refusal;
  }
}

function why(refusal) {
  return refusal instanceof Refusal && refusal.status > 0 ? refusal.message : t('unreachable');
}

/** A form that shows what it waits for, and why it did not come. */
function form(label, fields, submit) {
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const button = h('button', { class: 'strong' }, label);
  return h('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      wrong.textContent = '';
      button.disabled = true;
      button.classList.add('busy');
      try {
        await submit();
      } catch (refusal) {
        wrong.textContent = why(refusal);
      }
      button.disabled = false;
      button.classList.remove('busy');
    },
  }, fields, wrong, button);
}

function field(id, label, properties) {
  const input = h('input', { id, name: id, ...properties });
  return { input, nodes: h('div', {}, h('label', { for: id }, label), input) };
}

function nameField(id) {
  return field(id, t('yourName'), { required: true, autocomplete: 'nickname', maxlength: NAME_BYTES, value: preference('name'), dir: 'auto' });
}

function takeName({ input }) {
  const name = clipBytes(tame(input.value), NAME_BYTES);
  prefer('name', name);
  return name;
}

function guestCard(code, enter) {
  const codeField = field('code', t('code'), {
    required: true, class: 'code', value: code, maxlength: 16, autocapitalize: 'characters', autocomplete: 'off', spellcheck: 'false', enterkeyhint: 'next',
  });
  const name = nameField('guest-name');
  return h('section', { class: 'card' }, h('h2', {}, t('joinTitle')), h('p', { class: 'hint' }, t('joinHint')),
    form(t('join'), [codeField.nodes, name.nodes], async () => {
      enter(await join(codeField.input.value.trim().toUpperCase(), takeName(name)));
    }));
}

async function createSession(token, name) {
  const made = await call('POST', '/sessions', { token, body: { host_name: name } });
  return { id: made.session_id, token: made.host_token, role: 'host', code: made.code, name };
}

async function actAsHost(token, session, name) {
  const made = await call('POST', `/sessions/${session.session_id}/host`, { token, body: {} });
  return { id: made.session_id, token: made.host_token, role: 'host', code: made.code, name };
}

/** null: the house has no password, and so nobody may see its sessions. */
async function listSessions(token) {
  try {
    return await call('GET', '/sessions', { token });
  } catch (refusal) {
    if (refusal.status === 403) return null;
    throw refusal;
  }
}

function choices(card, token, name, sessions, enter) {
  const wrong = h('p', { class: 'wrong', role: 'alert' });
  const choose = async (work) => {
    try {
      enter(await work());
    } catch (refusal) {
      wrong.textContent = why(refusal);
    }
  };
  fill(card, h('h2', { tabindex: -1 }, t('openSession')),
    sessions ? sessions.map((one) => h('button', { class: 'choice', onclick: () => choose(() => actAsHost(token, one, name)) },
      h('b', {}, h('bdi', {}, tame(one.name ?? one.code))),
      h('span', {}, tt('hostOf', { name: one.host_name }), one.name ? ` · ${one.code}` : '')))
      : h('p', { class: 'hint' }, t('noPassword')),
    wrong,
    h('button', { class: 'strong', onclick: () => choose(() => createSession(token, name)) }, t('newSession')));
  card.querySelector('h2').focus();
}

function hostCard(enter) {
  const name = nameField('host-name');
  const password = field('password', t('password'), { type: 'password', autocomplete: 'current-password' });
  const card = h('section', { class: 'card' });
  fill(card, h('details', {}, h('summary', {}, h('h2', {}, t('hostTitle')), h('p', { class: 'hint' }, t('hostHint'))),
    form(t('goOn'), [name.nodes, password.nodes, h('p', { class: 'hint' }, t('passwordHint'))], async () => {
      const called = takeName(name);
      const body = { name: called, role: 'host' };
      if (password.input.value) body.password = password.input.value;
      const { token } = await call('POST', '/auth/login', { body });
      choices(card, token, called, await listSessions(token), enter);
    })));
  return card;
}

function knownCard(known, enter) {
  return h('section', { class: 'card' }, h('h2', {}, t('yours')),
    known.map((one) => h('button', { class: 'choice', onclick: () => enter(one) },
      h('b', {}, t('session', { code: one.code ?? one.id.slice(0, 6) })), h('span', {}, t(one.role === 'host' ? 'host' : 'guest')))));
}

/** link: what the address said; notice: why one is here, or ''. enter(membership) leaves. */
export function entry({ link, notice }, enter) {
  const go = (membership) => {
    remember(membership);
    enter(membership);
  };
  const known = memberships();
  return h('main', { class: 'entry' },
    h('header', {}, h('img', { src: 'page/icon.svg', alt: '', width: 56, height: 56 }), h('h1', {}, 'tutti'), h('p', {}, t('welcome'))),
    notice && h('p', { class: 'notice', role: 'alert' }, notice),
    known.length > 0 && !link && knownCard(known, go),
    guestCard(link?.join ?? '', go),
    !link && hostCard(go));
}
