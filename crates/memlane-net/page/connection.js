// @ts-check
// A session with a host over one WebSocket after the other: docs/protocol.md is the contract.

import { Fault } from './fault.js';
import { Feed } from './feed.js';
import { greeting, passedOn } from './greeting.js';
import { frame, unframed } from './message.js';
import { Outstanding } from './outstanding.js';

/** @typedef {{host: string, tls?: boolean, fingerprint?: string, token: string}} Via the far host, and its token */
/** @typedef {'connecting' | 'open' | 'lost' | 'refused'} State */
/** @typedef {import('./message.js').Bytes} Bytes */
/** @typedef {(header: any, payload: Bytes) => void | Promise<void>} OnEvent */

/** Between attempts, in milliseconds: the first at once, since a host that is started anew is there soon. */
const PAUSES = [0, 250, 500, 1000, 2000, 4000];
/** After so many milliseconds of silence the host is asked whether it is there, and after twice as many it is not. */
const SILENCE = 10_000;
/** Acknowledgements go with the next request, or alone after so many milliseconds. */
const ACKNOWLEDGE_AFTER = 200;
/** Trying again would change nothing. */
const FINAL = new Set(['unauthorised', 'unsupported_version', 'read_only']);

export class Connection extends EventTarget {
  #url;
  #token;
  #via;
  #outstanding = new Outstanding();
  /** @type {Set<Feed>} */
  #feeds = new Set();
  /** By the host's numbers, of this connection. @type {Map<number, Feed>} */
  #routes = new Map();
  /** @type {WebSocket | null} */
  #socket = null;
  /** @type {string | undefined} */
  #session;
  #attempts = 0;
  #heard = 0;
  #hellos = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #acknowledgement;
  #pulse = setInterval(() => this.#listen(), SILENCE / 2);
  #wake = () => {
    if (document.hidden) return;
    if (this.#state === 'lost') this.#connect();
    // Silence while nobody looked says nothing.
    else this.#heard = performance.now();
  };
  #state = /** @type {State} */ ('connecting');

  /** What the host last said of itself, and how it welcomed this client. @type {any} */
  hello = null;
  /** @type {any} */
  welcome = null;
  /** Why the connection was lost or refused. @type {Fault | null} */
  why = null;

  /** @param {{url: string, token: string, via?: Via | null}} to */
  constructor({ url, token, via = null }) {
    super();
    this.#url = url;
    this.#token = token;
    this.#via = via;
    window.addEventListener('online', this.#wake);
    document.addEventListener('visibilitychange', this.#wake);
    this.#connect();
  }

  get state() {
    return this.#state;
  }

  /** Whether what was last said came from the host that is wanted, and not from one on the way there. */
  get isThere() {
    return !this.#via || this.#hellos > 1;
  }

  /** The far host that is reached through the one that serves the page. */
  get via() {
    return this.#via;
  }

  get writable() {
    return this.welcome?.access === 'read-write';
  }

  /**
   * @param {string} op
   * @param {object} [fields]
   * @param {Uint8Array} [payload]
   * @returns {Promise<{ok: any, payload: Bytes}>}
   */
  request(op, fields = {}, payload = undefined) {
    return new Promise((resolve, reject) => {
      if (this.#state === 'refused') return reject(this.why);
      this.#outstanding.begin({
        fields: { ...fields, op },
        payload,
        resolve: (ok, bytes) => resolve({ ok, payload: bytes }),
        reject: (code, message, more) => reject(new Fault(code, message, more)),
      });
      this.#flush();
    });
  }

  /**
   * Follows a region (`subscribe`) or the list (`watch`), also over losses of the connection. An event is credited when
   * what `onEvent` gives back is done.
   * @param {'subscribe' | 'watch'} op
   * @param {object} fields
   * @param {OnEvent} onEvent
   * @param {(fault: Fault) => void} [onEnd]
   */
  subscribe(op, fields, onEvent, onEnd = () => {}) {
    const feed = new Feed({ ...fields, op }, onEvent, (code, message) => {
      this.#forget(feed);
      onEnd(new Fault(code, message));
    });
    this.#feeds.add(feed);
    if (this.#state === 'refused') queueMicrotask(() => feed.end(this.why?.code ?? '', this.why?.message ?? ''));
    else this.#begin(feed);
    return {
      close: () => {
        feed.closed = true;
        const { subscription } = feed;
        this.#forget(feed);
        if (subscription !== null) this.request('unsubscribe', { subscription }).catch(() => {});
      },
    };
  }

  /** Ends the session, so that what it holds is given back at once. */
  close() {
    if (this.#state === 'open') this.request('bye').catch(() => {});
    this.#settle(new Fault('cancelled', 'the page has closed this connection'));
  }

  #connect() {
    clearTimeout(this.#retry);
    this.#hellos = 0;
    this.#heard = performance.now();
    const socket = new WebSocket(this.#url);
    socket.binaryType = 'arraybuffer';
    this.#socket = socket;
    this.#become('connecting');
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#hear(data);
    };
    socket.onclose = ({ code }) => {
      if (socket !== this.#socket) return;
      const taken = code === 4001 && new Fault('taken_over', 'a newer connection has taken over this session');
      if (taken) this.#settle(taken);
      else this.#lose(null);
    };
  }

  /** @param {State} state @param {Fault | null} why */
  #become(state, why = this.why) {
    this.#state = state;
    this.why = why;
    this.dispatchEvent(new Event('state'));
  }

  /** @param {Fault | null} why */
  #lose(why) {
    this.#drop();
    const pause = PAUSES[Math.min(this.#attempts, PAUSES.length - 1)] ?? 0;
    this.#attempts += 1;
    this.#retry = setTimeout(() => this.#connect(), pause * (0.75 + Math.random() / 2));
    this.#become('lost', why ?? (this.why?.code === 'shutting_down' || this.why?.code === 'unreachable' ? this.why : null));
  }

  /** For good. @param {Fault} why */
  #settle(why) {
    this.#drop();
    clearInterval(this.#pulse);
    clearTimeout(this.#retry);
    window.removeEventListener('online', this.#wake);
    document.removeEventListener('visibilitychange', this.#wake);
    this.#become('refused', why);
    this.#outstanding.giveUp(why.code, why.message);
    for (const feed of [...this.#feeds]) feed.end(why.code, why.message);
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#acknowledgement);
    this.#acknowledgement = undefined;
    this.#routes.clear();
    for (const feed of this.#feeds) feed.subscription = null;
    socket?.close();
  }

  /** Browsers answer the host's pings without telling the page, so that it asks when it hears nothing. */
  #listen() {
    if (this.#state === 'lost' || document.hidden) return;
    const silent = performance.now() - this.#heard;
    if (silent > 2 * SILENCE) this.#lose(new Fault('silent', 'the host does not answer'));
    else if (silent > SILENCE && this.#state === 'open') this.request('cancel', { request: 0 }).catch(() => {});
  }

  /** @param {string | ArrayBuffer} data */
  #hear(data) {
    this.#heard = performance.now();
    const [header, payload] = unframed(data);
    if (header.n !== undefined) this.#answer(header, payload);
    else if (header.subscription !== undefined) this.#event(header, payload);
    else if (header.hello) this.#greet(header.hello);
    else if (header.welcome) this.#open(header.welcome);
    else if (header.refused) {
      const { code, message, ...more } = header.refused;
      const why = new Fault(code, message, more);
      if (FINAL.has(code)) this.#settle(why);
      else this.#lose(why);
    }
  }

  /** @param {any} hello */
  #greet(hello) {
    this.#hellos += 1;
    this.hello = hello;
    // The near host passes frames on once it has accepted this page; then it is the far one that speaks.
    const isNear = this.#via !== null && this.#hellos === 1;
    this.#send(isNear ? passedOn(this.#token, this.#via) : greeting(this.#via?.token ?? this.#token, this.#session));
  }

  /** @param {any} welcome */
  #open(welcome) {
    const resumed = welcome.resumed && welcome.session === this.#session;
    this.#session = welcome.session;
    this.welcome = welcome;
    this.#attempts = 0;
    if (resumed) this.#outstanding.resume();
    else this.#outstanding.restart();
    this.#become('open', null);
    for (const feed of this.#feeds) if (!feed.asked) this.#begin(feed);
    this.#flush();
  }

  #flush() {
    if (this.#state !== 'open') return;
    for (const [header, payload] of this.#outstanding.unsent(this.welcome.max_in_flight)) this.#send(header, payload);
  }

  /** @param {object} header @param {Uint8Array} [payload] */
  #send(header, payload) {
    this.#socket?.send(frame(header, payload));
  }

  /** @param {any} header @param {Uint8Array<ArrayBuffer>} payload */
  #answer({ n, ok, error }, payload) {
    const request = this.#outstanding.answered(n);
    if (error) {
      const { code, message, ...more } = error;
      request?.reject(code, message, more);
    } else {
      request?.resolve(ok, payload);
    }
    this.#flush();
    this.#acknowledgement ??= setTimeout(() => {
      this.#acknowledgement = undefined;
      if (this.#state === 'open' && this.#outstanding.untold) this.#send({ ack: this.#outstanding.tell() });
    }, ACKNOWLEDGE_AFTER);
  }

  /** @param {Feed} feed */
  #begin(feed) {
    feed.asked = true;
    this.#outstanding.begin({
      fields: feed.fields,
      payload: undefined,
      resolve: (ok) => {
        feed.asked = false;
        const { subscription } = ok;
        if (feed.closed) return void this.request('unsubscribe', { subscription }).catch(() => {});
        feed.begun(subscription, (event) => this.#send({ credit: [{ subscription, event }] }));
        this.#routes.set(subscription, feed);
      },
      reject: (code, message) => feed.end(code, message),
    });
    this.#flush();
  }

  /** @param {any} header @param {Uint8Array<ArrayBuffer>} payload */
  #event(header, payload) {
    const feed = this.#routes.get(header.subscription);
    if (header.end) feed?.end(header.end.code, header.end.message);
    else feed?.take(header, payload);
  }

  /** @param {Feed} feed */
  #forget(feed) {
    this.#feeds.delete(feed);
    if (feed.subscription !== null) this.#routes.delete(feed.subscription);
    feed.subscription = null;
  }
}
