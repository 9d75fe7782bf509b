// @ts-check
// A pipe: who is at its ends, and what is on the way.

import { h } from '../element.js';
import { Pane, facts, part, person } from '../pane.js';
import { bytes, t } from '../words.js';

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const shown = h('div', { class: 'pipe' });
  pane.add(shown);
  pane.follow(() => ({}), ({ content }) => {
    const { duplex, left, right, used, capacity } = content;
    const way = (/** @type {string} */ name, /** @type {number} */ size) =>
      h('div', { class: 'way' }, h('span', {}, name), h('meter', { class: 'gauge', min: 0, max: capacity, value: size, 'aria-label': name }), h('span', { class: 'quiet' }, t('{used} of {capacity}', { used: bytes(size), capacity: bytes(capacity) })));
    shown.replaceChildren(
      end(t('Left end'), left),
      part(t('On the way'), way(t('Left to right'), used[0]), duplex ? way(t('Right to left'), used[1]) : null, duplex ? null : h('p', { class: 'quiet' }, t('one way only'))),
      end(t('Right end'), right),
    );
  });
  return pane;
}

/** @param {string} title @param {any} end */
function end(title, { state, participant }) {
  /** @type {Record<string, string>} */
  const words = { fresh: t('nobody took it yet'), open: t('open'), closed: t('closed'), died: t('its process died') };
  const colour = state === 'died' ? 'red' : state === 'open' ? 'green' : '';
  const state_ = h('span', { class: `tag ${colour}` }, words[state] ?? state);
  return part(title, facts([t('State'), state_], ...(participant ? [/** @type {[string, Node]} */ ([t('Process'), person(participant)])] : [])));
}
