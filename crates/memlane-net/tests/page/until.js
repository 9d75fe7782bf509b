/** Waiting for a condition: tests wait for nothing else. */

/** How long something may take on a machine that is busy with other things. */
export const PATIENCE = 15_000;
const LOOK_EVERY = 20;

/**
 * Looks again and again until `condition` gives something, and gives that back.
 * @template T
 * @param {string} what For the message, if it never comes to be.
 * @param {() => T | Promise<T>} condition
 * @param {number} [patience] Milliseconds.
 * @returns {Promise<NonNullable<Exclude<T, false>>>}
 */
export async function until(what, condition, patience = PATIENCE) {
  const end = Date.now() + patience;
  for (;;) {
    const found = await condition();
    if (found) return /** @type {NonNullable<Exclude<T, false>>} */ (found);
    if (Date.now() > end) throw new Error(`waited ${patience / 1000} s for ${what}`);
    await new Promise((again) => setTimeout(again, LOOK_EVERY));
  }
}
