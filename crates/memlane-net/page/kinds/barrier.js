// @ts-check
// A barrier: who has arrived and how many are awaited.

import { confirm } from '../dialog.js';
import { h } from '../element.js';
import { list } from '../locking.js';
import { guard } from '../padlock.js';
import { Pane, facts } from '../pane.js';
import { number, t } from '../words.js';

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const standing = h('div', { class: 'standing', role: 'status', 'aria-label': t('State') });
  const gauge = h('meter', { class: 'gauge', min: 0, 'aria-label': t('Arrived') });
  const about = h('div', {});
  const members = h('div', {});

  async function abort() {
    const text = t('Everybody who waits there is told that the barrier is broken, until it is reset.');
    if (await confirm({ title: t('Break the barrier?'), text, action: t('Abort'), danger: true })) await pane.ask('abort');
  }

  pane.add(
    standing, gauge,
    h('div', { class: 'toolbar' },
      guard(h('button', { type: 'button', class: 'danger', onclick: abort }, t('Abort'))),
      guard(h('button', { type: 'button', onclick: () => pane.ask('reset') }, t('Reset')))),
    about, members,
  );
  pane.follow(() => ({}), ({ content }) => {
    const { parties, waiting, phase, broken } = content;
    standing.dataset.state = broken ? 'dead' : waiting ? 'held' : 'free';
    standing.replaceChildren(
      h('span', { class: 'big' }, number(waiting)),
      h('span', { class: 'quiet' }, t('of {n} arrived', { n: number(parties) })),
      broken ? h('span', { class: 'tag red' }, t('broken')) : '',
    );
    gauge.max = parties;
    gauge.value = waiting;
    about.replaceChildren(facts([t('Meeting'), number(phase)]));
    members.replaceChildren(list(t('Members'), content.members, t('Nobody has arrived')));
  });
  return pane;
}
