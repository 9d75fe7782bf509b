// @ts-check
// Short messages at the edge of the page, which screen readers say too. Each goes by itself, though not while somebody
// points at it or has the keyboard there; Escape puts the newest away.

import { h } from './element.js';
import { t } from './words.js';

/** @typedef {'info' | 'good' | 'bad'} Kind */

/** How long a message stays, in milliseconds; what went wrong takes longer to read. */
const STAY = { info: 6000, good: 6000, bad: 15_000 };
/** More at once would cover the page. */
const MOST = 3;

const shown = h('div', { class: 'notices' });
const polite = h('div', { role: 'status', class: 'unseen' });
const urgent = h('div', { role: 'alert', class: 'unseen' });
document.body.append(shown, polite, urgent);
document.addEventListener('keydown', ({ key, defaultPrevented }) => {
  if (key === 'Escape' && !defaultPrevented && !document.querySelector('dialog[open]')) put(shown.lastElementChild);
});

/** @param {string} text @param {Kind} kind */
export function say(text, kind = 'info') {
  const notice = h(
    'div',
    { class: `notice ${kind}` },
    h('span', null, text),
    h('button', { class: 'plain', 'aria-label': t('Dismiss'), onclick: () => put(notice) }, '×'),
  );
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const stay = () => clearTimeout(timer);
  const go = () => {
    stay();
    if (!notice.matches(':hover, :focus-within')) timer = setTimeout(() => put(notice), STAY[kind]);
  };
  for (const [event, act] of Object.entries({ pointerenter: stay, focusin: stay, pointerleave: go, focusout: go })) notice.addEventListener(event, act);
  shown.append(notice);
  while (shown.childElementCount > MOST) shown.firstElementChild?.remove();
  polite.setAttribute('aria-label', t('Notices'));
  (kind === 'bad' ? urgent : polite).textContent = text;
  go();
}

/** Says what went wrong. @param {unknown} error */
export function sayError(error) {
  say(error instanceof Error ? error.message : String(error), 'bad');
}

/** What went wrong in a view goes with it; what was done there is still to be read. */
export function leaveView() {
  for (const notice of shown.querySelectorAll('.bad')) notice.remove();
  urgent.textContent = '';
}

/** Takes it away; the keyboard goes on at the next one, or where reading begins. @param {Element | null} notice */
function put(notice) {
  const hasFocus = notice?.contains(document.activeElement);
  notice?.remove();
  if (hasFocus) (shown.querySelector('button') ?? document.querySelector('h1'))?.focus();
}
