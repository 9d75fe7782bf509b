// @ts-check
// An event: set or clear.

import { h } from '../element.js';
import { guard } from '../padlock.js';
import { Pane } from '../pane.js';
import { t } from '../words.js';

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const standing = h('div', { class: 'standing', role: 'status', 'aria-label': t('State') });
  pane.add(
    standing,
    h('div', { class: 'toolbar' },
      guard(h('button', { type: 'button', class: 'primary', onclick: () => pane.ask('set') }, t('Set'))),
      guard(h('button', { type: 'button', onclick: () => pane.ask('clear') }, t('Clear')))),
  );
  pane.follow(() => ({}), ({ content }) => {
    standing.dataset.state = content.set ? 'held' : 'free';
    standing.replaceChildren(
      h('span', { class: 'big' }, content.set ? t('set') : t('clear')),
      content.auto_reset ? h('span', { class: 'quiet' }, t('clears itself when somebody saw it')) : '',
    );
  });
  return pane;
}
