// @ts-check
// An event: set or clear, and after a person has set it what came of that.

import { h, setText } from '../element.js';
import { guard } from '../padlock.js';
import { Pane } from '../pane.js';
import { personOf } from '../people.js';
import { duration, moment, t } from '../words.js';

/** For so long after it was set is looked at what came of it, and between two looks; in milliseconds. */
const AFTERMATH = 1500;
const LOOK = 200;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const { connection, id } = context;
  const pane = new Pane(context);
  const standing = h('div', { class: 'standing', role: 'status', 'aria-label': t('State') });
  const outcome = h('p', { role: 'status', 'aria-label': t('What came of it') });
  /** The last setting, and the processes that lived then. @type {{ at: number, when: string, lived: any[], taken: number | null } | null} */
  let setting = null;

  async function processes() {
    const { ok } = await connection.request('participants');
    return /** @type {any} */ (ok).participants.filter((/** @type {any} */ process) => process.alive);
  }

  async function set() {
    const lived = await processes().catch(() => []);
    const at = performance.now();
    if (!(await pane.ask('set'))) return;
    setting = { at, when: moment(new Date().toISOString()), lived, taken: null };
    looking.now();
  }

  async function clear() {
    // Whoever clears it is not told that somebody else took it.
    setting = null;
    setText(outcome, '');
    await pane.ask('clear');
  }

  const looking = pane.poll(LOOK, async () => {
    if (!setting) return;
    const { at, when, lived } = setting;
    const [{ ok }, living] = await Promise.all([connection.request('read', { id }), processes()]);
    const age = performance.now() - at;
    if (setting.at !== at) return;
    const { content } = /** @type {any} */ (ok);
    if (!content.set) setting.taken ??= age;
    const { taken } = setting;
    const was = !content.auto_reset ? t('Set at {when}.', { when })
      : taken === null ? t('Set at {when}; nobody has taken it yet.', { when })
        : t('Set at {when}, and taken within {time}.', { when, time: duration(taken / 1000) });
    const ended = lived.filter(({ pid, process }) => !living.some((/** @type {any} */ other) => other.pid === pid && other.process === process));
    setText(outcome, was + (ended.length ? ` ${t('Ended since then: {who}.', { who: ended.map(personOf).join('; ') })}` : ''));
    if (age > AFTERMATH) setting = null;
  });

  pane.add(
    standing,
    h('div', { class: 'toolbar' },
      guard(h('button', { type: 'button', class: 'primary', onclick: set }, t('Set'))),
      guard(h('button', { type: 'button', onclick: clear }, t('Clear')))),
    outcome,
  );
  pane.follow(() => ({}), ({ content }) => {
    standing.dataset.state = content.set ? 'held' : 'free';
    standing.replaceChildren(
      h('span', { class: 'big' }, content.set ? t('set') : t('clear')),
      content.auto_reset ? h('span', { class: 'quiet' }, t('clears itself when somebody saw it')) : '',
    );
  });
  return pane;
}
