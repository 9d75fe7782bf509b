// @ts-check
// What the table of regions shows of each.

import { toneOf } from './model.js';
import { bytes, duration, number, secondsSince, t } from './words.js';

/** @typedef {import('./model.js').Row} Row */
/** @typedef {import('./table.js').Column<Row> & {order: (row: Row) => string | number | null}} Column */

/** What changes while the ids stay the same: sorted anew each time. */
export const volatile = new Set('state preview rate bytes age writer readers version holder'.split(' '));

/** The order of how much a person should care. */
const URGENCY = ['dead_owner', 'dead_publisher', 'inconsistent', 'unreadable', 'stale', 'live', 'quiet'];

/** @param {string | undefined} state */
export function stateName(state) {
  switch (state) {
    case 'live': return t('live');
    case 'quiet': return t('quiet');
    case 'stale': return t('stale');
    case 'dead_owner': return t('owner dead');
    case 'inconsistent': return t('inconsistent');
    case 'dead_publisher': return t('publisher dead');
    case 'unreadable': return t('unreadable');
    default: return state ?? '';
  }
}

/** A schema with its lengths and names, without what only machines care for. @param {Row} row */
function shape({ schema }) {
  return schema?.split(/ (?:unit|encoding)=/)[0]?.replace(/[|<]/g, '') ?? '';
}

/** @param {Row} row seconds since it last changed */
function age(row) {
  return row.changed_at ? secondsSince(row.changed_at) : null;
}

/** @param {number | null | undefined} n @param {(n: number) => string} show */
function maybe(n, show) {
  return n === null || n === undefined ? '' : show(n);
}

/** @param {boolean} narrow @returns {Column[]} */
export function columns(narrow) {
  /** @type {Column[]} */
  const all = [
    {
      key: 'state', title: t('State'), width: narrow ? '26px' : '102px', style: 'state', tone: ({ state }) => toneOf(state),
      text: ({ state }) => stateName(state), hint: ({ state }) => stateName(state), order: ({ state }) => URGENCY.indexOf(state ?? ''),
    },
    { key: 'id', title: t('Id'), width: narrow ? 'minmax(110px, 1fr)' : 'minmax(150px, 1fr)', style: 'id', text: ({ id }) => id, hint: ({ id, note }) => (note ? `${id}: ${note}` : id), order: ({ id }) => id },
    { key: 'kind', title: t('Kind'), width: '92px', text: ({ kind }) => kind ?? '', order: ({ kind }) => kind ?? null },
    {
      key: 'preview', title: t('Preview'), width: narrow ? 'minmax(100px, 1.2fr)' : 'minmax(172px, 1.6fr)', style: 'mono', text: ({ error, preview }) => error ?? preview ?? '',
      hint: ({ error, preview }) => error ?? preview ?? '', order: ({ preview }) => preview ?? null,
    },
    // With room for a program's name and a pid.
    {
      key: 'holder', title: t('Lock holder'), width: 'minmax(150px, 0.5fr)', text: ({ lock_holder: holder }) => holder ?? '',
      hint: ({ lock_holder: holder }) => holder ?? '', order: ({ lock_holder: holder }) => holder ?? null,
    },
    { key: 'writer', title: t('Writer'), width: 'minmax(138px, 0.5fr)', text: ({ writer }) => writer ?? '', hint: ({ writer }) => writer ?? '', order: ({ writer }) => writer ?? null },
    { key: 'readers', title: t('Readers'), width: '78px', style: 'number', text: ({ readers }) => maybe(readers || null, number), order: ({ readers }) => readers ?? null },
    { key: 'rate', title: t('Rate'), width: '72px', style: 'number', text: ({ rate }) => maybe(rate, (n) => (n ? t('{n} Hz', { n: number(n) }) : '')), order: ({ rate }) => rate ?? null },
    { key: 'age', title: t('Age'), width: narrow ? '68px' : '74px', style: 'number', text: (row) => maybe(age(row), duration), order: age },
    { key: 'version', title: t('Version'), width: '66px', style: 'number', text: ({ version }) => maybe(version, number), order: ({ version }) => version ?? null },
    // What comes from here on is beyond the edge of a small screen.
    { key: 'shape', title: t('Shape'), width: 'minmax(80px, 0.4fr)', style: 'mono', text: shape, hint: ({ schema }) => schema ?? '', order: (row) => shape(row) || null },
    { key: 'size', title: t('Size'), width: '70px', style: 'number', text: ({ size }) => maybe(size, bytes), order: ({ size }) => size ?? null },
    {
      key: 'bytes', title: t('Bytes/s'), width: '78px', style: 'number',
      text: ({ bytes_per_second: n }) => maybe(n, (n) => (n ? `${bytes(n)}/s` : '')), order: ({ bytes_per_second: n }) => n ?? null,
    },
  ];
  return narrow ? all.filter(({ key }) => ['state', 'id', 'preview', 'age'].includes(key)) : all;
}
