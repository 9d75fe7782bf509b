// @ts-check
// A control for one scalar: a switch, or a field with steps. What is new shows at once, except where a person types.

import { h, setText } from './element.js';
import { say } from './notice.js';
import { guard } from './padlock.js';
import { same, viewOf } from './places.js';
import { encode, limits, read, text } from './scalar.js';
import { t } from './words.js';

/** @typedef {import('./schema.js').Scalar} Scalar */
/** @typedef {(bytes: Uint8Array<ArrayBuffer>, before: Uint8Array) => Promise<unknown>} Write */
/**
 * `typed`: what was typed and not written, and over what; null: nothing. `restore`: types it again.
 * @typedef {{ text: string, over: Uint8Array }} Draft
 * @typedef {{ element: HTMLElement, show(bytes: Uint8Array): void, typed(): Draft | null, restore(draft: Draft): void }} Field
 */

/**
 * @param {{ name: string, type: Scalar, unit?: string, write: Write, steps?: boolean }} options
 * @returns {Field}
 */
export function field(options) {
  return options.type.sort === 'bool' ? toggle(options) : entry(options);
}

/** @param {{ name: string, type: Scalar, write: Write }} options @returns {Field} */
function toggle({ name, write }) {
  let shown = new Uint8Array(1);
  const turn = () => write(Uint8Array.of(shown[0] ? 0 : 1), shown);
  const element = h('button', { type: 'button', class: 'switch', role: 'switch', 'aria-label': name, onclick: turn });
  guard(element);
  const show = (/** @type {Uint8Array} */ bytes) => {
    shown = bytes.slice();
    element.setAttribute('aria-checked', String(bytes[0] !== 0));
    setText(element, bytes[0] ? t('true') : t('false'));
  };
  show(shown);
  return { element, show, typed: () => null, restore: () => {} };
}

/** @param {{ name: string, type: Scalar, unit?: string, write: Write, steps?: boolean }} options @returns {Field} */
function entry({ name, type, unit = '', write, steps = true }) {
  const isNumber = type.sort !== 'bytes';
  const put = (/** @type {Uint8Array} */ bytes) => text(type, read(type, viewOf(bytes)));
  let shown = new Uint8Array(type.size);
  /** What it showed when the person began to type; null when nobody types. @type {Uint8Array | null} */
  let typedOver = null;

  const input = /** @type {HTMLInputElement} */ (
    h('input', {
      type: 'text', class: isNumber ? `entry number${type.size === 8 ? ' wide-number' : ''}` : 'entry', 'aria-label': name, autocomplete: 'off', spellcheck: 'false',
      inputmode: isNumber ? 'decimal' : 'text',
      oninput: () => ((typedOver ??= shown), hint()),
      onkeydown: (/** @type {KeyboardEvent} */ event) => key(event),
    })
  );
  const save = h('button', { type: 'button', class: 'write', hidden: true, onclick: () => commit() }, t('Write'));
  const now = h('span', { class: 'now', hidden: true });
  const less = step('−', t('Less: {name}', { name }), -1);
  const more = step('+', t('More: {name}', { name }), 1);
  guard(input);
  guard(save);
  const element = h('span', { class: 'field' }, isNumber && steps ? [less, input, more] : input, unit ? h('span', { class: 'unit' }, unit) : null, save, now);

  /** @param {string} sign @param {string} label @param {number} direction */
  function step(sign, label, direction) {
    const button = h('button', {
      type: 'button', class: 'step', 'aria-label': label,
      onclick: (/** @type {MouseEvent} */ event) => go(direction * (event.shiftKey ? 10 : 1)),
    }, sign);
    guard(button);
    return button;
  }

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (event.key === 'Enter') commit();
    else if (event.key === 'Escape' && typedOver) (event.stopPropagation(), giveUp());
    else if (isNumber && (event.key === 'ArrowUp' || event.key === 'ArrowDown')) {
      event.preventDefault();
      go((event.key === 'ArrowUp' ? 1 : -1) * (event.shiftKey ? 10 : 1));
    }
  }

  /** @param {number} steps */
  function go(steps) {
    const before = typedOver ?? shown;
    try {
      send(stepped(type, typedOver ? encode(type, input.value) : shown, steps), before);
    } catch (error) {
      say(/** @type {Error} */ (error).message, 'bad');
    }
  }

  function commit() {
    try {
      send(encode(type, input.value), shown);
    } catch (error) {
      input.setAttribute('aria-invalid', 'true');
      say(/** @type {Error} */ (error).message, 'bad');
    }
  }

  /** @param {Uint8Array<ArrayBuffer>} bytes @param {Uint8Array} before */
  async function send(bytes, before) {
    typedOver = null;
    // Shown at once; what the host says next is the truth.
    show(bytes);
    if ((await write(bytes, before)) === false && same(shown, bytes)) show(before);
  }

  function giveUp() {
    typedOver = null;
    show(shown);
  }

  function hint() {
    save.hidden = !typedOver;
    input.removeAttribute('aria-invalid');
    const isOther = typedOver !== null && !same(typedOver, shown);
    now.hidden = !isOther;
    if (isOther) now.textContent = t('now {value}', { value: put(shown) });
  }

  /** @param {Uint8Array} bytes */
  function show(bytes) {
    shown = bytes.slice();
    if (!typedOver) input.value = put(shown);
    hint();
  }

  /** @param {Draft} draft */
  function restore({ text, over }) {
    input.value = text;
    typedOver = over;
    save.hidden = false;
  }
  return { element, show, typed: () => typedOver && { text: input.value, over: typedOver }, restore };
}

/**
 * The value so many steps on: whole ones, or a tenth of a float's magnitude.
 * @param {Scalar} type @param {Uint8Array} bytes @param {number} steps
 */
function stepped(type, bytes, steps) {
  const datum = read(type, viewOf(bytes));
  if (type.sort === 'float') {
    const size = Math.abs(Number(datum)) || 1;
    const unit = 10 ** (Math.floor(Math.log10(size) + 1e-9) - 1);
    return encode(type, String(Number((Number(datum) + steps * unit).toPrecision(12))));
  }
  const [least, greatest] = limits(type);
  const next = BigInt(/** @type {number | bigint} */ (datum)) + BigInt(steps);
  return encode(type, String(next < least ? least : next > greatest ? greatest : next));
}
