// @ts-check
// Who holds which lock since when, who waits for whom, and what to do about it.

import { h, setText } from '../element.js';
import { draw, graphOf, inWords } from '../graph.js';
import { guard } from '../padlock.js';
import { personOf, regionLinks, tag } from '../people.js';
import { poll } from '../poll.js';
import { forceRelease } from '../release.js';
import { Sheet } from '../sheet.js';
import { duration, number, t } from '../words.js';

/** In milliseconds. */
const PERIOD = 500;

/** @param {import('../main.js').Context} context */
export function create({ connection }) {
  const sheet = new Sheet({
    label: t('Locks'),
    columns: [
      { title: t('Id'), style: 'id' },
      { title: t('State') },
      { title: t('Holder') },
      { title: t('Thread'), style: 'number' },
      { title: t('Held for'), style: 'number' },
      { title: t('Waiters') },
      { title: t('Contended'), style: 'number' },
      { title: t('Recoveries'), style: 'number' },
      { title: t('Action'), untold: true },
    ],
    empty: t('No lock is held, waited for or inconsistent'),
  });
  const fault = h('p', { role: 'alert', class: 'fault' });
  const alarm = h('p', { role: 'alert', class: 'fault' });
  const picture = h('div', { class: 'scroll graph-box' });
  const waits = h('ul', { class: 'lines' });
  const all = h('input', { type: 'checkbox', onchange: () => polled.now() });
  let drawn = '';

  const polled = poll(
    connection,
    PERIOD,
    async () => {
      const [{ ok: found }, { ok: graph }] = await Promise.all([connection.request('locks', { all: all.checked }), connection.request('wait_graph')]);
      sheet.show(found.locks.map((/** @type {any} */ lock) => row(lock)));
      show(found.locks.filter((/** @type {any} */ lock) => lock.holder || lock.inconsistent || lock.waiters.length), graph.edges);
    },
    (why) => setText(fault, why ?? ''),
  );

  /** @param {any[]} locks @param {any[]} edges */
  function show(locks, edges) {
    const graph = graphOf(locks, edges);
    const width = Math.max(320, picture.clientWidth - 2);
    const is = JSON.stringify([graph, width]);
    if (is === drawn) return;
    drawn = is;
    const stuck = edges.filter((edge) => edge.deadlock);
    setText(alarm, stuck.length ? t('Deadlock: {n} threads wait for each other, at {ids}', { n: stuck.length, ids: [...new Set(stuck.map(({ id }) => id))].join(', ') }) : '');
    picture.hidden = graph.regions.length === 0;
    picture.replaceChildren(draw(graph, width));
    waits.replaceChildren(...edges.map((edge) => h('li', { class: edge.deadlock ? 'fault' : '' }, inWords(edge))));
    waits.hidden = edges.length === 0;
  }

  /** @param {any} lock @returns {import('../sheet.js').Row} */
  function row(lock) {
    const { holder } = lock;
    const dead = holder?.alive === false;
    const state = lock.deadlock ? tag(t('deadlock'), 'red') : dead ? tag(t('owner dead'), 'red') : lock.inconsistent ? tag(t('inconsistent'), 'red') : holder ? tag(t('held'), 'amber') : tag(t('free'), '');
    const release = () => guard(h('button', { class: 'danger', onclick: () => forceRelease(connection, lock.id, holder).then(() => polled.now()) }, t('Force release …')));
    return {
      key: lock.id,
      tone: dead || lock.deadlock ? 'red' : '',
      cells: [
        regionLinks([lock.id]),
        state,
        personOf(holder),
        String(holder?.thread ?? ''),
        holder ? duration(holder.held_seconds) : '',
        lock.waiters.map(personOf).join('; '),
        number(lock.contended),
        number(lock.recoveries),
        holder ? { text: `${holder.process} ${holder.thread} ${dead}`, make: release } : '',
      ],
    };
  }

  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Lock graph')), h('span', { class: 'grow' }), h('label', { class: 'check' }, all, t('Free locks too'))),
    alarm, fault, picture, sheet.element, waits,
  );
  return { element, close: polled.close };
}
