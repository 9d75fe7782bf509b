// @ts-check
// What changes something is disabled until the person unlocks the page: looking around does no harm.

import { t } from './words.js';

const KEY = 'memlane-open-unlocked';

/** @typedef {HTMLButtonElement | HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement | HTMLFieldSetElement} Control */

class Padlock extends EventTarget {
  #unlocked = Padlock.opensUnlocked;
  /** Why nothing may be changed whatever the person wants. @type {string | null} */
  #obstacle = null;
  /** @type {Set<WeakRef<Control>>} */
  #guarded = new Set();
  /** @type {WeakMap<Control, string>} */
  #titles = new WeakMap();

  static get opensUnlocked() {
    return localStorage.getItem(KEY) === 'yes';
  }

  /** Whether the page opens unlocked, kept for this browser. */
  get opensUnlocked() {
    return Padlock.opensUnlocked;
  }

  set opensUnlocked(wanted) {
    if (wanted) localStorage.setItem(KEY, 'yes');
    else localStorage.removeItem(KEY);
  }

  get locked() {
    return !this.#unlocked || this.#obstacle !== null;
  }

  /** Why nothing may be changed now. */
  get reason() {
    return this.#obstacle ?? (this.#unlocked ? null : t('The page is locked: press Unlock to change something'));
  }

  /** Whether unlocking would help. */
  get obstacle() {
    return this.#obstacle;
  }

  set obstacle(reason) {
    if (reason === this.#obstacle) return;
    this.#obstacle = reason;
    this.#tell();
  }

  toggle() {
    this.#unlocked = !this.#unlocked;
    this.#tell();
  }

  /**
   * Keeps the control disabled while the page is locked, with the reason as its title.
   * @template {Control} T
   * @param {T} control
   * @returns {T}
   */
  guard(control) {
    this.#titles.set(control, control.title);
    this.#guarded.add(new WeakRef(control));
    this.#apply(control);
    return control;
  }

  /** @param {Control} control */
  #apply(control) {
    control.disabled = this.locked;
    control.title = this.reason ?? this.#titles.get(control) ?? '';
  }

  #tell() {
    for (const reference of this.#guarded) {
      const control = reference.deref();
      if (control) this.#apply(control);
      else this.#guarded.delete(reference);
    }
    this.dispatchEvent(new Event('change'));
  }
}

export const padlock = new Padlock();

/** @template {Control} T @param {T} control @returns {T} */
export function guard(control) {
  return padlock.guard(control);
}
