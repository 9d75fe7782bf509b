// @ts-check
// The form that asks for the host's token.

import { h } from './element.js';
import { t } from './words.js';

/** @param {string | null} fault @param {(token: string) => void} use */
export function askForToken(fault, use) {
  const input = h('input', {
    id: 'token',
    type: 'password',
    autocomplete: 'off',
    spellcheck: 'false',
    required: true,
    'aria-describedby': 'token-help',
  });
  const form = h(
    'form',
    {
      class: 'card token',
      onsubmit: (/** @type {Event} */ event) => {
        event.preventDefault();
        use(input.value.trim());
      },
    },
    h('h1', { tabindex: -1 }, t('Token')),
    h(
      'p',
      { id: 'token-help' },
      t('The host printed a token, and an address with it, when it started; “memlane host” and “memlane gui” print it again. Paste the token here.'),
    ),
    h('label', { for: 'token' }, t('Token')),
    h('div', { class: 'row' }, input, h('button', { type: 'submit', class: 'primary' }, t('Open'))),
    fault ? h('p', { role: 'alert', class: 'fault' }, t('The host refused: {why}', { why: fault })) : null,
  );
  queueMicrotask(() => input.focus());
  return form;
}
