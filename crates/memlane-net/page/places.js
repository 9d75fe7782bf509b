// @ts-check
// Where a scalar lies in a region, and how it is written: alone, and so that nobody's newer value is lost unasked.

import { read, text } from './scalar.js';

/**
 * `exchange` writes `wanted` if `expected` is still there, else gives back what is.
 * @typedef {import('./pane.js').Context} Context
 * @typedef {import('./schema.js').Scalar} Scalar
 * @typedef {import('./schema.js').Leaf} Leaf
 * @typedef {{
 *   type: Scalar,
 *   write(bytes: Uint8Array): Promise<void>,
 *   exchange(expected: Uint8Array, wanted: Uint8Array): Promise<Uint8Array | null>,
 * }} Place
 */

/** @param {Context} context @param {Scalar} type @returns {Place} */
export function ofValue({ connection, id }, type) {
  return {
    type,
    write: async (bytes) => void (await connection.request('write', { id }, bytes)),
    exchange: (expected, wanted) => exchangeScalar({ connection, id }, type, {}, expected, wanted),
  };
}

/**
 * A scalar of a record. Written without touching its other fields; where the protocol can only name a larger piece,
 * that is read and written under its version.
 * @param {Context} context @param {Leaf} leaf @returns {Place}
 */
export function ofRecord({ connection, id }, leaf) {
  const { part, type, offset, within } = leaf;
  const { field, index } = part;
  /** @param {Uint8Array | null} expected null is anything @param {Uint8Array} wanted */
  const patch = async (expected, wanted) => {
    for (;;) {
      const { ok, payload } = await connection.request('read', { id, form: 'bytes' });
      const found = payload.slice(offset, offset + type.size);
      if (expected && !same(found, expected)) return found;
      const piece = payload.slice(part.offset, part.offset + part.size);
      piece.set(wanted, within);
      try {
        await connection.request('write', { id, field, index, if_version: /** @type {any} */ (ok).version }, piece);
        return null;
      } catch (error) {
        // Another field was written meanwhile: look again.
        if (/** @type {any} */ (error).code !== 'conflict') throw error;
      }
    }
  };
  return {
    type,
    write: async (bytes) => {
      if (part.size === type.size) await connection.request('write', { id, field, index }, bytes);
      else await patch(null, bytes);
    },
    exchange: patch,
  };
}

/**
 * A scalar of an array's element.
 * @param {Context} context @param {number} number of the element in C order @param {Leaf} leaf of the element
 * @param {number} size bytes of the element
 * @returns {Place}
 */
export function ofElement({ connection, id }, number, leaf, size) {
  const { type, offset } = leaf;
  if (type.size < size || type.sort === 'bytes') return ofRun({ connection, id }, { start: number, count: 1 }, type, offset);
  return {
    type,
    write: async (bytes) => void (await connection.request('write', { id, start: number, count: 1 }, bytes)),
    exchange: (expected, wanted) => exchangeScalar({ connection, id }, type, { index: [number] }, expected, wanted),
  };
}

/**
 * A run of bytes of a raw region, to be read and written as one.
 * @param {Context} context @param {number} start @param {number} size @returns {Place}
 */
export function ofBytes(context, start, size) {
  return ofRun(context, { start, count: size }, { sort: 'bytes', size, little: true }, 0);
}

/**
 * A scalar in a run of elements. They have no version: between the look and the write somebody else can write.
 * @param {Pick<Context, 'connection' | 'id'>} context @param {{ start: number, count: number }} run
 * @param {Scalar} type @param {number} offset in the run
 * @returns {Place}
 */
function ofRun({ connection, id }, run, type, offset) {
  /** @param {Uint8Array | null} expected @param {Uint8Array} wanted */
  const patch = async (expected, wanted) => {
    const { payload } = await connection.request('read', { id, ...run, form: 'bytes' });
    const found = payload.slice(offset, offset + type.size);
    if (expected && !same(found, expected)) return found;
    const piece = payload.slice();
    piece.set(wanted, offset);
    await connection.request('write', { id, ...run }, piece);
    return null;
  };
  return { type, write: async (bytes) => void (await patch(null, bytes)), exchange: patch };
}

/**
 * @param {Pick<Context, 'connection' | 'id'>} context @param {Scalar} type @param {{ index?: number[] }} where
 * @param {Uint8Array} expected @param {Uint8Array} wanted
 */
async function exchangeScalar({ connection, id }, type, where, expected, wanted) {
  const fields = { id, ...where, expected: json(type, expected), new: json(type, wanted) };
  const { ok } = await connection.request('compare_exchange', fields);
  if (/** @type {any} */ (ok).exchanged) return null;
  return (await connection.request('read', { id, ...where, form: 'bytes' })).payload;
}

/** As text, since JSON's numbers would round the largest ones. @param {Scalar} type @param {Uint8Array} bytes */
function json(type, bytes) {
  const datum = read(type, viewOf(bytes));
  return typeof datum === 'boolean' ? datum : text(type, datum);
}

/** @param {Uint8Array} bytes */
export function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @param {Uint8Array} one @param {Uint8Array} other */
export function same(one, other) {
  return one.length === other.length && one.every((byte, index) => byte === other[index]);
}
