// @ts-check
// Shared memory that others made: segments of /dev/shm outside the space, to look at only.

import { h, setText } from '../element.js';
import { Hex } from '../hex.js';
import { sayError } from '../notice.js';
import { Sheet } from '../sheet.js';
import { bytes, moment, t } from '../words.js';

/** @param {import('../main.js').Context} context */
export function create({ connection }) {
  const sheet = new Sheet({
    label: t('Foreign segments'),
    columns: [
      { title: t('Name'), style: 'id' },
      { title: t('Size'), style: 'number' },
      { title: t('Owner') },
      { title: t('Mode') },
      { title: t('Modified'), style: 'number' },
      { title: t('Action'), untold: true },
    ],
    empty: t('There are no other segments in /dev/shm'),
  });
  const fault = h('p', { role: 'alert', class: 'fault' });
  const shown = h('section', { class: 'card', hidden: true, 'aria-labelledby': 'segment' });

  async function look() {
    try {
      const { ok } = await connection.request('foreign');
      setText(fault, '');
      sheet.show(ok.segments.map(row));
    } catch (error) {
      setText(fault, error instanceof Error ? error.message : String(error));
    }
  }

  /** @param {any} segment @returns {import('../sheet.js').Row} */
  function row(segment) {
    const { name, size, owner, mode, modified, readable } = segment;
    const view = () => h('button', { onclick: () => open(segment), 'aria-label': t('Look at {name}', { name }) }, t('Look'));
    return {
      key: name,
      cells: [name, bytes(size), String(owner ?? ''), String(mode ?? ''), moment(modified), readable ? { text: `look ${size}`, make: view } : t('not readable')],
    };
  }

  /** @param {any} segment */
  async function open({ name, size }) {
    try {
      const read = async (/** @type {number} */ start, /** @type {number} */ count) => (await connection.request('foreign_read', { name, start, count })).payload;
      const hex = new Hex({ read, size });
      const heading = h('h2', { id: 'segment', class: 'mono', tabindex: -1 }, name);
      shown.replaceChildren(
        h('div', { class: 'head' }, heading, h('span', { class: 'faint' }, bytes(size)), h('span', { class: 'grow' }), h('button', { onclick: put }, t('Close'))),
        hex.element,
      );
      shown.hidden = false;
      await hex.refresh();
      heading.focus();
    } catch (error) {
      sayError(error);
    }
  }

  function put() {
    shown.replaceChildren();
    shown.hidden = true;
  }

  look();
  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Foreign segments')), h('span', { class: 'grow' }), h('button', { onclick: look }, t('Look again'))),
    h('p', { class: 'faint' }, t('Shared memory in /dev/shm that other libraries made. It is only looked at: nobody knows what its bytes mean.')),
    fault, sheet.element, shown,
  );
  return { element, close() {} };
}
