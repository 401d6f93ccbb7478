// main.js: to the session that this browser is in, or to the entry.
import { fill } from './dom.js';
import { entry } from './entry.js';
import { forget, memberships, preference, prefer, remember, takeLink, update } from './keys.js';
import { Session } from './session.js';
import { Shell } from './shell.js';
import { t } from './texts.js';

const app = document.getElementById('app');
let shell = null;

function leave(notice = '') {
  shell?.end();
  shell = null;
  prefer('session', '');
  history.replaceState(null, '', location.pathname);
  fill(app, entry({ link: null, notice }, open));
}

function open(membership) {
  shell?.end();
  prefer('session', membership.id);
  const session = new Session(membership);
  session.addEventListener('known', () => update(session.id, { role: session.isHost ? 'host' : 'guest', code: session.code }));
  session.addEventListener('gone', () => {
    forget(session.id);
    leave(t('gone', { code: session.code ?? '' }));
  }, { once: true });
  shell = new Shell(session, { leave: () => leave(), enter: open });
  fill(app, shell.element);
}

function begin() {
  const link = takeLink();
  if (link?.token) {
    const membership = { id: link.id, token: link.token, role: 'host', code: null };
    remember(membership);
    open(membership);
    return;
  }
  const known = memberships();
  const invited = link?.join && known.find((one) => one.code === link.join);
  const last = known.find((one) => one.id === preference('session'));
  if (invited || (last && !link)) open(invited ?? last);
  else fill(app, entry({ link, notice: '' }, open));
}

// A link that is opened in a tab that is here already.
addEventListener('hashchange', () => { if (/^#(join|host)=/.test(location.hash)) begin(); });
begin();
