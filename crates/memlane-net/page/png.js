// @ts-check
// Pictures as PNG files with the very samples of a frame: a canvas would lose transparency and 16 bits.

import { isPlain } from './picture.js';

/** @typedef {import('./picture.js').Layout} Layout */

/** Colour types of the format, by channels. @type {Record<number, number>} */
const COLOUR_TYPES = { 1: 0, 3: 2, 4: 6 };
const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether the format can hold the samples as they are. @param {Layout} layout */
export function isExact(layout) {
  const { channels, sample } = layout;
  return channels in COLOUR_TYPES && (isPlain(layout) || (sample.sort === 'uint' && sample.size === 2));
}

/** @param {Layout} layout of which `isExact` @param {Uint8Array} frame @returns {Promise<Blob>} */
export async function pngOf(layout, frame) {
  const { rows, columns, channels, sample } = layout;
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, columns);
  view.setUint32(4, rows);
  header.set([sample.size * 8, COLOUR_TYPES[channels]], 8);
  const packed = await deflated(lines(layout, frame));
  const parts = [Uint8Array.from(SIGNATURE), chunk('IHDR', header), chunk('IDAT', packed), chunk('IEND', new Uint8Array())];
  return new Blob(parts, { type: 'image/png' });
}

/** Lines as the format wants them: a filter byte, red first, the more significant byte first. @param {Layout} layout @param {Uint8Array} frame */
function lines({ rows, columns, channels, sample, names }, frame) {
  const width = columns * channels * sample.size;
  const out = new Uint8Array(rows * (width + 1));
  const isBlueFirst = channels > 2 && names[0] === 'b';
  const isSwapped = sample.size === 2 && sample.little;
  for (let row = 0; row < rows; row += 1) {
    const line = out.subarray(row * (width + 1) + 1, (row + 1) * (width + 1));
    line.set(frame.subarray(row * width, (row + 1) * width));
    const pixel = channels * sample.size;
    for (let at = 0; isBlueFirst && at < width; at += pixel) {
      for (let byte = 0; byte < sample.size; byte += 1) swap(line, at + byte, at + 2 * sample.size + byte);
    }
    for (let at = 0; isSwapped && at < width; at += 2) swap(line, at, at + 1);
  }
  return out;
}

/** @param {Uint8Array} bytes @param {number} one @param {number} other */
function swap(bytes, one, other) {
  const kept = bytes[one];
  bytes[one] = bytes[other];
  bytes[other] = kept;
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** @param {string} name @param {Uint8Array} content */
function chunk(name, content) {
  const bytes = new Uint8Array(content.length + 12);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, content.length);
  bytes.set(Array.from(name, (letter) => letter.charCodeAt(0)), 4);
  bytes.set(content, 8);
  view.setUint32(content.length + 8, checksum(bytes.subarray(4, content.length + 8)));
  return bytes;
}

/** CRC-32 as of the format's appendix. @param {Uint8Array} bytes */
function checksum(bytes) {
  let sum = 0xffffffff;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = sum & 1 ? (sum >>> 1) ^ 0xedb88320 : sum >>> 1;
  }
  return ~sum >>> 0;
}
