// @ts-check
// The elements of an array that a person looks at: all of a small one as it changes, of a large one what is seen.

import { viewOf } from './places.js';
import { count } from './schema.js';

/** Larger arrays are read in pieces. */
const SMALL = 1 << 20;
/** Looks a second. */
const RATE = 10;
/** Milliseconds between two looks at a piece. */
const LOOK = 400;
/** Bytes of a piece at most. */
const MOST = 1 << 20;

export class Elements {
  /** @param {import('./pane.js').Pane} pane @param {import('./schema.js').Schema} schema @param {() => void} seen something new is there */
  constructor(pane, schema, seen) {
    this.pane = pane;
    this.size = schema.type.size;
    this.count = count(schema.shape);
    this.seen = seen;
    this.isWhole = this.size * this.count <= SMALL;
    this.start = 0;
    this.wanted = { start: 0, count: this.isWhole ? this.count : 0 };
    this.view = viewOf(new Uint8Array());
    this.isBusy = false;
    if (this.isWhole) pane.follow(() => ({ form: 'bytes', rate: RATE }), (_, payload) => this.take(0, payload));
    else pane.poll(LOOK, () => this.look());
  }

  /** @param {number} start @param {Uint8Array} bytes */
  take(start, bytes) {
    this.start = start;
    this.view = viewOf(bytes);
    this.seen();
  }

  /** What of a large array is looked at. @param {number} start @param {number} number */
  want(start, number) {
    if (this.isWhole) return;
    const most = Math.max(1, Math.floor(MOST / this.size));
    const wanted = { start, count: Math.max(0, Math.min(number, most, this.count - start)) };
    const isSame = wanted.start === this.wanted.start && wanted.count === this.wanted.count;
    this.wanted = wanted;
    if (!isSame) this.look();
  }

  async look() {
    if (this.isBusy || !this.wanted.count) return;
    this.isBusy = true;
    const wanted = this.wanted;
    const { connection, id } = this.pane.context;
    try {
      const { payload } = await connection.request('read', { id, ...wanted, form: 'bytes' });
      if (!this.pane.closed) this.take(wanted.start, payload);
    } catch (error) {
      this.pane.warn(/** @type {Error} */ (error).message);
    }
    this.isBusy = false;
    if (wanted !== this.wanted) this.look();
  }

  /** Where an element lies in `view`; -1 when it was not read. @param {number} number */
  offset(number) {
    const offset = (number - this.start) * this.size;
    return offset >= 0 && offset + this.size <= this.view.byteLength ? offset : -1;
  }

  /** Bytes of the region, as the hexadecimal view reads them. @param {number} start @param {number} size */
  async bytes(start, size) {
    const first = Math.floor(start / this.size);
    const last = Math.ceil((start + size) / this.size);
    const { connection, id } = this.pane.context;
    const { payload } = await connection.request('read', { id, start: first, count: last - first, form: 'bytes' });
    const skipped = start - first * this.size;
    return payload.subarray(skipped, skipped + size);
  }
}
