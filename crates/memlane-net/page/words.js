// @ts-check
// What the page says, in the person's language. The English text is the key.

import { CHINESE } from './words.zh.js';
import { CHINESE_OF_DETAILS } from './words.zh.detail.js';

/** @typedef {'en' | 'zh'} Language */

const KEY = 'memlane-language';
/** @type {Record<string, string>} */
const chinese = { ...CHINESE_OF_DETAILS, ...CHINESE };

/** Tells `change` when the language is another one: everything shown is to be made again. */
export const languageChanges = new EventTarget();

/** @returns {Language} */
function preferred() {
  const chosen = localStorage.getItem(KEY);
  if (chosen === 'en' || chosen === 'zh') return chosen;
  return navigator.language.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}

let current = preferred();
document.documentElement.lang = tag();

/** @returns {Language} */
export function language() {
  return current;
}

/** @param {Language} next */
export function setLanguage(next) {
  current = next;
  localStorage.setItem(KEY, next);
  document.documentElement.lang = tag();
  languageChanges.dispatchEvent(new Event('change'));
}

function tag() {
  return current === 'zh' ? 'zh-Hans' : 'en';
}

/**
 * The text in the person's language, with `{name}` replaced by values.
 * @param {string} english
 * @param {Record<string, string | number>} [values]
 */
export function t(english, values) {
  const text = (current === 'zh' && chinese[english]) || english;
  return values ? text.replace(/\{(\w+)\}/g, (whole, name) => String(values[name] ?? whole)) : text;
}

/** @type {Map<string, Intl.NumberFormat>} */
const formats = new Map();

/** @param {number} digits after the point, at most */
function format(digits) {
  const key = `${current}${digits}`;
  let found = formats.get(key);
  if (!found) formats.set(key, (found = new Intl.NumberFormat(tag(), { maximumFractionDigits: digits })));
  return found;
}

/** Three figures are enough for what changes all the time; whole numbers stay whole. @param {number} n */
export function number(n) {
  if (!Number.isFinite(n)) return String(n);
  const size = Math.abs(n);
  return format(Number.isInteger(n) || size >= 100 ? 0 : size >= 10 ? 1 : 2).format(n);
}

/** Powers of 1024, as `memlane ls` shows them. @param {number} n */
export function bytes(n) {
  let unit = 0;
  while (Math.abs(n) >= 1024 && unit < 5) {
    n /= 1024;
    unit += 1;
  }
  const name = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'][unit];
  return `${format(n < 10 && unit > 0 ? 1 : 0).format(n)} ${name}`;
}

/** @param {number} seconds */
export function duration(seconds) {
  const s = Math.max(0, seconds);
  if (s < 1e-3) return t('{n} µs', { n: Math.round(s * 1e6) });
  if (s < 1) return t('{n} ms', { n: Math.round(s * 1e3) });
  if (s < 60) return t('{n} s', { n: format(s < 10 ? 1 : 0).format(s) });
  if (s < 3600) return t('{m} min {s} s', { m: Math.floor(s / 60), s: Math.floor(s % 60) });
  if (s < 86400) return t('{h} h {m} min', { h: Math.floor(s / 3600), m: Math.floor((s % 3600) / 60) });
  return t('{d} d {h} h', { d: Math.floor(s / 86400), h: Math.floor((s % 86400) / 3600) });
}

/** A moment in local time: of today its time, else also its day. @param {string | number | null | undefined} at */
export function moment(at) {
  const date = new Date(typeof at === 'number' ? at / 1e6 : (at ?? NaN));
  if (Number.isNaN(date.getTime())) return '–';
  const two = (/** @type {number} */ n) => String(n).padStart(2, '0');
  const time = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  const today = date.toDateString() === new Date().toDateString();
  return today ? time : `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${time}`;
}

/** Seconds since a moment. @param {string | number} at */
export function secondsSince(at) {
  const milliseconds = typeof at === 'number' ? at / 1e6 : Date.parse(at);
  return Math.max(0, (Date.now() - milliseconds) / 1e3);
}
