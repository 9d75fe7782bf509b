// @ts-check
// Frames as pictures: what their schema says they are, and their samples as the pixels of a canvas.

import { viewOf } from './places.js';
import { limits, numberReader, read, text } from './scalar.js';

/**
 * @typedef {import('./schema.js').Scalar} Scalar
 * @typedef {{ rows: number, columns: number, channels: number, sample: Scalar, names: string[], size: number }} Layout
 * @typedef {{ low: number, high: number }} Levels what becomes black and white, of samples that are not bytes
 */

const OPAQUE = 0xff000000;
/** Samples that are looked at to find the levels. */
const LOOKED_AT = 1 << 16;

/** What a frame of a schema is; null when it is no picture. @param {import('./schema.js').Schema | null} schema @returns {Layout | null} */
export function layoutOf(schema) {
  if (!schema) return null;
  const [rows, columns, channels = 1] = schema.shape;
  const { type: sample, encoding } = schema;
  if (![2, 3].includes(schema.shape.length) || sample.sort === 'struct' || sample.sort === 'bytes' || channels > 4) return null;
  const letters = /^(bgra?|rgba?)/.exec(encoding)?.[0] ?? ['', '', 'xy', 'rgb', 'rgba'][channels];
  const names = Array.from({ length: channels }, (_, channel) => (channels === 1 ? '' : (letters[channel] ?? `c${channel}`)));
  return { rows, columns, channels, sample, names, size: rows * columns * channels * sample.size };
}

/** Whether samples are bytes and shown as they are. @param {Layout} layout */
export function isPlain({ sample }) {
  return sample.sort === 'uint' && sample.size === 1;
}

/**
 * A function that fills the pixels of a canvas; made once for a layout, it makes no garbage.
 * @param {Layout} layout
 * @returns {(frame: Uint8Array, pixels: Uint32Array, levels: Levels) => void}
 */
export function painter(layout) {
  const { channels, names } = layout;
  if (!isPlain(layout)) return scaledPainter(layout);
  // Where red, green and blue are in a pixel.
  const [red, green, blue] = colours(names, channels);
  if (channels === 1) {
    return (frame, pixels) => {
      for (let at = 0; at < pixels.length; at += 1) pixels[at] = OPAQUE | (frame[at] * 0x010101);
    };
  }
  if (channels === 4) {
    return (frame, pixels) => {
      for (let at = 0, from = 0; at < pixels.length; at += 1, from += 4) {
        pixels[at] = (frame[from + 3] << 24) | (frame[from + blue] << 16) | (frame[from + green] << 8) | frame[from + red];
      }
    };
  }
  if (channels === 3) {
    return (frame, pixels) => {
      for (let at = 0, from = 0; at < pixels.length; at += 1, from += 3) {
        pixels[at] = OPAQUE | (frame[from + blue] << 16) | (frame[from + green] << 8) | frame[from + red];
      }
    };
  }
  return (frame, pixels) => {
    for (let at = 0; at < pixels.length; at += 1) pixels[at] = OPAQUE | (frame[at * 2 + 1] << 8) | frame[at * 2];
  };
}

/** @param {string[]} names @param {number} channels */
function colours(names, channels) {
  return channels > 2 && names[0] === 'b' ? [2, 1, 0] : [0, Math.min(1, channels - 1), Math.min(2, channels - 1)];
}

/** Samples wider than a byte, or signed, or fractions: between two levels. @param {Layout} layout @returns {(frame: Uint8Array, pixels: Uint32Array, levels: Levels) => void} */
function scaledPainter({ channels, names, sample }) {
  const number = numberReader(sample);
  const { size } = sample;
  const [red, green, blue] = colours(names, channels);
  return (frame, pixels, { low, high }) => {
    const view = viewOf(frame);
    const factor = 255 / (high - low || 1);
    const grey = (/** @type {number} */ from) => {
      const level = (number(view, from) - low) * factor;
      return level > 0 ? (level < 255 ? level : 255) : 0;
    };
    for (let at = 0, from = 0; at < pixels.length; at += 1, from += channels * size) {
      if (channels === 1) pixels[at] = OPAQUE | (Math.round(grey(from)) * 0x010101);
      else pixels[at] = OPAQUE | (channels > 2 ? grey(from + blue * size) << 16 : 0) | (grey(from + green * size) << 8) | grey(from + red * size);
    }
  };
}

/** The least and the greatest sample, of a large picture of a part of them. @param {Layout} layout @param {Uint8Array} frame @returns {Levels} */
export function levelsOf({ sample, size }, frame) {
  const number = numberReader(sample);
  const view = viewOf(frame);
  const samples = size / sample.size;
  const step = Math.max(1, Math.floor(samples / LOOKED_AT));
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < samples; at += step) {
    const value = number(view, at * sample.size);
    if (value < low && value > -Infinity) low = value;
    if (value > high && value < Infinity) high = value;
  }
  return low < high ? { low, high } : { low: Math.min(low, 0), high: Math.max(high, 1) };
}

/** What the type can hold; of fractions 0 to 1. @param {Layout} layout @returns {Levels} */
export function wholeRange({ sample }) {
  if (sample.sort === 'float' || sample.sort === 'bool') return { low: 0, high: 1 };
  const [low, high] = limits(sample);
  return { low: Number(low), high: Number(high) };
}

/** The samples of a pixel as text, exactly. @param {Layout} layout @param {Uint8Array} frame @param {number} x @param {number} y */
export function samplesAt({ columns, channels, sample, names }, frame, x, y) {
  const view = viewOf(frame);
  const start = (y * columns + x) * channels * sample.size;
  return names.map((name, channel) => `${name && `${name} `}${text(sample, read(sample, view, start + channel * sample.size))}`);
}
