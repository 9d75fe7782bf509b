// @ts-check
// A table of ten thousand rows of which only those in view exist. It is drawn at most once a frame, and only where a
// text differs. The up and down keys move from row to row, Enter opens one.

import { h, setText } from './element.js';

/**
 * @template R
 * @typedef {object} Column
 * @property {string} key
 * @property {string} title
 * @property {string} width as in CSS's grid-template-columns
 * @property {string} [style] classes of its cells
 * @property {(row: R) => string} text
 * @property {(row: R) => string} [tone] a class that depends on the row
 * @property {(row: R) => string | undefined} [hint]
 */

/**
 * A row, or the head of a folder.
 * @template R
 * @typedef {{key: string, row: R} | {key: string, folder: string, count: number, open: boolean}} Item
 */

/** In pixels, as in style.css. */
const ROW = 28;
/** Rows that are kept ready above and below. */
const SPARE = 6;

/** @typedef {{element: HTMLElement, cells: HTMLElement[], link: HTMLElement, used: number, index: number}} Line */

/** @template R */
export class Table {
  #columns;
  #link;
  #tone;
  #onSort;
  #onFolder;
  /** @type {Item<R>[]} */
  #items = [];
  /** Those that exist, by key. @type {Map<string, Line>} */
  #lines = new Map();
  /** Not in use, by whether they are folders. @type {Record<string, Line[]>} */
  #idle = { true: [], false: [] };
  #frame = 0;
  #drawing = 0;
  /** The row that the keyboard is at. */
  #active = '';
  #head = h('div', { role: 'row', class: 'grid-head', 'aria-rowindex': 1 });
  #body = h('div', { role: 'rowgroup', class: 'grid-body' });
  element;

  /**
   * @param {object} options
   * @param {string} options.label
   * @param {Column<R>[]} options.columns
   * @param {(row: R) => string} options.link where a row leads
   * @param {(row: R) => string} options.tone classes of a row
   * @param {(key: string) => void} options.onSort
   * @param {(folder: string) => void} options.onFolder opens or closes it
   */
  constructor({ label, columns, link, tone, onSort, onFolder }) {
    this.#columns = columns;
    this.#link = link;
    this.#tone = tone;
    this.#onSort = onSort;
    this.#onFolder = onFolder;
    const heads = h('div', { role: 'rowgroup', class: 'grid-top' }, this.#head);
    this.element = h('div', { role: 'table', class: 'grid', 'aria-label': label, 'aria-colcount': columns.length }, heads, this.#body);
    this.element.addEventListener('scroll', () => this.draw(), { passive: true });
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('focusin', () => {
      this.#active = this.#focused()?.[0] ?? this.#active;
    });
    this.#size = new ResizeObserver(() => this.draw());
    this.#size.observe(this.element);
    this.#makeHead();
  }

  #size;

  close() {
    this.#size.disconnect();
    cancelAnimationFrame(this.#frame);
  }

  /** @param {Column<R>[]} columns others, for another width */
  set columns(columns) {
    this.#columns = columns;
    this.element.setAttribute('aria-colcount', String(columns.length));
    for (const line of this.#lines.values()) line.element.remove();
    this.#lines.clear();
    this.#idle = { true: [], false: [] };
    this.#makeHead();
    this.draw();
  }

  #makeHead() {
    const least = this.#columns.reduce((sum, { width }) => sum + Number(/\d+/.exec(width)?.[0] ?? 0), 0);
    this.element.style.setProperty('--columns', this.#columns.map(({ width }) => width).join(' '));
    this.element.style.setProperty('--least', `${least}px`);
    this.#head.replaceChildren(
      ...this.#columns.map(({ key, title, style }) =>
        h('div', { role: 'columnheader', class: style ?? '', 'data-key': key }, h('button', { onclick: () => this.#onSort(key) }, title)),
      ),
    );
  }

  /** @param {string} key @param {boolean} descending */
  markSort(key, descending) {
    for (const head of this.#head.children) {
      if (head.getAttribute('data-key') === key) head.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
  }

  get items() {
    return this.#items;
  }

  /** @param {Item<R>[]} items all of them, in order */
  set items(items) {
    this.#items = items;
    this.element.setAttribute('aria-rowcount', String(items.length + 1));
    this.draw();
  }

  /** Where the person is in it. */
  get place() {
    return { top: this.element.scrollTop, active: this.#active };
  }

  /** @param {{top: number, active: string}} place */
  set place({ top, active }) {
    this.#active = active;
    this.#drawNow();
    this.element.scrollTop = top;
    this.#drawNow();
  }

  /** Gives the keyboard to the row where it was last, else to the first in view. */
  focus() {
    const index = this.#items.findIndex(({ key }) => key === this.#active);
    return this.#go(index < 0 ? Math.ceil(this.element.scrollTop / ROW) : index);
  }

  draw() {
    this.#frame ||= requestAnimationFrame(() => this.#drawNow());
  }

  #drawNow() {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    this.#drawing += 1;
    const { scrollTop, clientHeight } = this.element;
    const first = Math.max(0, Math.floor(scrollTop / ROW) - SPARE);
    const end = Math.min(this.#items.length, Math.ceil((scrollTop + clientHeight) / ROW) + SPARE);
    this.#body.style.height = `${this.#items.length * ROW}px`;
    /** @type {[Item<R>, number][]} */
    const missing = [];
    for (let index = first; index < end; index += 1) {
      const item = this.#items[index];
      if (!item) continue;
      const line = this.#lines.get(item.key);
      if (line) this.#fill(line, item, index);
      else missing.push([item, index]);
    }
    this.#recycle();
    for (const [item, index] of missing) {
      const isFolder = 'folder' in item;
      const line = this.#idle[String(isFolder)]?.pop() ?? (isFolder ? this.#folderLine() : this.#rowLine());
      this.#lines.set(item.key, line);
      this.#fill(line, item, index);
    }
    this.#keepInOrder();
  }

  /** What is out of view is used for other rows; what has the focus stays, so that the keyboard is not lost. */
  #recycle() {
    for (const [key, line] of this.#lines) {
      if (line.used === this.#drawing) continue;
      if (line.element.contains(document.activeElement) && this.#items.some((item) => item.key === key)) continue;
      this.#lines.delete(key);
      line.element.remove();
      this.#idle[String(line.cells.length === 0)]?.push(line);
    }
  }

  /** Screen readers and tests read rows in the document's order. */
  #keepInOrder() {
    const lines = [...this.#lines.values()].sort((one, other) => one.index - other.index);
    /** @type {Element | null} */
    let before = null;
    for (const { element } of lines) {
      const next = /** @type {Element | null} */ (before ? before.nextElementSibling : this.#body.firstElementChild);
      // Moving an element takes the focus from it.
      if (next !== element && !element.contains(document.activeElement)) this.#body.insertBefore(element, next);
      before = element;
    }
  }

  /** @returns {Line} */
  #rowLine() {
    const link = h('a', { tabindex: -1 });
    const cells = this.#columns.map(({ style = '', key }) => h('div', { role: 'cell', class: style }, key === 'id' ? link : null));
    return { element: h('div', { role: 'row' }, cells), cells, link, used: 0, index: 0 };
  }

  /** @returns {Line} */
  #folderLine() {
    const link = h('button', { tabindex: -1 });
    const cell = h('div', { role: 'cell', 'aria-colspan': this.#columns.length }, link);
    const line = { element: h('div', { role: 'row', class: 'grid-row folder' }, cell), cells: [], link, used: 0, index: 0 };
    link.addEventListener('click', () => {
      const item = this.#items[line.index];
      if (item && 'folder' in item) this.#onFolder(item.folder);
    });
    return line;
  }

  /** @param {Line} line @param {Item<R>} item @param {number} index */
  #fill(line, item, index) {
    const { element, link } = line;
    line.used = this.#drawing;
    if (line.index !== index || !element.style.transform) {
      line.index = index;
      element.style.transform = `translateY(${index * ROW}px)`;
      element.setAttribute('aria-rowindex', String(index + 2));
    }
    link.tabIndex = item.key === this.#active || (!this.#active && index === 0) ? 0 : -1;
    if ('folder' in item) {
      link.setAttribute('aria-expanded', String(item.open));
      return setText(link, `${item.open ? '▾' : '▸'} ${item.folder || '/'} (${item.count})`);
    }
    const { row } = item;
    setAttribute(element, 'class', `grid-row ${this.#tone(row)}`);
    setAttribute(element, 'aria-label', item.key);
    setAttribute(link, 'href', this.#link(row));
    this.#columns.forEach(({ key, text, tone, style = '', hint }, number) => {
      const cell = line.cells[number];
      if (!cell) return;
      setText(key === 'id' ? link : cell, text(row));
      if (tone) setAttribute(cell, 'class', `${style} ${tone(row)}`);
      if (hint) setAttribute(cell, 'title', hint(row) ?? '');
    });
  }

  #focused() {
    return [...this.#lines].find(([, { element }]) => element.contains(document.activeElement));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || !this.#body.contains(document.activeElement)) return;
    const focused = this.#focused();
    if (!focused) return;
    const [, { index }] = focused;
    const page = Math.max(1, Math.floor(this.element.clientHeight / ROW) - 2);
    /** @type {Record<string, number>} */
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    const item = this.#items[index];
    if (step !== undefined) {
      event.preventDefault();
      this.#go(Math.min(Math.max(index + step, 0), this.#items.length - 1));
    } else if (item && 'folder' in item && event.key === (item.open ? 'ArrowLeft' : 'ArrowRight')) {
      this.#onFolder(item.folder);
    }
  }

  /** @param {number} index */
  #go(index) {
    const item = this.#items[index];
    if (!item) return false;
    this.#active = item.key;
    const head = this.#head.offsetHeight;
    const { scrollTop, clientHeight } = this.element;
    if (index * ROW < scrollTop) this.element.scrollTop = index * ROW;
    else if ((index + 1) * ROW + head > scrollTop + clientHeight) this.element.scrollTop = (index + 1) * ROW + head - clientHeight;
    this.#drawNow();
    this.#lines.get(item.key)?.link.focus({ preventScroll: true });
    this.#drawNow();
    return true;
  }
}

/** @param {Element} element @param {string} name @param {string} value */
function setAttribute(element, name, value) {
  if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}
