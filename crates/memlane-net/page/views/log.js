// @ts-check
// Who changed what through this host, as it happens.

import { Fault } from '../fault.js';
import { h, setText } from '../element.js';
import { poll } from '../poll.js';
import { regionLinks, tag } from '../people.js';
import { Sheet } from '../sheet.js';
import { moment, number, t } from '../words.js';

/** The host waits so long for news, in seconds: not longer, since requests behind it have to wait for its end in the end. */
const TIMEOUT = 2;
/** Between looks, in milliseconds. */
const PERIOD = 250;
/** Entries that are shown; the host keeps as many. */
const MOST = 1000;

/** @param {import('../main.js').Context} context */
export function create({ connection }) {
  const sheet = new Sheet({
    label: t('Log'),
    columns: [
      { title: t('Time'), style: 'number' },
      { title: t('Client') },
      { title: t('From') },
      { title: t('Session') },
      { title: t('Operation') },
      { title: t('Id'), style: 'id' },
      { title: t('Outcome') },
    ],
    empty: t('Nothing was changed through this host yet'),
  });
  const fault = h('p', { role: 'alert', class: 'fault' });
  const count = h('span', { class: 'faint' });
  const filter = h('input', { type: 'search', 'aria-label': t('Filter'), placeholder: t('Filter'), oninput: () => show() });
  /** @type {any[]} */
  let entries = [];
  /** The instance whose numbers these are. */
  let instance = '';
  /** The first look is not to wait. */
  let looked = false;

  /** @param {number} since @returns {Promise<any[]>} */
  async function newer(since) {
    try {
      return (await connection.request('log', { since, timeout: looked ? TIMEOUT : 0 })).ok.entries;
    } catch (error) {
      if (error instanceof Fault && error.code === 'timeout') return [];
      throw error;
    }
  }

  function show() {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    const wanted = entries.filter(({ client, from, op, id, outcome }) => {
      const text = `${client} ${from} ${op} ${id ?? ''} ${outcome}`.toLowerCase();
      return words.every((word) => text.includes(word));
    });
    setText(count, t('{n} entries', { n: number(wanted.length) }));
    sheet.show(wanted.map(row));
  }

  const polled = poll(
    connection,
    PERIOD,
    async () => {
      if (connection.hello.instance !== instance) [instance, entries] = [connection.hello.instance, []];
      entries = (await newer(entries[0]?.number ?? 0)).reverse().concat(entries).slice(0, MOST);
      looked = true;
      show();
    },
    (why) => setText(fault, why ?? ''),
  );
  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Log')), count, h('span', { class: 'grow' }), filter),
    h('p', { class: 'faint' }, t('What clients changed through this host. Programs on its machine write to memory directly and are not in it.')),
    fault, sheet.element,
  );
  return { element, close: polled.close };
}

/** @param {any} entry @returns {import('../sheet.js').Row} */
function row({ number: n, moment: at, session, client, from, op, id, outcome }) {
  const good = outcome === 'ok';
  return {
    key: String(n),
    cells: [moment(at), client ?? '', from ?? '', String(session ?? ''), op, id ? regionLinks([id]) : '', tag(good ? t('done') : String(outcome), good ? 'green' : 'red')],
  };
}
