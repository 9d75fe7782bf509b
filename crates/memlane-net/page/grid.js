// @ts-check
// A grid of as many cells as there are, of which only those in sight exist; arrows move, Enter edits.

import { h, setText } from './element.js';
import { padlock } from './padlock.js';
import { say } from './notice.js';
import { t } from './words.js';

const HEIGHT = 24;
const HEAD = 88;
/** Browsers lay out no more pixels than so many. */
const MOST_ROWS = Math.floor(16_000_000 / HEIGHT);

/**
 * `text`: null where nothing is known (yet); `see`: which rows are in sight; `write`: what was typed, throws a misfit.
 * @typedef {{
 *   label: string, rows: number, columns: number, width: number,
 *   rowName(row: number): string, columnName(column: number): string,
 *   text(row: number, column: number): string | null,
 *   see(from: number, to: number): void,
 *   write(row: number, column: number, typed: string): Promise<unknown> | void,
 *   choose?(row: number, column: number): void,
 * }} Source
 * @typedef {{ row: number, column: number, there: string, text: string }} Draft `text` was typed over what was `there`
 */

export class Grid {
  /** @param {Source} source */
  constructor(source) {
    this.row = 0;
    this.column = 0;
    this.rows = Math.min(source.rows, MOST_ROWS);
    /** Over the cell that is edited. @type {HTMLInputElement | null} */
    this.input = null;
    this.edited = { row: 0, column: 0, there: '' };
    this.body = h('div', { class: 'cells-body', role: 'rowgroup' });
    this.head = h('div', { class: 'cells-head', role: 'row', 'aria-rowindex': 1 });
    this.element = h('div', {
      class: 'cells', role: 'grid', tabindex: '0',
      onscroll: () => this.draw(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
      onclick: (/** @type {MouseEvent} */ event) => this.click(event, false), ondblclick: (/** @type {MouseEvent} */ event) => this.click(event, true),
    }, h('div', { role: 'rowgroup', class: 'cells-top' }, this.head), this.body);
    /** @type {HTMLElement[]} */
    this.pool = [];
    this.source = source;
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.element);
    this.replace(source);
  }

  close() {
    this.sizes.disconnect();
  }

  /** Another slice. @param {Source} source */
  replace(source) {
    this.source = source;
    this.rows = Math.min(source.rows, MOST_ROWS);
    this.stop();
    this.row = Math.min(this.row, this.rows - 1);
    this.column = Math.min(this.column, source.columns - 1);
    for (const [name, value] of Object.entries({ 'aria-label': source.label, 'aria-rowcount': source.rows + 1, 'aria-colcount': source.columns + 1 })) {
      this.element.setAttribute(name, String(value));
    }
    const width = HEAD + source.columns * source.width;
    this.body.style.height = `${this.rows * HEIGHT}px`;
    this.body.style.width = this.head.style.width = `${width}px`;
    this.body.replaceChildren();
    this.pool = [];
    this.draw();
  }

  /** Which rows and columns are in sight. */
  get sight() {
    const { scrollTop, scrollLeft, clientHeight, clientWidth } = this.element;
    const { columns, width } = this.source;
    const top = Math.max(0, Math.floor(scrollTop / HEIGHT) - 2);
    const left = Math.max(0, Math.floor(scrollLeft / width) - 1);
    return {
      top, bottom: Math.min(this.rows, top + Math.ceil(clientHeight / HEIGHT) + 4),
      left, right: Math.min(columns, left + Math.ceil(clientWidth / width) + 3),
    };
  }

  draw() {
    const { source } = this;
    const { top, bottom, left, right } = this.sight;
    source.see(top, bottom);
    const names = Array.from({ length: right - left }, (_, at) => left + at);
    this.fit(this.head, names.length + 1, 'columnheader');
    setText(this.head.children[0], '#');
    names.forEach((column, at) => this.put(this.head.children[at + 1], column, source.columnName(column)));
    while (this.pool.length < bottom - top) {
      const row = h('div', { class: 'cells-row', role: 'row' });
      this.pool.push(row);
      this.body.append(row);
    }
    this.pool.forEach((element, at) => {
      const row = top + at;
      element.hidden = row >= bottom;
      if (element.hidden) return;
      element.style.top = `${row * HEIGHT}px`;
      element.setAttribute('aria-rowindex', String(row + 2));
      this.fit(element, names.length + 1, 'gridcell');
      setText(element.children[0], source.rowName(row));
      element.children[0].setAttribute('role', 'rowheader');
      names.forEach((column, slot) => {
        const cell = element.children[slot + 1];
        this.put(cell, column, source.text(row, column) ?? '·');
        const isChosen = row === this.row && column === this.column;
        cell.classList.toggle('chosen', isChosen);
        if (isChosen) {
          cell.id = 'chosen-cell';
          this.element.setAttribute('aria-activedescendant', cell.id);
        } else cell.removeAttribute('id');
      });
    });
    if (this.input) this.placeInput();
  }

  /** @param {Element} row @param {number} count @param {string} role */
  fit(row, count, role) {
    while (row.childElementCount > count) row.lastElementChild?.remove();
    while (row.childElementCount < count) row.append(h('span', { role, class: row.childElementCount ? 'cell' : 'cell cell-name' }));
  }

  /** @param {Element} cell @param {number} column @param {string} text */
  put(cell, column, text) {
    const { style } = /** @type {HTMLElement} */ (cell);
    style.left = `${HEAD + column * this.source.width}px`;
    style.width = `${this.source.width}px`;
    cell.setAttribute('aria-colindex', String(column + 2));
    setText(cell, text);
  }

  /** @param {MouseEvent} event @param {boolean} isEdited */
  click(event, isEdited) {
    if (event.target === this.input) return;
    const cell = /** @type {HTMLElement} */ (event.target).closest('[role="gridcell"]');
    const row = cell?.parentElement;
    if (!cell || !row) return;
    this.go(Number(row.getAttribute('aria-rowindex')) - 2, Number(cell.getAttribute('aria-colindex')) - 2);
    if (isEdited) this.edit(null);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.target === this.input) return;
    const { columns } = this.source;
    const page = Math.max(1, Math.floor(this.element.clientHeight / HEIGHT) - 2);
    /** @type {Record<string, [number, number]>} */
    const moves = {
      ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-page, 0], PageDown: [page, 0],
      Home: event.ctrlKey ? [-this.rows, -columns] : [0, -columns], End: event.ctrlKey ? [this.rows, columns] : [0, columns],
    };
    const move = moves[event.key];
    if (move) this.go(this.row + move[0], this.column + move[1]);
    else if (event.key === 'Enter' || event.key === 'F2') this.edit(null);
    else if (event.key.length === 1 && /[-+.\w]/.test(event.key) && !event.ctrlKey && !event.metaKey && !event.altKey) this.edit(event.key);
    else return;
    event.preventDefault();
  }

  /** @param {number} row @param {number} column */
  go(row, column) {
    const { columns, width } = this.source;
    if (!this.draft) this.stop();
    this.row = Math.min(Math.max(row, 0), this.rows - 1);
    this.column = Math.min(Math.max(column, 0), columns - 1);
    const { element } = this;
    const [y, x] = [this.row * HEIGHT, this.column * width];
    if (y < element.scrollTop) element.scrollTop = y;
    else if (y > element.scrollTop + element.clientHeight - 2 * HEIGHT - 8) element.scrollTop = y - element.clientHeight + 2 * HEIGHT + 8;
    if (x < element.scrollLeft) element.scrollLeft = x;
    else if (x + width > element.scrollLeft + element.clientWidth - HEAD) element.scrollLeft = x + width - element.clientWidth + HEAD;
    this.source.choose?.(this.row, this.column);
    this.draw();
  }

  /** @param {string | null} typed what the person began with; null: what is there */
  edit(typed) {
    if (padlock.locked) return say(padlock.reason ?? '', 'bad');
    const { row, column } = this;
    const there = this.source.text(row, column);
    if (there === null || !this.isSettled()) return;
    const input = this.open({ row, column, there, text: typed ?? there });
    input.focus();
    if (typed === null) input.select();
    else input.setSelectionRange(typed.length, typed.length);
  }

  /** What was typed and not written. @returns {Draft | null} */
  get draft() {
    const { input, edited } = this;
    return input && input.value !== edited.there ? { ...edited, text: input.value } : null;
  }

  /** Whether nothing is typed and not written; if so, that is what is to be done first. */
  isSettled() {
    if (!this.draft) return true;
    say(t('Something typed is not written yet: Enter writes it, Escape discards it'));
    this.input?.focus();
    return false;
  }

  /** @param {Draft} draft */
  open({ row, column, there, text }) {
    const { source } = this;
    const label = t('{row}, {column}', { row: source.rowName(row), column: source.columnName(column) });
    this.stop();
    this.edited = { row, column, there };
    this.input = h('input', {
      type: 'text', class: 'cell-input', 'aria-label': label, autocomplete: 'off', value: text,
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.typed(event, row, column), onblur: () => this.draft ?? this.stop(),
    });
    this.body.append(this.input);
    this.placeInput();
    return this.input;
  }

  placeInput() {
    const { style } = /** @type {HTMLElement} */ (this.input);
    style.top = `${this.edited.row * HEIGHT}px`;
    style.left = `${HEAD + this.edited.column * this.source.width}px`;
    style.width = `${this.source.width}px`;
  }

  /** @param {KeyboardEvent} event @param {number} row @param {number} column */
  async typed(event, row, column) {
    const { input } = this;
    event.stopPropagation();
    if (!input || (event.key !== 'Enter' && event.key !== 'Escape' && event.key !== 'Tab')) return;
    event.preventDefault();
    try {
      if (event.key !== 'Escape') await this.source.write(row, column, input.value);
      this.stop();
      this.element.focus();
      if (event.key !== 'Escape') this.go(event.key === 'Enter' ? row + 1 : row, event.key === 'Tab' ? column + 1 : column);
    } catch (error) {
      input.setAttribute('aria-invalid', 'true');
      say(/** @type {Error} */ (error).message, 'bad');
    }
  }

  stop() {
    const { input } = this;
    this.input = null;
    input?.remove();
  }
}
