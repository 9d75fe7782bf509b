// @ts-check
// Raw bytes: nobody knows what they mean, so they are shown as they are, and written where one says.

import { h } from '../element.js';
import { Hex } from '../hex.js';
import { History } from '../history.js';
import { say } from '../notice.js';
import { guard } from '../padlock.js';
import { Pane, tell } from '../pane.js';
import { ofBytes } from '../places.js';
import { fromHex } from '../scalar.js';
import { count, parse } from '../schema.js';
import { t } from '../words.js';

/** Milliseconds between two looks. */
const LOOK = 250;
/** Bytes that are written at once. */
const MOST = 4096;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const schema = parse(context.document.schema);
  const size = count(schema.shape) * schema.type.size;
  const history = new History();
  const hex = new Hex({
    size,
    read: async (start, bytes) => (await context.connection.request('read', { id: context.id, start, count: bytes, form: 'bytes' })).payload,
    choose: (offset, byte) => {
      where.value = `0x${offset.toString(16)}`;
      what.value = byte.toString(16).padStart(2, '0');
      what.focus();
      what.select();
    },
  });
  const where = /** @type {HTMLInputElement} */ (h('input', { type: 'text', class: 'entry number', 'aria-label': t('Write at byte'), value: '0x0' }));
  const what = /** @type {HTMLInputElement} */ (h('input', { type: 'text', class: 'entry wide', 'aria-label': t('Bytes in hexadecimal digits'), placeholder: '00 ff …' }));
  const write = h('button', { type: 'submit' }, t('Write'));
  guard(write);
  pane.keep('', () => (what.value ? { at: where.value, digits: what.value } : null), ({ at, digits }) => {
    where.value = at;
    what.value = digits;
  });

  /** @param {SubmitEvent} event */
  async function submit(event) {
    event.preventDefault();
    const digits = what.value.replace(/\s|0x/g, '');
    const start = Number(where.value);
    const bytes = fromHex(digits);
    const isRight = /^([0-9a-f]{2})+$/i.test(digits) && Number.isInteger(start) && start >= 0 && start + bytes.length <= size && bytes.length <= MOST;
    if (!isRight) return say(t('Write two hexadecimal digits for each byte, at a byte from 0 to {last}', { last: size - 1 }), 'bad');
    try {
      const run = { id: context.id, start, count: bytes.length };
      const before = (await context.connection.request('read', { ...run, form: 'bytes' })).payload;
      await history.write(t('bytes at {n}', { n: where.value }), ofBytes(context, start, bytes.length), before, bytes);
      await hex.refresh();
    } catch (error) {
      tell(error);
    }
  }

  pane.add(
    h('form', { class: 'toolbar', onsubmit: submit }, t('At'), where, what, write, history.button),
    hex.element,
  );
  pane.poll(LOOK, () => hex.refresh());
  return pane;
}
