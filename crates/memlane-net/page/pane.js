// @ts-check
// What every detail is made of: its element, what it follows, and its end. A pane rests while the page is hidden.

import { h } from './element.js';
import { say } from './notice.js';
import { personOf } from './people.js';
import { poll } from './poll.js';
import { t } from './words.js';

/**
 * @typedef {import('./connection.js').Connection} Connection
 * @typedef {{ connection: Connection, id: string, document: any }} Context what is opened; `document` is its `describe`
 * @typedef {{ element: HTMLElement, close(): void }} View
 * @typedef {(header: any, payload: Uint8Array<ArrayBuffer>) => void | Promise<void>} OnEvent
 */

/** What was typed and not written when a view was closed, by region and place in it. @type {Map<string, any>} */
const drafts = new Map();

export class Pane {
  /** @param {Context} context */
  constructor(context) {
    this.context = context;
    this.alert = h('p', { class: 'pane-alert', role: 'alert', hidden: true });
    this.element = h('div', { class: `pane pane-${context.document.kind}` }, this.alert);
    /** @type {(() => void)[]} */
    this.endings = [];
    this.closed = false;
  }

  /** @param {...(Node | string | null)} children */
  add(...children) {
    this.element.append(...children.filter((child) => child !== null));
  }

  /** @param {() => void} ending what is done when the view is closed */
  onClose(ending) {
    this.endings.push(ending);
  }

  /**
   * Whoever only looks elsewhere finds what was typed and not written again.
   * @template T
   * @param {string} place of the region @param {() => T | null} typed null when there is nothing @param {(draft: T) => void} restore
   */
  keep(place, typed, restore) {
    const key = `${this.context.document.uuid} ${place}`;
    const draft = drafts.get(key);
    if (draft !== undefined) restore(draft);
    this.onClose(() => {
      const now = typed();
      if (now === null) drafts.delete(key);
      else drafts.set(key, now);
    });
  }

  close() {
    this.closed = true;
    for (const ending of this.endings.splice(0)) ending();
  }

  /**
   * Does `start` while the page is seen, and what that returned when it is hidden or the view is closed.
   * @param {() => () => void} start
   */
  whileSeen(start) {
    /** @type {(() => void) | null} */
    let stop = null;
    const look = () => {
      if (!document.hidden && !stop) stop = start();
      else if (document.hidden && stop) (stop(), (stop = null));
    };
    document.addEventListener('visibilitychange', look);
    this.onClose(() => {
      document.removeEventListener('visibilitychange', look);
      stop?.();
    });
    look();
  }

  /**
   * Subscribes to the region while the page is seen; `delivery` says how, each time anew.
   * @param {() => object} delivery @param {OnEvent} onEvent
   * @returns {{ close(): void, restart(): void }}
   */
  follow(delivery, onEvent) {
    const { connection, id } = this.context;
    /** @type {{ close(): void } | null} */
    let subscription = null;
    let wanted = true;
    const begin = () => {
      const onEnd = (/** @type {any} */ end) => end && this.warn(end.message ?? String(end));
      const seen = (/** @type {any} */ header, /** @type {any} */ payload) => {
        this.alert.hidden = true;
        return onEvent(header, payload);
      };
      if (wanted) subscription = connection.subscribe('subscribe', { id, ...delivery() }, seen, onEnd);
    };
    const end = () => {
      subscription?.close();
      subscription = null;
    };
    this.whileSeen(() => (begin(), end));
    return {
      close: () => ((wanted = false), end()),
      restart: () => {
        end();
        wanted = true;
        if (!document.hidden && !this.closed) begin();
      },
    };
  }

  /** Looks again and again, while the page is seen. @param {number} period in milliseconds @param {() => Promise<void>} look */
  poll(period, look) {
    const fail = (/** @type {string | null} */ fault) => fault !== null && this.warn(fault);
    const polling = poll(this.context.connection, period, look, fail);
    this.onClose(() => polling.close());
    return polling;
  }

  /** @param {number} milliseconds @param {() => void} step */
  every(milliseconds, step) {
    this.whileSeen(() => {
      const timer = setInterval(step, milliseconds);
      return () => clearInterval(timer);
    });
  }

  /**
   * Calls `draw` before the next repaint, once however often it was asked for.
   * @param {() => void} draw
   * @returns {() => void}
   */
  repaint(draw) {
    let asked = 0;
    this.onClose(() => cancelAnimationFrame(asked));
    return () => {
      asked ||= requestAnimationFrame(() => {
        asked = 0;
        if (!this.closed) draw();
      });
    };
  }

  /**
   * Asks the host for something about the region; what fails is said.
   * @param {string} op @param {object} [fields] @param {Uint8Array} [payload]
   * @returns {Promise<{ ok: any, payload: Uint8Array<ArrayBuffer> } | null>}
   */
  async ask(op, fields = {}, payload = undefined) {
    try {
      const answer = await this.context.connection.request(op, { id: this.context.id, ...fields }, payload);
      return /** @type {any} */ (answer);
    } catch (error) {
      tell(error);
      return null;
    }
  }

  /** @param {string} text */
  warn(text) {
    this.alert.textContent = text;
    this.alert.hidden = false;
  }
}

/** Says what went wrong. @param {any} error */
export function tell(error) {
  if (error.code === 'outcome_unknown') say(t('Nobody knows whether this was done: the host was started anew meanwhile. Look before you do it again.'), 'bad');
  else say(error.message ?? String(error), 'bad');
}

/** A list of names and values. @param {...[string, Node | string | number]} facts */
export function facts(...facts) {
  const rows = facts.flatMap(([name, value]) => [h('dt', {}, name), h('dd', {}, typeof value === 'number' ? String(value) : value)]);
  return h('dl', { class: 'facts' }, rows);
}

/** A heading with what stands under it. @param {string} title @param {...(Node | string | null)} children */
export function part(title, ...children) {
  return h('section', { class: 'part', 'aria-label': title }, h('h3', {}, title), children);
}

/** A process, in words; red when it is dead. @param {any} participant */
export function person(participant) {
  if (!participant) return h('span', { class: 'nobody' }, t('nobody'));
  const { alive, thread } = participant;
  return h('span', { class: alive ? 'person' : 'person dead' }, personOf(participant), thread ? t(', thread {thread}', { thread }) : null);
}
