// @ts-check
// What this page wrote, to be taken back. Nobody's newer value is overwritten without asking.

import { confirm } from './dialog.js';
import { h } from './element.js';
import { say } from './notice.js';
import { guard } from './padlock.js';
import { tell } from './pane.js';
import { same, viewOf } from './places.js';
import { read, text } from './scalar.js';
import { t } from './words.js';

/** @typedef {import('./places.js').Place} Place */
/** @typedef {{ name: string, place: Place, before: Uint8Array, after: Uint8Array }} Change */

/** More changes are not remembered. */
const MOST_CHANGES = 200;

export class History {
  constructor() {
    /** @type {Change[]} */
    this.changes = [];
    this.button = h('button', { type: 'button', class: 'undo', hidden: true, onclick: () => this.undo() });
    guard(this.button);
  }

  /**
   * Writes, and remembers what was there before.
   * @param {string} name @param {Place} place @param {Uint8Array} before what was seen there @param {Uint8Array} after
   * @param {boolean} [isSame] a further step of the gesture that the newest change is of
   */
  async write(name, place, before, after, isSame = false) {
    try {
      await place.write(after);
    } catch (error) {
      tell(error);
      return false;
    }
    const newest = this.changes.at(-1);
    if (isSame && newest?.place === place) newest.after = after;
    else if (!same(before, after)) this.changes.push({ name, place, before, after });
    if (this.changes.length > MOST_CHANGES) this.changes.shift();
    this.show();
    return true;
  }

  async undo() {
    const change = this.changes.pop();
    this.show();
    if (!change) return;
    const { name, place, before, after } = change;
    const put = (/** @type {Uint8Array} */ bytes) => {
      const words = text(place.type, read(place.type, viewOf(bytes)));
      return place.type.sort === 'bytes' ? `“${words}”` : words;
    };
    try {
      let found = await place.exchange(after, before);
      while (found) {
        const values = { name, mine: put(after), now: put(found), before: put(before) };
        const isWanted = await confirm({
          title: t('Somebody else wrote {name}', { name: name || t('the value') }),
          text: t('You wrote {mine}; meanwhile it was changed to {now}. Undo makes it {before} again.', values),
          action: t('Undo all the same'),
          danger: true,
        });
        if (!isWanted) return;
        found = await place.exchange(found, before);
      }
      say(t('{name} is {value} again', { name: name || t('The value'), value: put(before) }), 'good');
    } catch (error) {
      this.changes.push(change);
      this.show();
      tell(error);
    }
  }

  show() {
    const newest = this.changes.at(-1);
    this.button.hidden = !newest;
    if (!newest) return;
    this.button.textContent = newest.name ? t('Undo {name}', { name: newest.name }) : t('Undo');
  }
}
