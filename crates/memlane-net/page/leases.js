// @ts-check
// What this page holds: a lock, permits. It keeps them when another view is opened, until it gives them back or its
// session ends.

import { say } from './notice.js';
import { tell } from './pane.js';
import { t } from './words.js';

/** Seconds that somebody who presses a button waits for something to be free. */
const PATIENCE = 10;

/** @typedef {{ lease: number, what: string }} Lease */
/** @type {WeakMap<object, Map<string, Lease[]>>} */
const sessions = new WeakMap();

/** The leases of a region, oldest first. @param {import('./pane.js').Context} context @returns {Lease[]} */
export function leasesOf({ connection, id }) {
  let regions = sessions.get(connection);
  if (!regions) sessions.set(connection, (regions = new Map()));
  let leases = regions.get(id);
  if (!leases) regions.set(id, (leases = []));
  return leases;
}

/**
 * Takes it, waiting a little.
 * @param {import('./pane.js').Context} context @param {'lock' | 'acquire'} op @param {object} fields @param {string} what
 */
export async function take(context, op, fields, what) {
  try {
    const answer = await context.connection.request(op, { id: context.id, timeout: PATIENCE, ...fields });
    const ok = /** @type {any} */ (answer.ok);
    if (ok.lease) leasesOf(context).push({ lease: ok.lease, what });
    if (ok.owner_died) say(t('Its last owner died while holding it: look at what it protects before you say that it is consistent'), 'bad');
    return true;
  } catch (error) {
    tell(error);
    return false;
  }
}

/** Gives back what was taken last. @param {import('./pane.js').Context} context */
export async function giveBack(context) {
  const leases = leasesOf(context);
  const newest = leases.at(-1);
  if (newest) await use(context, 'release', newest);
}

/** Does something with a lease that is held. @param {import('./pane.js').Context} context @param {'release' | 'make_consistent'} op @param {Lease} held */
export async function use(context, op, held) {
  const leases = leasesOf(context);
  let isOver = op === 'release';
  try {
    await context.connection.request(op, { lease: held.lease });
  } catch (error) {
    isOver ||= /** @type {any} */ (error).code === 'lease_ended';
    tell(error);
  }
  if (isOver) leases.splice(leases.indexOf(held), 1);
}
