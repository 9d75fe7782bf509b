// @ts-check
// What of a stream's records is drawn: which field is the time, which says how many samples are missing, and the
// numbers that belong together.

import { leaves } from './schema.js';

/**
 * @typedef {import('./schema.js').Leaf} Leaf
 * @typedef {{ name: string, unit: string, channels: { name: string, leaf: Leaf, number: number }[], isSignal: boolean }} Group
 * `isSignal`: several channels of one sensor, such as EMG, of which the strength of each is looked at.
 * @typedef {{ time: { leaf: Leaf, factor: number } | null, missing: Leaf | null, groups: Group[], others: Leaf[], count: number }} Channels
 */

/** More are not drawn. */
const MOST = 64;
const TIMES = new Set(['t', 'time', 'timestamp', 'stamp', 'captured']);
/** Seconds of a unit. @type {Record<string, number>} */
const UNITS = { '': 1, s: 1, ms: 1e-3, us: 1e-6, 'µs': 1e-6, ns: 1e-9 };
const SIGNAL_CHANNELS = 4;

/** @param {import('./schema.js').Schema} schema of a record @returns {Channels} */
export function channelsOf(schema) {
  const found = leaves(schema);
  const isNumber = (/** @type {Leaf} */ leaf) => leaf.type.sort !== 'bytes';
  const timed = found.find((leaf) => TIMES.has(leaf.path.toLowerCase()) && isNumber(leaf) && leaf.unit in UNITS);
  const time = timed ? { leaf: timed, factor: UNITS[timed.unit] } : null;
  const missing = found.find((leaf) => leaf.path === 'lost' && ['int', 'uint'].includes(leaf.type.sort)) ?? null;
  const drawn = found.filter((leaf) => leaf !== timed && leaf !== missing && isNumber(leaf)).slice(0, MOST);
  /** @type {Map<string, Group>} */
  const groups = new Map();
  drawn.forEach((leaf, number) => {
    const name = leaf.path.replace(/\[[\d,]*\]$/, '');
    let group = groups.get(name);
    if (!group) groups.set(name, (group = { name, unit: leaf.unit, channels: [], isSignal: false }));
    group.channels.push({ name: leaf.path.slice(name.length).replace(/[[\]]/g, '') || name, leaf, number });
  });
  for (const group of groups.values()) group.isSignal = isSignal(group);
  const others = found.filter((leaf) => !drawn.includes(leaf));
  return { time, missing, groups: [...groups.values()], others, count: drawn.length };
}

/** Four fractions are an orientation rather than four electrodes. @param {Group} group */
function isSignal({ name, channels }) {
  const isWhole = channels[0].leaf.type.sort !== 'float';
  return channels.length >= SIGNAL_CHANNELS && (isWhole || channels.length > SIGNAL_CHANNELS || /emg/i.test(name));
}
