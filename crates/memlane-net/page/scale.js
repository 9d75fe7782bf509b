// @ts-check
// Numbers on axes: where ticks stand, how they are written, and which range shows all of a track.

/** @typedef {import('./track.js').Track} Track */

/** Round numbers of a range, about so many. @param {number} from @param {number} to @param {number} about */
export function ticks(from, to, about) {
  const span = to - from;
  if (!(span > 0) || !Number.isFinite(span)) return [];
  const raw = span / Math.max(about, 1);
  const magnitude = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * magnitude).find((size) => size >= raw) ?? raw;
  const found = [];
  for (let number = Math.ceil(from / step); number * step <= to && found.length < 100; number += 1) {
    found.push(Number((number * step).toPrecision(12)));
  }
  return found;
}

/** A number in few characters. @param {number} value */
export function brief(value, digits = 4) {
  if (!Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) return String(value);
  if (size !== 0 && (size >= 1e7 || size < 1e-4)) return value.toExponential(Math.min(digits, 3) - 1);
  return String(Number(value.toPrecision(digits)));
}

/**
 * The least and the greatest of some channels between two places, with a little room around them.
 * @param {Track} track @param {number[]} channels @param {number} x0 @param {number} x1
 * @returns {{ y0: number, y1: number, least: number, greatest: number }}
 */
export function extent(track, channels, x0, x1) {
  const [from, to] = [track.find(x0), track.find(x1 + 1e-12)];
  let [least, greatest] = [Infinity, -Infinity];
  for (const channel of channels) {
    const ys = track.ys[channel];
    for (let at = from; at < to; at += 1) {
      const value = ys[at];
      if (value < least && value > -Infinity) least = value;
      if (value > greatest && value < Infinity) greatest = value;
    }
  }
  if (least > greatest) return { y0: 0, y1: 1, least: NaN, greatest: NaN };
  const room = (greatest - least) * 0.06 || Math.abs(greatest) * 0.1 || 1;
  return { y0: least - room, y1: greatest + room, least, greatest };
}
