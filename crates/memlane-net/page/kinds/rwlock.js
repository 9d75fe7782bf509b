// @ts-check
// A lock of many readers or one writer.

import { lockView } from '../locking.js';
import { t } from '../words.js';

/** @param {import('../pane.js').Context} context */
export function create(context) {
  return lockView(context, [{ name: t('Acquire to write'), mode: 'exclusive' }, { name: t('Acquire to read'), mode: 'shared' }]);
}
