// @ts-check
// A lock of any kind: who holds it and since when, who waits, and what a person may do about it.

import { h, setText } from './element.js';
import { giveBack, leasesOf, take, use } from './leases.js';
import { say } from './notice.js';
import { guard } from './padlock.js';
import { Pane, facts, part, person } from './pane.js';
import { forceRelease } from './release.js';
import { duration, number, t } from './words.js';

/** After so many milliseconds a person is told that there is something to wait for. */
const IMPATIENT = 300;

/**
 * @param {import('./pane.js').Context} context
 * @param {{ name: string, mode?: string }[]} ways to acquire it
 * @returns {import('./pane.js').View}
 */
export function lockView(context, ways) {
  const pane = new Pane(context);
  /** @type {any} */
  let state = null;
  let seenAt = 0;
  const standing = h('div', { class: 'standing', role: 'status', 'aria-label': t('State') });
  const held = h('output', { class: 'held-for', 'aria-label': t('Held for') });
  const about = h('div', {});
  const people = h('div', {});
  const acquire = ways.map(({ name, mode }) => button(name, () => acquireIt(name, mode), 'primary'));
  const release = button(t('Release'), () => giveBack(context));
  const mend = button(t('Mark as consistent'), () => mendIt());
  const force = button(t('Force release'), () => forceRelease(context.connection, context.id, state.holder ?? state.readers[0]), 'danger');

  /** @param {string} name @param {() => Promise<unknown>} act @param {string} [sort] */
  function button(name, act, sort = '') {
    return guard(h('button', { type: 'button', class: sort, onclick: () => act().then(show) }, name));
  }

  /** @param {string} name @param {string} [mode] */
  async function acquireIt(name, mode) {
    const waits = setTimeout(() => say(t('Waiting for the lock …')), IMPATIENT);
    const isTaken = await take(context, 'lock', mode ? { mode } : {}, mode ?? name);
    clearTimeout(waits);
    if (isTaken) say(t('This page holds the lock now'), 'good');
  }

  async function mendIt() {
    const newest = leasesOf(context).at(-1);
    if (newest) await use(context, 'make_consistent', newest);
  }

  function show() {
    if (!state || pane.closed) return;
    const { holder, waiters, inconsistent, recoveries, contended, readers = [] } = state;
    const mine = leasesOf(context);
    const isFree = !holder && !readers.length;
    const dead = (holder && !holder.alive) || readers.some((/** @type {any} */ reader) => !reader.alive);
    standing.dataset.state = dead ? 'dead' : isFree ? 'free' : 'held';
    standing.replaceChildren(
      h('span', { class: 'big' }, isFree ? t('free') : holder ? t('held') : t('read')),
      ...(holder ? [person(holder)] : []),
      ...(mine.length ? [h('span', { class: 'tag green' }, t('by this page'))] : []),
      ...(dead ? [h('span', { class: 'tag red' }, t('its owner died'))] : []),
      ...(inconsistent ? [h('span', { class: 'tag amber' }, t('inconsistent'))] : []),
    );
    about.replaceChildren(facts(
      [t('Held for'), held],
      ...(holder?.depth > 1 ? [/** @type {[string, string]} */ ([t('Entered'), t('{n} times', { n: number(holder.depth) })])] : []),
      [t('Recoveries'), number(recoveries)],
      [t('Contended'), t('{n} times', { n: number(contended) })],
    ));
    people.replaceChildren(
      ...(context.document.kind === 'rwlock' ? [list(t('Readers'), readers, t('Nobody reads'))] : []),
      list(t('Waiting'), waiters, t('Nobody waits')),
    );
    release.hidden = !mine.length;
    mend.hidden = !(inconsistent && mine.length);
    force.hidden = isFree || mine.length > 0;
    for (const one of acquire) one.hidden = mine.length > 0 && context.document.kind !== 'rlock';
    tick();
  }

  function tick() {
    const holder = state?.holder;
    for (const wait of people.querySelectorAll('[data-since]')) setText(wait, waitingSince(Number(/** @type {HTMLElement} */ (wait).dataset.since)));
    held.textContent = holder ? duration(holder.held_seconds + (performance.now() - seenAt) / 1000) : '–';
  }

  pane.add(standing, h('div', { class: 'toolbar' }, acquire, release, mend, force), h('div', { class: 'columns' }, part(t('Lock'), about), people));
  pane.follow(() => ({}), ({ content }) => {
    state = content;
    seenAt = performance.now();
    show();
  });
  pane.every(250, tick);
  pane.onClose(() => {
    if (leasesOf(context).length) say(t('This page still holds {id}', { id: context.id }));
  });
  return pane;
}

/** @param {number} since by the page's clock */
function waitingSince(since) {
  return ` ${t('for {time}', { time: duration((performance.now() - since) / 1000) })}`;
}

/** Processes under a heading. @param {string} title @param {any[]} people @param {string} nobody */
export function list(title, people, nobody) {
  const line = (/** @type {any} */ one) => {
    const wait = one.waits?.[0];
    const more = one.count > 1 ? ` × ${number(one.count)}` : one.behind !== undefined ? ` – ${t('{n} behind', { n: number(one.behind) })}` : '';
    const since = wait ? performance.now() - wait.seconds * 1000 : 0;
    return h('li', {}, person(one), more, wait ? h('span', { class: 'quiet', 'data-since': String(since) }, waitingSince(since)) : null);
  };
  return part(title, people.length ? h('ul', { class: 'people' }, people.map(line)) : h('p', { class: 'quiet' }, nobody));
}
