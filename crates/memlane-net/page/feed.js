// @ts-check
// A subscription over a loss of the connection: it goes on after what was seen, and an event is credited when it is
// dealt with, so that a slow page gets less and costs the host nothing.

/** @typedef {{op: string, [field: string]: unknown}} Fields */

export class Feed {
  #onEvent;
  #onEnd;
  /** What was seen: a version, a frame's sequence, how many records. @type {number | undefined} */
  #after;
  /** Events are dealt with one after the other. */
  #last = Promise.resolve();
  #ended = false;
  #fields;
  /** How to give credit in this connection. @type {((event: number) => void) | null} */
  #credit = null;

  /** The host's number in this connection. @type {number | null} */
  subscription = null;
  /** The host was asked, and has not answered. */
  asked = false;
  /** The page wants no more of it. */
  closed = false;

  /**
   * @param {Fields} fields
   * @param {(header: any, payload: Uint8Array<ArrayBuffer>) => void | Promise<void>} onEvent
   * @param {(code: string, message: string) => void} onEnd
   */
  constructor(fields, onEvent, onEnd) {
    this.#fields = fields;
    this.#onEvent = onEvent;
    this.#onEnd = onEnd;
    if (typeof fields.after === 'number') this.#after = fields.after;
  }

  /** As it is to be asked for now. */
  get fields() {
    return this.#after === undefined ? this.#fields : { ...this.#fields, after: this.#after };
  }

  /** @param {number} subscription @param {(event: number) => void} credit */
  begun(subscription, credit) {
    this.subscription = subscription;
    this.#credit = credit;
  }

  /** @param {any} header @param {Uint8Array<ArrayBuffer>} payload */
  take(header, payload) {
    const credit = this.#credit;
    this.#after = header.first !== undefined ? header.first + header.count : (header.sequence ?? header.version);
    this.#last = this.#last.then(async () => {
      if (this.closed || this.#ended) return;
      try {
        await this.#onEvent(header, payload);
      } catch (error) {
        // A defect of one view must not stop the flow; it is to be seen all the same.
        console.error(error);
      }
      // To a connection that is no more, nothing is owed.
      if (this.subscription !== null && credit === this.#credit) credit?.(header.event);
    });
  }

  /** @param {string} code @param {string} message */
  end(code, message) {
    if (this.closed || this.#ended) return;
    this.#ended = true;
    this.#onEnd(code, message);
  }
}
