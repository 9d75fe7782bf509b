// @ts-check
// Starts the page: the token, the connection, and the view that the address names.

import { Connection } from './connection.js';
import { h } from './element.js';
import { Frame } from './frame.js';
import { Rows } from './model.js';
import { leaveView, say } from './notice.js';
import { padlock } from './padlock.js';
import { askForToken } from './token.js';
import { create as connect } from './views/connect.js';
import { create as foreign } from './views/foreign.js';
import { create as host } from './views/host.js';
import { create as locks } from './views/locks.js';
import { create as log } from './views/log.js';
import { create as orphans } from './views/orphans.js';
import { create as participants } from './views/participants.js';
import { create as region } from './views/region.js';
import { create as regions } from './views/regions.js';
import { languageChanges, t } from './words.js';

/** @typedef {import('./connection.js').Via} Via */
/** @typedef {{element: HTMLElement, close(): void, focus?(): boolean}} View */
/**
 * @typedef {object} Context what a view is made with
 * @property {Connection} connection
 * @property {Rows} rows of the whole space
 * @property {(via: Via | null) => void} connectTo another host, through the one that serves the page; null: back to that one
 */

const TOKEN = 'memlane-token';
const VIA = 'memlane-via';

/** By their routes. @type {Map<string, (context: Context, argument: string) => View>} */
const VIEWS = new Map(Object.entries({ regions, region, participants, locks, host, connect, log, orphans, foreign }));

/** What people type into, but for filters. */
const TYPED = new Set(['text', 'number', 'password', 'url']);

/** The token of the address, which is not left there for others to see; else what this tab had. */
function takeToken() {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) {
    sessionStorage.setItem(TOKEN, token);
    history.replaceState(null, '', `${location.pathname}${location.search}#/regions`);
  }
  return token ?? sessionStorage.getItem(TOKEN);
}

/** @returns {Via | null} */
function keptVia() {
  try {
    return JSON.parse(sessionStorage.getItem(VIA) ?? 'null');
  } catch {
    return null;
  }
}

class Page {
  /** @type {Connection | null} */
  #connection = null;
  /** @type {Rows | null} */
  #rows = null;
  /** @type {View | null} */
  #view = null;
  /** Something was typed into the view that it would lose if it were made again. */
  #typed = false;
  /** @type {Frame} */
  #frame;

  constructor() {
    this.#frame = new Frame();
    this.#frame.main.addEventListener('input', ({ target }) => {
      const isText = target instanceof HTMLTextAreaElement || (target instanceof HTMLInputElement && TYPED.has(target.type));
      if (isText) this.#typed = true;
    });
    window.addEventListener('hashchange', () => {
      const token = new URLSearchParams(location.hash.slice(1)).has('token') ? takeToken() : null;
      if (token !== null) this.connect(token, null);
      else this.show(true);
    });
    languageChanges.addEventListener('change', () => {
      this.#frame.replace();
      this.#tell();
      if (this.#typed) say(t('This view changes its language once you leave it: something was typed into it'));
      else this.show(false);
    });
  }

  /** @param {string | null} token @param {Via | null} via */
  connect(token, via) {
    this.#rows?.close();
    this.#connection?.close();
    this.#connection = this.#rows = null;
    if (token === null) return this.#askForToken(null);
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws';
    const connection = new Connection({ url: `${scheme}://${location.host}/api/v1`, token, via });
    connection.addEventListener('state', () => {
      if (connection === this.#connection) this.#tell();
    });
    this.#connection = connection;
    this.#rows = new Rows(connection);
    this.#tell();
    this.show(false);
  }

  leave() {
    this.#connection?.close();
  }

  /** @param {string | null} fault */
  #askForToken(fault) {
    this.#view?.close();
    this.#view = null;
    this.#frame.tell(this.#connection);
    this.#frame.main.replaceChildren(
      askForToken(fault, (token) => {
        sessionStorage.setItem(TOKEN, token);
        this.connect(token, null);
      }),
    );
  }

  /** The connection is as it is: the frame shows it, and the padlock knows it. */
  #tell() {
    const connection = this.#connection;
    this.#frame.tell(connection);
    if (!connection) return;
    const { state, why } = connection;
    if (state === 'refused' && why?.code === 'unauthorised' && (!connection.via || !connection.isThere)) {
      sessionStorage.removeItem(TOKEN);
      return this.#askForToken(why.message);
    }
    if (state === 'open' && !connection.writable) padlock.obstacle = t('This token is for looking only');
    else padlock.obstacle = state === 'open' ? null : t('There is no connection to the host');
  }

  /** Shows the view that the address names. @param {boolean} moved by the person */
  show(moved) {
    const connection = this.#connection;
    const rows = this.#rows;
    if (!connection || !rows) return this.#askForToken(null);
    const [name = '', ...rest] = location.hash.replace(/^#\/?/, '').split('/');
    const create = VIEWS.get(name);
    if (!create) return location.replace('#/regions');
    /** @type {Context} */
    const context = {
      connection,
      rows,
      connectTo: (via) => {
        if (via) sessionStorage.setItem(VIA, JSON.stringify(via));
        else sessionStorage.removeItem(VIA);
        history.replaceState(null, '', via ? '#/regions' : '#/connect');
        this.connect(sessionStorage.getItem(TOKEN), via);
      },
    };
    this.#typed = false;
    leaveView();
    this.#view?.close();
    const view = create(context, rest.map(safelyDecoded).join('/'));
    this.#view = view;
    this.#frame.mark(name === 'region' ? 'regions' : name);
    this.#frame.main.replaceChildren(view.element);
    // Whoever follows a link by keyboard goes on reading where the new view begins.
    if (moved && !view.focus?.()) this.#frame.main.querySelector('h1')?.focus();
  }
}

/** @param {string} segment */
function safelyDecoded(segment) {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

const page = new Page();
page.connect(takeToken(), keptVia());
// What this page holds is given back at once, not after a while.
window.addEventListener('pagehide', () => page.leave());
window.addEventListener('pageshow', ({ persisted }) => persisted && location.reload());
