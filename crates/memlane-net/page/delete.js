// @ts-check
// Deleting a region, once the person has confirmed it.

import { confirm } from './dialog.js';
import { say, sayError } from './notice.js';
import { t } from './words.js';

/** @param {import('./connection.js').Connection} connection @param {string} id @returns {Promise<boolean>} whether it is gone */
export async function deleteRegion(connection, id) {
  const wanted = await confirm({
    title: t('Delete {id}?', { id }),
    text: t('The id is free at once. Processes that are attached keep the memory as long as they live, but nobody new finds it.'),
    action: t('Delete'),
    danger: true,
  });
  if (!wanted) return false;
  try {
    await connection.request('delete', { id });
    say(t('Deleted {id}', { id }), 'good');
    return true;
  } catch (error) {
    sayError(error);
    return false;
  }
}
