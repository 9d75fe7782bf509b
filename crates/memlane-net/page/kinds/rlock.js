// @ts-check
// A lock that its holder may enter again.

import { lockView } from '../locking.js';
import { t } from '../words.js';

/** @param {import('../pane.js').Context} context */
export function create(context) {
  return lockView(context, [{ name: t('Acquire') }]);
}
