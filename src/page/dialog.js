// dialog.js: questions, and short news.
import { announce, fill, h } from './dom.js';
import { t } from './texts.js';

/**
 * Asks; content: nodes; value: what the field says at first. Resolves to null, or to what field says (its text, trimmed; true without a field).
 */
export function question({ title, content = [], yes, danger = false, field = null, value = '' }) {
  return new Promise((resolve) => {
    const input = field ? h('input', { id: 'answer', value, maxlength: 200, autocomplete: 'off', dir: 'auto' }) : null;
    const dialog = h('dialog', { 'aria-labelledby': 'question' },
      h('form', { method: 'dialog' },
        h('h2', { id: 'question' }, title),
        h('div', { class: 'told' }, content),
        input && [h('label', { for: 'answer' }, field), input],
        h('div', { class: 'answers' },
          h('button', { value: 'no', class: 'plain', formnovalidate: true }, t('cancel')),
          h('button', { value: 'yes', class: danger ? 'danger' : 'strong' }, yes))));
    // Enter in the field means yes, and the first button would be no.
    input?.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.isComposing) return;
      event.preventDefault();
      dialog.close('yes');
    });
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'yes' ? (input ? input.value.trim() : true) : null);
    });
    document.body.append(dialog);
    dialog.showModal();
    (input ?? dialog.querySelector('button.plain')).focus();
  });
}

let toast = null;
let timer = 0;

/** For some seconds, and to screen readers. tone: good or bad. */
export function news(text, tone = 'good') {
  toast ??= document.body.appendChild(h('aside', { class: 'toast', 'aria-label': t('news') }));
  toast.className = `toast ${tone}`;
  fill(toast, h('p', { dir: 'auto' }, text), h('button', { class: 'quiet', 'aria-label': t('close'), onclick: () => { toast.hidden = true; } }, '×'));
  toast.hidden = false;
  announce(text);
  clearTimeout(timer);
  timer = setTimeout(() => { toast.hidden = true; }, tone === 'bad' ? 9000 : 4000);
}

/** Says why something that was asked for was not done. Resolves to whether it was. */
export async function told(work) {
  try {
    const answer = await work;
    return answer ?? true;
  } catch (refusal) {
    if (refusal.status === 0) news(t('unreachable'), 'bad');
    else if (refusal.message) news(t('refused', { why: refusal.message }), 'bad');
    else news(t('notConfirmed'), 'bad');
    return false;
  }
}
