// @ts-check
// Why something was not done, as the host says it.

export class Fault extends Error {
  /** @param {string} code for programs @param {string} message for people @param {object} [fields] all others */
  constructor(code, message, fields = {}) {
    super(message);
    this.name = 'Fault';
    this.code = code;
    /** @type {any} */
    this.fields = fields;
  }
}
