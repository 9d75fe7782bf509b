// @ts-check
// Two changes of one text put together, line by line. What both changed stands there twice, marked.

/** @param {string} base @param {string} mine @param {string} theirs */
export function merge(base, mine, theirs) {
  const [from, one, other] = [base, mine, theirs].map((text) => text.split('\n'));
  const a = changed(from, one);
  const b = changed(from, other);
  // Changes that touch cannot be told apart.
  if (a.end < b.start || (a.end === b.start && a.start !== b.start && a.end !== a.start)) return together(from, one, a, other, b);
  if (b.end < a.start || (b.end === a.start && b.start !== a.start && b.end !== b.start)) return together(from, other, b, one, a);
  const start = Math.min(a.start, b.start);
  const end = Math.max(a.end, b.end);
  const part = (/** @type {string[]} */ lines, /** @type {Change} */ change) => [
    ...from.slice(start, change.start), ...lines.slice(change.start, lines.length - (from.length - change.end)), ...from.slice(change.end, end),
  ];
  const both = ['<<<<<<< mine', ...part(one, a), '=======', ...part(other, b), '>>>>>>> theirs'];
  return [...from.slice(0, start), ...both, ...from.slice(end)].join('\n');
}

/** @typedef {{ start: number, end: number }} Change lines of the base that are other ones now */

/** @param {string[]} from @param {string[]} to @returns {Change} */
function changed(from, to) {
  const most = Math.min(from.length, to.length);
  let start = 0;
  while (start < most && from[start] === to[start]) start += 1;
  let same = 0;
  while (same < most - start && from[from.length - 1 - same] === to[to.length - 1 - same]) same += 1;
  return { start, end: from.length - same };
}

/** @param {string[]} from @param {string[]} upper @param {Change} a @param {string[]} lower @param {Change} b */
function together(from, upper, a, lower, b) {
  const above = upper.slice(0, upper.length - (from.length - a.end));
  const below = lower.slice(b.start);
  return [...above, ...from.slice(a.end, b.start), ...below].join('\n');
}
