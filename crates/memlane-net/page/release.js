// @ts-check
// Taking a lock from who holds it: from the dead on confirmation, from the living by ending them.

import { Fault } from './fault.js';
import { ask } from './dialog.js';
import { h } from './element.js';
import { say } from './notice.js';
import { personOf } from './people.js';
import { t } from './words.js';

/**
 * @param {import('./connection.js').Connection} connection
 * @param {string} id
 * @param {any} holder a lock's holder (docs/protocol.md, `locks`)
 * @returns {Promise<boolean>} whether it was released
 */
export async function forceRelease(connection, id, holder) {
  const lives = holder?.alive !== false;
  const who = personOf(holder);
  const consistent = h('input', { type: 'checkbox', name: 'consistent' });
  const text = lives
    ? t('{who} lives and holds the lock of {id}. To take it, that process is ended by SIGKILL, and what it was doing is left half done. The next holder is told.', { who, id })
    : t('{who} holds the lock of {id}. It is taken over and given back, and stays marked as inconsistent, so that the next holder is told.', { who: who || t('A dead process'), id });
  const data = await ask({
    title: lives ? t('End the process that holds {id}?', { id }) : t('Release {id}?', { id }),
    text,
    content: h('label', { class: 'check' }, consistent, t('I have looked: the data are in order')),
    action: lives ? t('End it and release') : t('Release'),
    danger: lives,
    async submit() {
      const fields = { id, ...(lives && { confirmed: true }), ...(consistent.checked && { consistent: true }) };
      try {
        const { ok } = await connection.request('force_release', fields);
        say(ok.killed ? t('Ended {was}, and released {id}', { was: ok.was, id }) : t('Released {id}, which {was} held', { was: ok.was, id }), 'good');
      } catch (error) {
        if (error instanceof Fault && error.code === 'busy') throw new Error(t('Not released: {why}', { why: error.message }));
        throw error;
      }
    },
  });
  return data !== null;
}
