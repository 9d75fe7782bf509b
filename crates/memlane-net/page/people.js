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

/** Links to regions, as a cell. @param {string[]} ids @param {number} most that are named; of more, the first */
export function regionLinks(ids, most = Infinity) {
  const named = ids.slice(0, most);
  const make = () => [
    ...named.flatMap((id, index) => [document.createTextNode(index ? ', ' : ''), h('a', { href: routeOf(id), class: 'mono' }, id)]),
    document.createTextNode(ids.length > most ? ', …' : ''),
  ];
  return { text: named.join('\n'), make };
}

/** How a process stands, as a cell; a dead one leads to what is left of it. @param {{state: string, alive: boolean}} process */
export function processTag({ state, alive }) {
  const words = t(state);
  if (!alive) return { text: words, make: () => h('a', { class: 'tag red', href: '#/orphans', title: t('What it left behind is among the orphans') }, words) };
  const why = state === 'parentless' ? t('It runs on, though the process that started it has ended') : null;
  return tag(words, state === 'running' || state === 'elsewhere' ? 'green' : 'amber', why);
}

/** A word in a colour, as a cell. @param {string} text @param {string} tone @param {string | null} why */
export function tag(text, tone, why = null) {
  return { text: `${tone} ${text}`, make: () => h('span', { class: `tag ${tone}`, title: why }, text) };
}
