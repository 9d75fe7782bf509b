// @ts-check
// A condition: who waits for it.

import { h } from '../element.js';
import { list } from '../locking.js';
import { say } from '../notice.js';
import { guard } from '../padlock.js';
import { Pane } from '../pane.js';
import { number, t } from '../words.js';

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const standing = h('div', { class: 'standing', role: 'status', 'aria-label': t('State') });
  const waiting = h('div', {});

  /** @param {object} fields */
  async function notify(fields) {
    const answer = await pane.ask('notify', fields);
    if (answer) say(t('{n} notified', { n: number(answer.ok.notified) }), 'good');
  }

  pane.add(
    standing,
    h('div', { class: 'toolbar' },
      guard(h('button', { type: 'button', class: 'primary', onclick: () => notify({ count: 1 }) }, t('Notify one'))),
      guard(h('button', { type: 'button', onclick: () => notify({}) }, t('Notify all')))),
    waiting,
  );
  pane.follow(() => ({}), ({ content }) => {
    standing.replaceChildren(h('span', { class: 'big' }, number(content.waiters.length)), h('span', { class: 'quiet' }, t('waiting')));
    waiting.replaceChildren(list(t('Waiting'), content.waiters, t('Nobody waits')));
  });
  return pane;
}
