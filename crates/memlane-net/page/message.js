// @ts-check
// A message: a header, and bytes that belong to it (docs/protocol.md).

/** @typedef {Uint8Array<ArrayBuffer>} Bytes */

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const EMPTY = new Uint8Array();

/** As it is sent. @param {object} header @param {Uint8Array} [payload] */
export function frame(header, payload) {
  if (!payload?.length) return JSON.stringify(header);
  const json = encoder.encode(JSON.stringify(header));
  const message = new Uint8Array(4 + json.length + payload.length);
  new DataView(message.buffer).setUint32(0, json.length, true);
  message.set(json, 4);
  message.set(payload, 4 + json.length);
  return message;
}

/** @param {string | ArrayBuffer} data @returns {[any, Bytes]} */
export function unframed(data) {
  if (typeof data === 'string') return [JSON.parse(data), EMPTY];
  const length = new DataView(data).getUint32(0, true);
  return [JSON.parse(decoder.decode(new Uint8Array(data, 4, length))), new Uint8Array(data, 4 + length)];
}
