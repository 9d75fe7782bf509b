// @ts-check
// A region: what is common to all, and below it what its kind shows and lets one do.

import { h } from '../element.js';
import { t } from '../words.js';

/** @typedef {import('../main.js').Context} Context */

const KINDS = new Set(
  'value record array text raw lock rlock rwlock semaphore event condition barrier queue pipe stream frames'.split(' '),
);

/** @param {Context} context @param {string} id */
export function create({ connection }, id) {
  const body = h('div', { class: 'view' }, h('p', { class: 'empty' }, t('Loading …')));
  const element = h('div', { class: 'view' }, h('h1', { tabindex: -1, class: 'mono' }, id), body);
  /** @type {{element: HTMLElement, close(): void} | null} */
  let detail = null;
  let closed = false;

  async function open() {
    const { ok: document } = await connection.request('describe', { id });
    const kind = await import(KINDS.has(document.kind) ? `../kinds/${document.kind}.js` : './unknown.js').catch(() => fallback);
    if (closed) return;
    const shown = kind.create({ connection, id, document });
    detail = shown;
    body.replaceChildren(shown.element);
  }

  open().catch((error) => {
    if (!closed) body.replaceChildren(h('p', { role: 'alert', class: 'fault' }, error.message));
  });
  return {
    element,
    close() {
      closed = true;
      detail?.close();
    },
  };
}

/** What is known of any kind: how it stands, as a document. */
const fallback = {
  /** @param {{document: any}} context */
  create({ document }) {
    const shown = document.content ?? document.state ?? document.frames ?? document.lock;
    return { element: h('pre', { class: 'card' }, JSON.stringify(shown, null, 2)), close() {} };
  },
};
