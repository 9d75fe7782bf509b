// @ts-check
// A semaphore: permits that are free and who holds the others; or tokens that anybody may raise.

import { h } from '../element.js';
import { giveBack, leasesOf, take } from '../leases.js';
import { list } from '../locking.js';
import { guard } from '../padlock.js';
import { Pane } from '../pane.js';
import { number, t } from '../words.js';

/** What a semaphore without a limit counts to. */
const UNLIMITED = 2 ** 31 - 1;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const isOwned = context.document.state?.owned ?? true;
  const standing = h('div', { class: 'standing', role: 'status', 'aria-label': t('State') });
  const gauge = h('meter', { class: 'gauge', min: 0, 'aria-label': t('Free') });
  const holders = h('div', {});
  const count = h('input', { type: 'number', class: 'entry number', min: 1, value: 1, 'aria-label': t('How many') });
  const many = () => Math.max(1, Math.floor(Number(count.value)) || 1);
  const mine = h('span', { class: 'tag green' });

  const acquire = guard(h('button', { type: 'button', class: 'primary', onclick: () => acquireSome() }, isOwned ? t('Acquire') : t('Take a token')));
  const release = guard(h('button', { type: 'button', onclick: () => giveBack(context).then(showMine) }, t('Release')));
  const raise = guard(h('button', { type: 'button', onclick: () => pane.ask('raise', { count: many() }) }, t('Raise')));

  async function acquireSome() {
    const wanted = isOwned ? many() : 1;
    await take(context, 'acquire', isOwned ? { count: wanted } : {}, String(wanted));
    showMine();
  }

  function showMine() {
    const held = leasesOf(context).reduce((sum, { what }) => sum + Number(what), 0);
    mine.hidden = release.hidden = held === 0;
    mine.textContent = t('this page holds {n}', { n: number(held) });
  }

  pane.add(standing, gauge, h('div', { class: 'toolbar' }, count, acquire, isOwned ? release : raise, mine), holders);
  showMine();
  pane.follow(() => ({}), ({ content }) => {
    const { free, total } = content;
    const isLimited = total < UNLIMITED;
    const rest = isLimited ? t('of {n} free', { n: number(total) }) : t('tokens');
    standing.dataset.state = free ? 'free' : 'held';
    standing.replaceChildren(h('span', { class: 'big' }, number(free)), h('span', { class: 'quiet' }, rest));
    gauge.hidden = !isLimited;
    gauge.max = total;
    gauge.value = free;
    holders.replaceChildren(...(isOwned ? [list(t('Holders'), content.holders, t('Nobody holds a permit'))] : []));
  });
  return pane;
}
