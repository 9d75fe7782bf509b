// @ts-check
// A text that is to be copied: an address, a command.

import { h } from './element.js';
import { say } from './notice.js';
import { t } from './words.js';

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    say(t('Copied'), 'good');
  } catch {
    // Browsers give the clipboard to pages of https and of this machine only.
    say(t('The browser does not let this page copy: select the text and copy it yourself'), 'bad');
  }
}

/**
 * @param {string} text @param {string} what its name, for the button @param {string} [shown] instead of the text
 */
export function copyable(text, what, shown = text) {
  const button = h('button', { type: 'button', onclick: () => copy(text), 'aria-label': `${t('Copy')}: ${what}` }, t('Copy'));
  return h('div', { class: 'copy' }, h('code', { tabindex: 0, 'aria-label': what, role: 'group' }, shown), button);
}
