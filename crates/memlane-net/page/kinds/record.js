// @ts-check
// A record as a form: each field shows what is there and is written alone.

import { h } from '../element.js';
import { field } from '../field.js';
import { History } from '../history.js';
import { Pane } from '../pane.js';
import { ofRecord } from '../places.js';
import { leaves, parse, sizeOf } from '../schema.js';
import { t } from '../words.js';

/** @typedef {import('../schema.js').Leaf} Leaf */

/** Looks a second. */
const RATE = 15;
/** Scalars that are shown. */
const MOST = 512;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const schema = parse(context.document.schema);
  const history = new History();
  const found = leaves(schema, MOST);
  /** @type {{ leaf: Leaf, field: import('../field.js').Field }[]} */
  const fields = found.map((leaf) => {
    const place = ofRecord(context, leaf);
    return {
      leaf,
      field: field({
        name: leaf.path, type: leaf.type, unit: leaf.unit, steps: !leaf.path.endsWith(']'),
        write: (bytes, before) => history.write(leaf.path, place, before, bytes),
      }),
    };
  });
  for (const { leaf, field: { typed, restore } } of fields) pane.keep(leaf.path, typed, restore);
  const isCut = found.length === MOST && sizeOf(schema) > found[MOST - 1].offset + found[MOST - 1].type.size;

  pane.add(
    h('div', { class: 'toolbar' }, history.button),
    form(fields.map(({ leaf, field: { element } }) => ({ leaf, element }))),
    isCut ? h('p', { class: 'quiet' }, t('Only the first {n} numbers are shown.', { n: MOST })) : null,
  );
  pane.follow(() => ({ form: 'bytes', rate: RATE }), (_, payload) => {
    for (const { leaf, field: { show } } of fields) show(payload.subarray(leaf.offset, leaf.offset + leaf.type.size));
  });
  return pane;
}

/**
 * Rows of names and controls; records in records are groups, numbers of an array stand beside each other.
 * @param {{ leaf: Leaf, element: HTMLElement }[]} entries
 */
function form(entries) {
  const root = h('div', { class: 'form' });
  /** @type {Map<string, HTMLElement>} */
  const groups = new Map([['', root]]);
  /** @type {Map<string, HTMLElement>} */
  const rows = new Map();
  for (const { leaf, element } of entries) {
    const [, around, name, index] = /** @type {RegExpExecArray} */ (/^(?:(.*)\.)?([^.[]*)((?:\[[\d,]*\])?)$/.exec(leaf.path) ?? ['', '', leaf.path, '']);
    const path = around ? `${around}.${name}` : name;
    let row = rows.get(path);
    if (!row) {
      row = h('div', { class: 'form-controls' });
      rows.set(path, row);
      group(groups, around ?? '').append(h('div', { class: 'form-row' }, h('span', { class: 'form-name' }, name), row));
    }
    row.append(index ? h('label', { class: 'indexed' }, h('span', { class: 'index' }, index.slice(1, -1)), element) : element);
  }
  return root;
}

/** @param {Map<string, HTMLElement>} groups @param {string} path @returns {HTMLElement} */
function group(groups, path) {
  const known = groups.get(path);
  if (known) return known;
  const end = path.lastIndexOf('.');
  const made = h('fieldset', { class: 'form-group' }, h('legend', {}, path.slice(end + 1)));
  group(groups, end < 0 ? '' : path.slice(0, end)).append(made);
  groups.set(path, made);
  return made;
}
