// @ts-check
// Looking again and again while somebody sees the page and there is a connection.

/** After a look that failed, in milliseconds at least. */
const PAUSE = 1000;

/**
 * Calls `look` at once and then `period` milliseconds after it has come to its end.
 * @param {import('./connection.js').Connection} connection
 * @param {number} period
 * @param {() => Promise<void>} look
 * @param {(fault: string | null) => void} tell why the last look failed
 */
export function poll(connection, period, look, tell) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  let looking = false;
  let closed = false;

  async function now() {
    clearTimeout(timer);
    timer = undefined;
    if (looking || closed || document.hidden || connection.state !== 'open') return;
    looking = true;
    let pause = period;
    try {
      await look();
      if (!closed) tell(null);
    } catch (error) {
      pause = Math.max(period, PAUSE);
      if (!closed) tell(error instanceof Error ? error.message : String(error));
    }
    looking = false;
    if (!closed) timer = setTimeout(now, pause);
  }

  document.addEventListener('visibilitychange', now);
  connection.addEventListener('state', now);
  now();
  return {
    now,
    close() {
      closed = true;
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', now);
      connection.removeEventListener('state', now);
    },
  };
}
