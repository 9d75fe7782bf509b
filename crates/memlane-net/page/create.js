// @ts-check
// The dialog that makes a region: for each kind what docs/protocol.md says it is made with.

import { ask } from './dialog.js';
import { h } from './element.js';
import { routeOf } from './model.js';
import { say } from './notice.js';
import { t } from './words.js';

/** @typedef {{name: string, label: string, type: 'text' | 'size' | 'count' | 'check' | 'json', value?: string, required?: boolean, help?: string, list?: string[]}} Field */

const SCALARS = 'bool i8 u8 i16 u16 i32 u32 i64 u64 f32 f64'.split(' ');

/** @returns {Record<string, Field[]>} */
function kinds() {
  /** @param {string} value @param {string} help @param {string[]} [list] @returns {Field} */
  const schema = (value, help, list) => ({ name: 'schema', label: t('Schema'), type: 'text', value, required: true, help, ...(list && { list }) });
  /** @param {string} value @param {string} help @returns {Field} */
  const capacity = (value, help) => ({ name: 'capacity', label: t('Capacity'), type: 'size', value, required: true, help });
  /** @param {string} name @param {string} label @param {string} [help] @param {string} [value] @returns {Field} */
  const count = (name, label, help, value) => ({ name, label, type: 'count', ...(help && { help }), ...(value && { value, required: true }) });
  /** @param {string} name @param {string} label @returns {Field} */
  const check = (name, label) => ({ name, label, type: 'check' });
  const inBytes = t('In bytes, such as 4096 or 64K');
  return {
    value: [schema('f64', t('A scalar type'), SCALARS), { name: 'initial', label: t('Initial'), type: 'json' }],
    record: [schema('{x: f64, y: f64}', t('Such as {x: f64, samples: [8]i16}'))],
    array: [schema('[4, 4]f64', t('Such as [480, 640]u16'))],
    text: [capacity('4096', inBytes), { name: 'initial', label: t('Initial'), type: 'text' }],
    raw: [capacity('4096', inBytes)],
    lock: [],
    rlock: [],
    rwlock: [],
    semaphore: [count('count', t('Count'), t('Permits; or tokens at first'), '1'), check('signal', t('Of signals: one gives what another takes')), count('most', t('At most'), t('Of signals: the most tokens'))],
    event: [check('auto_reset', t('Each setting lets one through'))],
    condition: [count('count', t('Threads'), t('That can wait at once'))],
    barrier: [count('count', t('Parties'), t('That have to arrive'), '2')],
    queue: [capacity('64K', inBytes), count('most', t('Messages'), t('At most; without it, as many as fit')), check('acknowledged', t('Kept until acknowledged'))],
    pipe: [capacity('64K', t('In bytes, each way')), check('one_way', t('Only the left end sends'))],
    stream: [schema('{t: f64, x: f32}', t('Of one record')), count('capacity', t('Records'), t('That are kept at least')), check('lossless', t('The publisher waits for its readers'))],
    frames: [
      { name: 'schema', label: t('Schema'), type: 'text', value: '[480, 640, 3]u8 encoding="bgr8"', help: t('Rows, columns, channels; empty for frames of any length') },
      { name: 'capacity', label: t('Capacity'), type: 'size', help: t('In bytes, of frames of any length') },
      count('history', t('History'), t('Frames that stay on offer')),
      count('borrows', t('Borrows'), t('Frames that all subscribers together can hold')),
    ],
  };
}

/** @param {Field} field @returns {Node[]} */
function control({ name, label, type, value, required = false, help, list }) {
  const id = `create-${name}`;
  const described = help ? { 'aria-describedby': `${id}-help` } : {};
  if (type === 'check') {
    return [h('span'), h('label', { class: 'check' }, h('input', { type: 'checkbox', name, id }), label)];
  }
  const options = type === 'count' ? { type: 'number', min: 0, step: 1 } : { type: 'text', autocomplete: 'off', spellcheck: 'false' };
  const input = h('input', { ...options, id, name, value, required, list: list && `${id}-list`, ...described });
  /** @type {Node[]} */
  const nodes = [h('label', { for: id }, label), input];
  if (help) nodes.push(h('small', { id: `${id}-help` }, help));
  if (list) nodes.push(h('datalist', { id: `${id}-list`, hidden: true }, list.map((option) => h('option', { value: option }))));
  return nodes;
}

/** Bytes as people write them. @param {string} text */
export function parseSize(text) {
  const [, digits, unit] = /^\s*(\d+)\s*([KMG]?)(?:i?B)?\s*$/i.exec(text) ?? [];
  if (!digits) throw new Error(t('Expected a number of bytes such as 4096 or 64K, found “{text}”', { text }));
  return Number(digits) * 1024 ** ' KMG'.indexOf((unit || ' ').toUpperCase());
}

/** @param {Field} field @param {string} text */
function meaning({ type, name }, text) {
  if (type === 'check') return true;
  if (type === 'size') return parseSize(text);
  if (type === 'count') return Number(text);
  if (type === 'json') {
    try {
      return JSON.parse(text);
    } catch {
      throw new Error(t('{name}: expected a number, true or false, found “{text}”', { name, text }));
    }
  }
  return text;
}

/** @param {import('./connection.js').Connection} connection @param {import('./model.js').Rows} rows */
export async function createRegion(connection, rows) {
  const all = kinds();
  const general = () => {
    /** @type {Field[]} */
    const fields = [
      { name: 'participants', label: t('Participants'), type: 'count', help: t('Room for so many, 1 to 4095') },
      { name: 'note', label: t('Note'), type: 'text' },
    ];
    return fields;
  };
  const id = h('input', { id: 'create-id', name: 'id', required: true, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'create-id-help' });
  const kind = h('select', { id: 'create-kind', name: 'kind' }, Object.keys(all).map((name) => h('option', { value: name }, name)));
  const special = h('div', { class: 'fields' });
  const show = () => special.replaceChildren(...(all[kind.value] ?? []).flatMap(control));
  kind.addEventListener('change', show);
  show();
  const content = h(
    'div',
    { class: 'view' },
    h(
      'div',
      { class: 'fields' },
      h('label', { for: 'create-id' }, t('Id')), id, h('small', { id: 'create-id-help' }, t('Such as robot/speed: folders come by themselves')),
      h('label', { for: 'create-kind' }, t('Kind')), kind,
    ),
    special,
    h('details', null, h('summary', null, t('More')), h('div', { class: 'fields' }, general().flatMap(control))),
  );
  await ask({
    title: t('Create a region'),
    action: t('Create'),
    content,
    async submit(data) {
      /** @type {Record<string, unknown>} */
      const fields = { id: id.value.trim(), kind: kind.value };
      for (const field of [...(all[kind.value] ?? []), ...general()]) {
        const text = String(data.get(field.name) ?? '');
        if (text !== '') fields[field.name] = meaning(field, text);
      }
      const { ok } = await connection.request('create', fields);
      say(t('Created {id}', { id: ok.id }), 'good');
      if (rows.byId.size === 0 || location.hash.startsWith('#/regions')) location.hash = routeOf(ok.id);
    },
  });
}
