// @ts-check
// The rows of a space, kept by `watch`, and what is derived of them.

/** @typedef {import('./connection.js').Connection} Connection */

/**
 * A row as the host sends it (docs/protocol.md, `list`), and what this page adds.
 * @typedef {object} Row
 * @property {string} id
 * @property {string} [kind]
 * @property {string | null} [schema]
 * @property {number} [size]
 * @property {string} [preview]
 * @property {string} [state]
 * @property {number | null} [rate]
 * @property {number | null} [bytes_per_second]
 * @property {number | null} [changed_at]
 * @property {string | null} [writer]
 * @property {number} [readers]
 * @property {number} [alive] participants
 * @property {number} [dead]
 * @property {number} [version]
 * @property {string | null} [lock_holder]
 * @property {string} [uuid] of this very region
 * @property {string | null} [note]
 * @property {string} [created]
 * @property {string} [error] why it cannot be observed
 * @property {number} [newUntil] in the page's time: it was made a moment ago
 */

/** Events a second. */
const RATE = 4;
/** For how long a row counts as new, in milliseconds. */
const NEW_FOR = 6000;
/** Rows of before a reconnection that are not heard of again are gone, once no other was for so long. */
const SETTLE = 1000;

/** Tells `change` when rows changed; `order` when rows came or went. Follows only while it is wanted and the page is seen. */
export class Rows extends EventTarget {
  #connection;
  #patterns;
  /** @type {{close(): void} | null} */
  #watch = null;
  #wanted = false;
  /** Rows of before, not heard of since. @type {Set<string>} */
  #doubtful = new Set();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #settling;
  #see = () => this.#adapt();

  /** @type {Map<string, Row>} */
  byId = new Map();
  /** Changes whenever rows come or go. */
  order = 0;
  /** The first event has come. */
  known = false;
  /** Why there will be no more events. @type {string | null} */
  fault = null;

  /** @param {Connection} connection @param {string[]} [patterns] */
  constructor(connection, patterns) {
    super();
    this.#connection = connection;
    this.#patterns = patterns;
    document.addEventListener('visibilitychange', this.#see);
  }

  follow() {
    this.#wanted = true;
    this.#adapt();
  }

  rest() {
    this.#wanted = false;
    this.#adapt();
  }

  close() {
    this.rest();
    clearTimeout(this.#settling);
    document.removeEventListener('visibilitychange', this.#see);
  }

  #adapt() {
    const wanted = this.#wanted && !document.hidden;
    if (wanted === (this.#watch !== null)) return;
    this.#watch?.close();
    const fields = { rate: RATE, ...(this.#patterns && { patterns: this.#patterns }) };
    const end = (/** @type {Error} */ fault) => {
      this.fault = fault.message;
      this.#watch = null;
      this.dispatchEvent(new Event('change'));
    };
    this.#watch = wanted ? this.#connection.subscribe('watch', fields, (event) => this.#take(event), end) : null;
  }

  /** The first events have all rows, also after a reconnection. @param {{event: number, changed?: Row[], gone?: string[]}} event */
  #take({ event, changed = [], gone = [] }) {
    if (event === 1) this.#doubtful = new Set(this.byId.keys());
    let ordered = !this.known;
    let confirmed = event === 1;
    const now = performance.now();
    for (const row of changed) {
      const old = this.byId.get(row.id);
      if (old) row.newUntil = old.newUntil;
      else if (Date.now() - Date.parse(row.created ?? '') < NEW_FOR) row.newUntil = now + NEW_FOR;
      ordered ||= !old;
      confirmed = this.#doubtful.delete(row.id) || confirmed;
      this.byId.set(row.id, row);
    }
    for (const id of gone) ordered = this.byId.delete(id) || ordered;
    this.known = true;
    this.fault = null;
    if (ordered) this.order += 1;
    if (confirmed && this.#doubtful.size > 0) this.#settle();
    this.dispatchEvent(new Event('change'));
  }

  #settle() {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      if (!this.#watch || this.#doubtful.size === 0) return;
      for (const id of this.#doubtful) this.byId.delete(id);
      this.#doubtful.clear();
      this.order += 1;
      this.dispatchEvent(new Event('change'));
    }, SETTLE);
  }
}

/** The folder of an id, without the last segment. @param {string} id */
export function folderOf(id) {
  const end = id.lastIndexOf('/');
  return end < 0 ? '' : id.slice(0, end);
}

/** The route of a region's detail. @param {string} id */
export function routeOf(id) {
  return `#/region/${id.split('/').map(encodeURIComponent).join('/')}`;
}

/** States in which a person should look. @param {string | undefined} state */
export function toneOf(state) {
  if (state === 'stale') return 'amber';
  if (state === 'dead_owner' || state === 'dead_publisher' || state === 'inconsistent') return 'red';
  if (state === 'unreadable') return 'red';
  return state === 'live' ? 'green' : 'grey';
}
