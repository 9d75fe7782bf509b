// @ts-check
// How the page answers a host's hello.

const PROTOCOL = 1;

/** @param {string} token @param {string} [session] to go on with */
export function greeting(token, session) {
  const client = `page, ${navigator.platform || 'browser'}`;
  return { hello: { protocol: PROTOCOL, client, token, session } };
}

/** To a host that is to pass on what is said from then on. @param {string} token @param {import('./connection.js').Via | null} far */
export function passedOn(token, far) {
  const { token: _, ...via } = far ?? { token };
  return { hello: { ...greeting(token).hello, via } };
}
