// @ts-check
// All regions of the space: what they are, what they hold, who uses them.

import { createRegion } from '../create.js';
import { columns, volatile } from '../columns.js';
import { deleteRegion } from '../delete.js';
import { h, setText } from '../element.js';
import { folderOf, routeOf, toneOf } from '../model.js';
import { guard } from '../padlock.js';
import { Table } from '../table.js';
import { number, t } from '../words.js';

/** @typedef {import('../main.js').Context} Context */
/** @typedef {import('../model.js').Row} Row */
/** @typedef {import('../table.js').Item<Row>} Item */

/** Below this width of the page only the most important columns are shown. */
const NARROW = matchMedia('(max-width: 720px)');
/** So that ages go on and new rows grow old when nothing happens, in milliseconds. */
const TICK = 1000;

/** What a person finds as it was on coming back. */
const kept = { filter: '', sort: 'id', descending: false, grouped: false, closed: new Set(), place: { top: 0, active: '' } };

/** @param {Context} context */
export function create({ connection, rows }) {
  let order = -1;
  let shown = 0;
  const table = new Table({
    label: t('Regions'),
    columns: columns(NARROW.matches),
    link: (row) => routeOf(row.id),
    tone: (row) => (['amber', 'red'].includes(toneOf(row.state)) ? toneOf(row.state) : isNew(row) ? 'new' : ''),
    onSort(key) {
      kept.descending = kept.sort === key && !kept.descending;
      kept.sort = key;
      arrange();
    },
    onFolder(folder) {
      if (!kept.closed.delete(folder)) kept.closed.add(folder);
      arrange();
    },
  });

  const filter = h('input', {
    type: 'search',
    'aria-label': t('Filter'),
    placeholder: t('Filter ( / )'),
    value: kept.filter,
    autocomplete: 'off',
    spellcheck: 'false',
    oninput: () => {
      kept.filter = filter.value;
      arrange();
    },
    onkeydown: (/** @type {KeyboardEvent} */ event) => {
      if (event.key === 'ArrowDown' || event.key === 'Enter') {
        event.preventDefault();
        table.focus();
      } else if (event.key === 'Escape') {
        filter.value = kept.filter = '';
        arrange();
      }
    },
  });
  const grouped = h('input', {
    type: 'checkbox',
    checked: kept.grouped,
    onchange: () => {
      kept.grouped = grouped.checked;
      arrange();
    },
  });
  const count = h('span', { class: 'faint', role: 'status', 'aria-label': t('Count') });
  const empty = h('p', { class: 'empty' });
  const make = guard(h('button', { class: 'primary', onclick: () => createRegion(connection, rows) }, t('Create …')));
  const element = h(
    'div',
    { class: 'view full' },
    h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Regions')), count, h('span', { class: 'grow' }), filter, h('label', { class: 'check' }, grouped, t('Group by folder')), make),
    empty,
    table.element,
  );

  function arrange() {
    order = rows.order;
    const words = kept.filter.toLowerCase().split(/\s+/).filter(Boolean);
    const found = [...rows.byId.values()].filter((row) => isWanted(row, words));
    sort(found);
    shown = found.length;
    table.items = kept.grouped ? inFolders(found) : found.map((row) => ({ key: row.id, row }));
    table.markSort(kept.sort, kept.descending);
    say();
  }

  function say() {
    const all = rows.byId.size;
    setText(count, !rows.known ? '' : shown === all ? t('{n} regions', { n: number(all) }) : t('{n} of {all} regions', { n: number(shown), all: number(all) }));
    const why = rows.fault ?? (!rows.known ? t('Loading …') : all === 0 ? t('There are no regions yet. A program makes them, or Create does.') : shown === 0 ? t('No region fits the filter') : '');
    setText(empty, why);
    empty.hidden = why === '';
    table.element.hidden = why !== '';
  }

  function update() {
    if (order !== rows.order || volatile.has(kept.sort) || kept.filter) return arrange();
    // The rows are other objects now, in the same order.
    for (const item of table.items) if ('row' in item) item.row = rows.byId.get(item.key) ?? item.row;
    say();
    table.draw();
  }

  const tick = setInterval(() => !document.hidden && table.draw(), TICK);
  const key = (/** @type {KeyboardEvent} */ event) => {
    const inField = event.target instanceof Element && event.target.closest('input, textarea, select, dialog');
    if (event.key === '/' && !inField && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      filter.select();
    } else if (event.key === 'Delete' && !make.disabled && table.element.contains(document.activeElement)) {
      const id = document.activeElement?.closest('[role="row"]')?.getAttribute('aria-label');
      if (id) deleteRegion(connection, id);
    }
  };
  const widen = () => (table.columns = columns(NARROW.matches));
  document.addEventListener('keydown', key);
  NARROW.addEventListener('change', widen);
  rows.addEventListener('change', update);
  rows.follow();
  arrange();
  const restore = () => (table.place = kept.place);
  queueMicrotask(restore);
  return {
    element,
    focus() {
      restore();
      return kept.place.active !== '' && table.focus();
    },
    close() {
      kept.place = table.place;
      rows.removeEventListener('change', update);
      rows.rest();
      NARROW.removeEventListener('change', widen);
      document.removeEventListener('keydown', key);
      clearInterval(tick);
      table.close();
    },
  };
}

/** @param {Row} row */
function isNew(row) {
  return row.newUntil !== undefined && row.newUntil > performance.now();
}

/** @param {Row} row @param {string[]} words all of which are in what a person would look for */
function isWanted(row, words) {
  if (words.length === 0) return true;
  const text = `${row.id} ${row.kind} ${row.state} ${row.note ?? ''} ${row.writer ?? ''} ${row.lock_holder ?? ''}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/** @param {Row[]} rows in place; those without a value come last whichever way */
function sort(rows) {
  const column = columns(false).find(({ key }) => key === kept.sort);
  const sign = kept.descending ? -1 : 1;
  const keyed = rows.map((row) => ({ row, key: column?.order(row) ?? null }));
  keyed.sort((one, other) => {
    if (one.key === null || other.key === null) return one.key === other.key ? compare(one.row.id, other.row.id) : one.key === null ? 1 : -1;
    return sign * compare(one.key, other.key) || compare(one.row.id, other.row.id);
  });
  keyed.forEach(({ row }, index) => (rows[index] = row));
}

/** @template {string | number} T @param {T} one @param {T} other */
function compare(one, other) {
  return one < other ? -1 : one > other ? 1 : 0;
}

/** @param {Row[]} rows @returns {Item[]} */
function inFolders(rows) {
  /** @type {Map<string, Row[]>} */
  const folders = new Map();
  for (const row of rows) {
    const folder = folderOf(row.id);
    const inside = folders.get(folder);
    if (inside) inside.push(row);
    else folders.set(folder, [row]);
  }
  return [...folders.keys()].sort().flatMap((folder) => {
    const inside = folders.get(folder) ?? [];
    const open = !kept.closed.has(folder);
    /** @type {Item[]} */
    const items = [{ key: `${folder}/`, folder, count: inside.length, open }];
    return open ? items.concat(inside.map((row) => ({ key: row.id, row }))) : items;
  });
}
