// @ts-check
// The processes attached to the space: what they hold and wait for.

import { h, setText } from '../element.js';
import { processTag, regionLinks } from '../people.js';
import { poll } from '../poll.js';
import { Sheet } from '../sheet.js';
import { duration, number, secondsSince, t } from '../words.js';

/** In milliseconds. */
const PERIOD = 1000;
/** Regions of a process that are named; of more, only how many there are. */
const MOST_NAMED = 12;

/** @param {import('../main.js').Context} context */
export function create({ connection }) {
  const sheet = new Sheet({
    label: t('Participants'),
    columns: [
      { title: t('Program') },
      { title: t('Pid'), style: 'number' },
      { title: t('State') },
      { title: t('User') },
      { title: t('Attached for'), style: 'number' },
      { title: t('Holds'), style: 'wide' },
      { title: t('Waits for'), style: 'wide' },
      { title: t('Regions'), style: 'number' },
      { title: t('Attached to'), style: 'wide' },
    ],
    empty: t('No process is attached to a region'),
  });
  const fault = h('p', { role: 'alert', class: 'fault' });
  const count = h('span', { class: 'faint' });
  const polled = poll(
    connection,
    PERIOD,
    async () => {
      const { ok } = await connection.request('participants');
      const dead = ok.participants.filter((/** @type {any} */ process) => !process.alive).length;
      const values = { n: number(ok.participants.length), dead };
      setText(count, dead ? t('{n} processes, {dead} dead', values) : t('{n} processes', values));
      sheet.show(ok.participants.map(row));
    },
    (why) => setText(fault, why ?? ''),
  );
  const element = h('div', { class: 'view' }, h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Participants')), count), fault, sheet.element);
  return { element, close: polled.close };
}

/** @param {any} process @returns {import('../sheet.js').Row} */
function row(process) {
  const { regions } = process;
  const waits = process.waits.map((/** @type {any} */ wait) => t('{what} {id} for {time}', { what: wait.what, id: wait.id, time: duration(wait.seconds) }));
  return {
    key: `${process.pid} ${process.process}`,
    tone: process.alive ? '' : 'red',
    cells: [
      process.program || '?',
      String(process.pid || ''),
      processTag(process),
      process.user ?? '',
      duration(secondsSince(process.attached)),
      regionLinks([...process.locks, ...process.publishes]),
      waits.join('; '),
      number(regions.length),
      regionLinks(regions, MOST_NAMED),
    ],
  };
}
