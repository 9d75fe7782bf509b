// @ts-check
// Bytes in rows of sixteen: where, what, and as ASCII; a page at a time. A byte can be chosen.

import { h, setText } from './element.js';
import { bytes as inBytes, number, t } from './words.js';

/** @typedef {{ size: number, read: (start: number, count: number) => Promise<Uint8Array>, choose?: (offset: number, byte: number) => void }} Options `choose`: a byte was chosen */

const ACROSS = 16;
const ROWS = 32;
const PAGE = ACROSS * ROWS;

export class Hex {
  /** @param {Options} options */
  constructor({ size, read, choose }) {
    this.size = size;
    this.read = read;
    this.choose = choose;
    this.start = 0;
    /** @type {Uint8Array | null} */
    this.shown = null;
    this.chosen = -1;
    this.isBusy = false;
    this.address = /** @type {HTMLInputElement} */ (
      h('input', { type: 'text', class: 'entry number', 'aria-label': t('Go to byte'), placeholder: '0x0', onchange: () => this.goTo(Number(this.address.value)) })
    );
    this.where = h('span', { class: 'quiet', role: 'status' });
    const button = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {() => number} */ to) =>
      h('button', { type: 'button', 'aria-label': label, title: label, onclick: () => this.goTo(to()) }, sign);
    this.body = /** @type {HTMLTableSectionElement} */ (h('tbody', {
      onclick: (/** @type {MouseEvent} */ event) => this.click(event),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    }));
    const heads = Array.from({ length: ACROSS }, (_, column) => h('th', { scope: 'col' }, column.toString(16)));
    this.element = h('div', { class: 'hex' },
      h('div', { class: 'toolbar' },
        button(t('First page'), '|◀', () => 0),
        button(t('Page before'), '◀', () => this.start - PAGE),
        button(t('Next page'), '▶', () => this.start + PAGE),
        button(t('Last page'), '▶|', () => size),
        this.address, this.where),
      h('div', { class: 'hex-scroll', tabindex: '0', role: 'region', 'aria-label': t('Bytes') },
        h('table', { class: 'hex-table' }, h('thead', {}, h('tr', {}, h('th', { scope: 'col' }, t('Offset')), heads, h('th', { scope: 'col' }, 'ASCII'))), this.body)));
  }

  /** @param {number} offset */
  goTo(offset) {
    if (!Number.isFinite(offset)) return;
    const last = Math.max(0, Math.floor((this.size - 1) / PAGE) * PAGE);
    this.start = Math.min(Math.max(Math.floor(offset / ACROSS) * ACROSS, 0), Math.max(last, 0));
    this.shown = null;
    this.refresh();
  }

  /** Reads the page that is shown; what changed since is marked. */
  async refresh() {
    if (this.isBusy) return;
    this.isBusy = true;
    const { start } = this;
    try {
      const bytes = await this.read(start, Math.min(PAGE, this.size - start));
      if (start === this.start) this.show(bytes);
    } catch (error) {
      setText(this.where, /** @type {Error} */ (error).message);
    } finally {
      this.isBusy = false;
    }
    if (start !== this.start) await this.refresh();
  }

  /** @param {Uint8Array} bytes of the page */
  show(bytes) {
    const before = this.shown;
    this.shown = bytes.slice();
    this.where.textContent = t('{from} to {to} of {size}', { from: number(this.start), to: number(this.start + bytes.length), size: inBytes(this.size) });
    if (!before || before.length !== bytes.length) return this.draw(bytes);
    const cells = this.body.querySelectorAll('td[data-at]');
    bytes.forEach((byte, at) => {
      const isNew = before[at] !== byte;
      cells[at].classList.toggle('changed', isNew);
      if (!isNew) return;
      cells[at].textContent = hexadecimal(byte);
      const row = Math.floor(at / ACROSS);
      this.body.rows[row].cells[ACROSS + 1].textContent = ascii(bytes.subarray(row * ACROSS, (row + 1) * ACROSS));
    });
  }

  /** @param {Uint8Array} bytes */
  draw(bytes) {
    const rows = [];
    for (let row = 0; row < bytes.length; row += ACROSS) {
      const cells = Array.from({ length: ACROSS }, (_, column) => {
        const at = row + column;
        if (at >= bytes.length) return h('td', {});
        const properties = this.choose ? { 'data-at': at, tabindex: at === 0 ? '0' : '-1' } : { 'data-at': at };
        return h('td', properties, hexadecimal(bytes[at]));
      });
      const offset = (this.start + row).toString(16).padStart(8, '0');
      rows.push(h('tr', {}, h('th', { scope: 'row' }, offset), cells, h('td', { class: 'ascii' }, ascii(bytes.subarray(row, row + ACROSS)))));
    }
    this.body.replaceChildren(...rows);
    this.mark();
  }

  /** @param {MouseEvent} event */
  click(event) {
    const at = /** @type {HTMLElement} */ (event.target).dataset.at;
    if (at !== undefined) this.pick(Number(at));
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const at = Number(/** @type {HTMLElement} */ (event.target).dataset.at ?? NaN);
    const step = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, ArrowUp: -ACROSS, ArrowDown: ACROSS })[event.key];
    if (Number.isNaN(at)) return;
    if (event.key === 'Enter') this.pick(at);
    else if (event.key === 'PageDown' || event.key === 'PageUp') this.goTo(this.start + (event.key === 'PageDown' ? PAGE : -PAGE));
    else if (step) /** @type {HTMLElement | null} */ (this.body.querySelector(`td[data-at="${at + step}"]`))?.focus();
    else return;
    event.preventDefault();
  }

  /** @param {number} at in the page */
  pick(at) {
    if (!this.choose || !this.shown) return;
    this.chosen = this.start + at;
    this.mark();
    this.choose(this.chosen, this.shown[at]);
  }

  mark() {
    this.body.querySelector('.chosen')?.classList.remove('chosen');
    this.body.querySelector(`td[data-at="${this.chosen - this.start}"]`)?.classList.add('chosen');
  }
}

/** @param {number} byte */
function hexadecimal(byte) {
  return byte.toString(16).padStart(2, '0');
}

/** @param {Uint8Array} bytes */
function ascii(bytes) {
  return Array.from(bytes, (byte) => (byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '·')).join('');
}
