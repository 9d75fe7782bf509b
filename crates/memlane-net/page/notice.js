// @ts-check
// Short messages at the edge of the page, which screen readers say too.

import { h } from './element.js';
import { t } from './words.js';

/** How long a message stays, in milliseconds; a bad one until it is put away. */
const STAY = 6000;
/** More at once would cover the page. */
const MOST = 3;

const shown = h('div', { class: 'notices' });
const polite = h('div', { role: 'status', class: 'unseen' });
const urgent = h('div', { role: 'alert', class: 'unseen' });
document.body.append(shown, polite, urgent);

/**
 * @param {string} text
 * @param {'info' | 'good' | 'bad'} kind
 */
export function say(text, kind = 'info') {
  const put = () => notice.remove();
  const notice = h(
    'div',
    { class: `notice ${kind}` },
    h('span', null, text),
    h('button', { class: 'plain', 'aria-label': t('Dismiss'), onclick: put }, '×'),
  );
  shown.append(notice);
  while (shown.childElementCount > MOST) shown.firstElementChild?.remove();
  polite.setAttribute('aria-label', t('Notices'));
  (kind === 'bad' ? urgent : polite).textContent = text;
  if (kind !== 'bad') setTimeout(put, STAY);
}

/** Says what went wrong. @param {unknown} error */
export function sayError(error) {
  say(error instanceof Error ? error.message : String(error), 'bad');
}
