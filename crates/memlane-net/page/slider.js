// @ts-check
// A slider for a number, its ends chosen by the value and its type, and to be chosen by the person.

import { h } from './element.js';
import { guard } from './padlock.js';
import { brief } from './scale.js';
import { encode, limits, numberReader } from './scalar.js';
import { viewOf } from './places.js';
import { t } from './words.js';

const STEPS = 1000;
/** What comes from the host so many milliseconds after the last step can be older than that step. */
const SETTLING = 300;

/**
 * `write` is called with whether the gesture goes on; while it is not done, the newest position waits for it.
 * @param {{ name: string, type: import('./schema.js').Scalar, write: (bytes: Uint8Array, before: Uint8Array, isSame: boolean) => Promise<unknown> }} options
 */
export function slider({ name, type, write }) {
  const number = numberReader(type);
  const isWhole = type.sort !== 'float';
  let shown = new Uint8Array(type.size);
  /** What was there before the gesture; null when nobody slides. @type {Uint8Array | null} */
  let before = null;
  let isChosen = false;
  let [isBusy, isWaiting, isSame] = [false, false, false];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let settling;
  const range = /** @type {HTMLInputElement} */ (
    h('input', { type: 'range', class: 'slider', 'aria-label': t('Slide {name}', { name }), oninput: () => slide(), onchange: () => end(), onblur: () => end() })
  );
  const least = bound(t('Least of the slider'));
  const greatest = bound(t('Greatest of the slider'));
  guard(range);
  const element = h('div', { class: 'slide' }, least, range, greatest);

  /** @param {string} label */
  function bound(label) {
    return /** @type {HTMLInputElement} */ (
      h('input', { type: 'text', class: 'entry bound', inputmode: 'decimal', 'aria-label': label, title: label, onchange: () => choose() })
    );
  }

  function choose() {
    const [from, to] = [Number(least.value), Number(greatest.value)];
    const isRange = least.value.trim() !== '' && greatest.value.trim() !== '' && from < to;
    for (const input of [least, greatest]) input.setAttribute('aria-invalid', String(!isRange));
    if (isRange) (setRange(from, to), (isChosen = true), place());
  }

  /** @param {number} from @param {number} to */
  function setRange(from, to) {
    range.min = String(from);
    range.max = String(to);
    range.step = String(isWhole ? Math.max(1, Math.round((to - from) / STEPS)) : (to - from) / STEPS);
    if (document.activeElement !== least) least.value = brief(from, 9);
    if (document.activeElement !== greatest) greatest.value = brief(to, 9);
  }

  async function slide() {
    isSame = before !== null;
    before ??= shown;
    isWaiting = true;
    clearTimeout(settling);
    settling = setTimeout(() => ((settling = undefined), place()), SETTLING);
    if (isBusy) return;
    isBusy = true;
    while (isWaiting) {
      isWaiting = false;
      const first = before ?? shown;
      await write(encode(type, range.value), first, isSame);
      isSame = true;
    }
    isBusy = false;
  }

  function end() {
    before = null;
    place();
  }

  function place() {
    const value = number(viewOf(shown), 0);
    if (!isChosen && (range.max === '' || value < Number(range.min) || value > Number(range.max))) setRange(...rangeFor(type, value));
    if (!before && settling === undefined) range.value = String(value);
    range.setAttribute('aria-valuetext', brief(value, 6));
  }

  /** @param {Uint8Array} bytes */
  function show(bytes) {
    shown = bytes.slice();
    place();
  }
  setRange(...rangeFor(type, 0));
  return { element, show };
}

/** A range in which a value of that type lies well. @param {import('./schema.js').Scalar} type @param {number} value @returns {[number, number]} */
function rangeFor(type, value) {
  if (!Number.isFinite(value)) return [0, 1];
  if (type.sort !== 'float' && type.size === 1) return /** @type {[number, number]} */ (limits(type).map(Number));
  const size = Math.abs(value);
  const end = size <= 1 ? (type.sort === 'float' ? 1 : 10) : 10 ** Math.ceil(Math.log10(size) + 1e-9);
  return value < 0 ? [-end, end] : [0, end];
}
