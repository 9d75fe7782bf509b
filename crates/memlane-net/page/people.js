// @ts-check
// Processes, threads and sessions in words.

import { h } from './element.js';
import { routeOf } from './model.js';
import { t } from './words.js';

/**
 * A process, and for whom it holds something if it is a host.
 * @param {any} who a participant (docs/protocol.md, `participants`), or a lock's holder
 */
export function personOf(who) {
  if (!who) return '';
  if (who.session) return t('session {session} from {from}', { session: who.session, from: who.from ?? '?' });
  const name = who.pid ? t('{program}, pid {pid}', { program: who.program || '?', pid: who.pid }) : t('a process that is gone');
  return who.alive === false ? t('{name} (dead)', { name }) : name;
}

/** Links to regions, as a cell. @param {string[]} ids */
export function regionLinks(ids) {
  const make = () => ids.flatMap((id, index) => [index ? document.createTextNode(', ') : null, h('a', { href: routeOf(id), class: 'mono' }, id)]).filter((node) => node !== null);
  return { text: ids.join('\n'), make };
}

/** A word in a colour, as a cell. @param {string} text @param {string} tone */
export function tag(text, tone) {
  return { text: `${tone} ${text}`, make: () => h('span', { class: `tag ${tone}` }, text) };
}
