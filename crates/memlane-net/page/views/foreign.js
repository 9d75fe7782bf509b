// @ts-check
import { h } from '../element.js';
import { t } from '../words.js';

/** @typedef {import('../main.js').Context} Context */

/** @param {Context} context */
export function create(context) {
  return { element: h('div', { class: 'view' }, h('h1', { tabindex: -1 }, t('foreign'))), close() {} };
}
