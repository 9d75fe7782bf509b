// @ts-check
// A small table that is brought up to date in place, so that focus and selection stay while it changes.

import { h, setText } from './element.js';

/**
 * A text, or something to be made, again whenever its `text` is another one.
 * @typedef {string | {text: string, make: () => Node | Node[]}} Cell
 * @typedef {{key: string, tone?: string, cells: Cell[]}} Row
 * @typedef {{title: string, style?: string, untold?: boolean}} Column `untold`: seen by screen readers alone
 */

export class Sheet {
  /** @type {Map<string, {element: HTMLTableRowElement, texts: (string | undefined)[]}>} */
  #lines = new Map();
  #columns;
  #body = h('tbody');
  #empty;
  #table;
  element;

  /** @param {{label: string, columns: Column[], empty: string}} options `empty`: what is said when there are no rows */
  constructor({ label, columns, empty }) {
    this.#columns = columns;
    this.#empty = h('p', { class: 'empty', hidden: true }, empty);
    const heads = columns.map(({ title, style, untold }) => h('th', { scope: 'col', class: style }, untold ? h('span', { class: 'unseen' }, title) : title));
    this.#table = h('table', { class: 'sheet', 'aria-label': label, hidden: true }, h('thead', null, h('tr', null, heads)), this.#body);
    this.element = h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': label }, this.#table, this.#empty);
  }

  /** @param {Row[]} rows all of them, in order */
  show(rows) {
    this.#empty.hidden = rows.length > 0;
    this.#table.hidden = rows.length === 0;
    const keys = new Set(rows.map(({ key }) => key));
    for (const [key, { element }] of this.#lines) {
      if (keys.has(key)) continue;
      element.remove();
      this.#lines.delete(key);
    }
    rows.forEach((row, index) => {
      let line = this.#lines.get(row.key);
      if (!line) {
        const cells = this.#columns.map(({ title, style, untold }) => h('td', { class: style, 'data-title': untold ? null : title }));
        line = { element: h('tr', null, cells), texts: [] };
        this.#lines.set(row.key, line);
      }
      const there = this.#body.children[index] ?? null;
      if (there !== line.element) this.#body.insertBefore(line.element, there);
      if (line.element.className !== (row.tone ?? '')) line.element.className = row.tone ?? '';
      row.cells.forEach((cell, number) => this.#fill(/** @type {NonNullable<typeof line>} */ (line), cell, number));
    });
  }

  /** @param {{element: HTMLTableRowElement, texts: (string | undefined)[]}} line @param {Cell} cell @param {number} number */
  #fill({ element, texts }, cell, number) {
    const text = typeof cell === 'string' ? cell : cell.text;
    const place = element.cells[number];
    if (!place || texts[number] === text) return;
    texts[number] = text;
    if (typeof cell === 'string') return setText(place, text);
    const made = cell.make();
    place.replaceChildren(...(Array.isArray(made) ? made : [made]));
  }
}
