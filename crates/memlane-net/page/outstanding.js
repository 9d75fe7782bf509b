// @ts-check
// The client's half of exactly once: requests until they are answered (docs/protocol.md, "Requests").

/** @typedef {{op: string, [field: string]: unknown}} Fields */

/**
 * @typedef {object} Pending
 * @property {Fields} fields
 * @property {Uint8Array | undefined} payload
 * @property {(ok: any, payload: Uint8Array<ArrayBuffer>) => void} resolve
 * @property {(code: string, message: string, fields?: object) => void} reject
 * @property {boolean} sent it may have reached the host, by whatever connection
 * @property {boolean} due this connection is still to carry it
 */

/** What only looks, and is done again without harm. */
const LOOKS = new Set(
  (
    'list describe participants locks wait_graph status read wait peek records subscribe watch unsubscribe cancel ' +
    'bye foreign foreign_read log sharing'
  ).split(' '),
);

/** Asks for nothing; stands for a request that is not wanted any more. @returns {Fields} */
const nothing = () => ({ op: 'cancel', request: 0 });

/** @param {Fields} fields */
function onlyLooks(fields) {
  return LOOKS.has(fields.op) || (fields.op === 'doctor' && !fields.fix);
}

export class Outstanding {
  #newest = 0;
  #told = 0;
  /** By number, in order. @type {Map<number, Pending>} */
  #requests = new Map();

  /**
   * Takes up a request; it is still to be sent.
   * @param {Omit<Pending, 'sent' | 'due'>} request
   */
  begin(request) {
    this.#newest += 1;
    this.#requests.set(this.#newest, { ...request, sent: false, due: true });
    return this.#newest;
  }

  /** What was answered; nothing when it was answered before. @param {number} n */
  answered(n) {
    const request = this.#requests.get(n);
    this.#requests.delete(n);
    return request;
  }

  /** Answers up to this one arrived. */
  get arrived() {
    const oldest = this.#requests.keys().next();
    return oldest.done ? this.#newest : oldest.value - 1;
  }

  /** Whether the host keeps answers only because it has not been told. */
  get untold() {
    return this.arrived > this.#told;
  }

  tell() {
    return (this.#told = this.arrived);
  }

  /**
   * The headers and payloads of what is still to be sent, in order, as far as `most` may be in flight.
   * @param {number} most
   * @returns {Generator<[object, Uint8Array | undefined]>}
   */
  *unsent(most) {
    for (const [n, request] of this.#requests) {
      if (n > this.arrived + most) return;
      if (!request.due) continue;
      request.due = false;
      request.sent = true;
      yield [{ n, ack: this.tell(), ...request.fields }, request.payload];
    }
  }

  /** The session goes on with a new connection; subscriptions were the old one's. */
  resume() {
    for (const request of this.#requests.values()) {
      request.due = true;
      if (request.fields.op === 'unsubscribe') request.fields = nothing();
    }
  }

  /**
   * The host has forgotten the session. What would change something and was sent has an unknown outcome and is not
   * sent again; what speaks of a lease has lost it. Everything else is numbered anew.
   */
  restart() {
    const old = this.#requests;
    this.#requests = new Map();
    this.#newest = this.#told = 0;
    /** @type {Map<unknown, number>} */
    const numbers = new Map();
    for (const [n, request] of old) {
      const { fields } = request;
      if (fields.lease !== undefined) {
        request.reject('lease_ended', `${fields.op}: the host has forgotten this session, and what it held`);
      } else if (request.sent && !onlyLooks(fields)) {
        const id = fields.id ? ` of \`${fields.id}\`` : '';
        const message = `${fields.op}${id}: the connection was lost; it may have been done or not. Look before you try again`;
        request.reject('outcome_unknown', message);
      } else {
        if (fields.op === 'cancel') request.fields = { ...fields, request: numbers.get(fields.request) ?? 0 };
        if (fields.op === 'unsubscribe') request.fields = nothing();
        numbers.set(n, this.begin(request));
      }
    }
  }

  /** There will be no answers. @param {string} code @param {string} message */
  giveUp(code, message) {
    const old = [...this.#requests.values()];
    this.#requests.clear();
    for (const request of old) request.reject(code, message);
  }
}
