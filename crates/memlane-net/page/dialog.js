// @ts-check
// Questions that have to be answered first.

import { h } from './element.js';
import { t } from './words.js';

/**
 * @typedef {object} Question
 * @property {string} title
 * @property {string} [text]
 * @property {string} action what the button says that does it
 * @property {boolean} [danger] it cannot be undone
 */

/**
 * Whether the person wants it.
 * @param {Question} question
 * @returns {Promise<boolean>}
 */
export async function confirm(question) {
  return (await ask(question)) !== null;
}

/**
 * What the person filled in, or null. `submit` is tried first; what it throws is shown and the dialog stays.
 * @param {Question & {content?: Node, submit?: (data: FormData) => Promise<void>}} question
 * @returns {Promise<FormData | null>}
 */
export function ask({ title, text, action, danger = false, content, submit }) {
  return new Promise((resolve) => {
    /** @type {FormData | null} */
    let answer = null;
    const fault = h('p', { role: 'alert', class: 'fault' });
    const go = h('button', { type: 'submit', class: danger ? 'danger' : 'primary' }, action);
    const form = h(
      'form',
      { method: 'dialog' },
      h('h2', { id: 'dialog-title' }, title),
      text ? h('p', { id: 'dialog-text' }, text) : null,
      content ?? null,
      fault,
      h(
        'div',
        { class: 'actions' },
        h('button', { type: 'button', onclick: () => dialog.close() }, t('Cancel')),
        go,
      ),
    );
    form.addEventListener('submit', async (event) => {
      event.preventDefault();
      const data = new FormData(form);
      fault.textContent = '';
      go.disabled = true;
      try {
        await submit?.(data);
        answer = data;
        dialog.close();
      } catch (error) {
        fault.textContent = error instanceof Error ? error.message : String(error);
      } finally {
        go.disabled = false;
      }
    });
    const dialog = h('dialog', { 'aria-labelledby': 'dialog-title', class: danger ? 'danger' : '' }, form);
    if (text) dialog.setAttribute('aria-describedby', 'dialog-text');
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(answer);
    });
    document.body.append(dialog);
    dialog.showModal();
    // What cannot be undone is not what Enter does by chance.
    if (danger && !content) form.querySelector('button')?.focus();
  });
}
