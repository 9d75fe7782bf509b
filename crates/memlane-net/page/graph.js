// @ts-check
// Who holds what and who waits for it, drawn: threads on the left, regions on the right, circles of waiting in red.

import { svg } from './element.js';
import { personOf } from './people.js';
import { duration, t } from './words.js';

/**
 * @typedef {{key: string, title: string, line: string, tone: string, stuck: boolean, links: string[]}} Node
 * @typedef {{from: string, to: string, holds: boolean, seconds: number | null, stuck: boolean}} Edge from a thread to a region
 */

/** In pixels. */
const HEIGHT = 44;
const GAP = 16;
const MARGIN = 10;
const WIDEST = 230;
/** Less between threads and regions has no room for words. */
const ROOMY = 260;
/** Seconds; what is shorter has just begun. */
const NOTABLE = 0.05;

/** @param {any[]} locks @param {any[]} edges rows of `locks` and `wait_graph` */
export function graphOf(locks, edges) {
  /** @type {Map<string, Node>} */
  const threads = new Map();
  /** @type {Map<string, Node>} */
  const regions = new Map();
  /** @type {Map<string, Edge>} */
  const lines = new Map();
  const stuckIn = new Set(edges.filter((edge) => edge.deadlock).map(threadKey));

  /** @param {any} who */
  function threadOf(who) {
    const key = threadKey(who);
    if (!threads.has(key)) {
      const title = who.session ? t('session {session}', { session: who.session }) : `${who.program || '?'} ${who.pid || ''}`;
      const line = who.thread ? t('thread {n}', { n: who.thread }) : (who.from ?? '');
      threads.set(key, { key, title, line, tone: who.alive === false || stuckIn.has(key) ? 'red' : '', stuck: stuckIn.has(key), links: [] });
    }
    return key;
  }
  /** @param {string} id @param {string} kind @param {string} line @param {string} tone */
  function regionOf(id, kind, line = kind, tone = '') {
    const known = regions.get(id);
    if (!known) regions.set(id, { key: id, title: id, line, tone, stuck: false, links: [] });
    else if (tone) known.tone = tone;
    return id;
  }
  /** @param {Edge} edge */
  function link(edge) {
    const key = `${edge.holds} ${edge.from} ${edge.to}`;
    if (lines.has(key)) return;
    lines.set(key, edge);
    threads.get(edge.from)?.links.push(edge.to);
    regions.get(edge.to)?.links.push(edge.from);
  }

  for (const lock of locks) {
    const dead = lock.holder?.alive === false;
    const line = dead ? t('owner dead') : lock.inconsistent ? t('inconsistent') : lock.kind;
    const to = regionOf(lock.id, lock.kind, line, dead || lock.deadlock || lock.inconsistent ? 'red' : '');
    if (lock.holder) {
      const from = threadOf(lock.holder);
      link({ from, to, holds: true, seconds: lock.holder.held_seconds, stuck: dead || (lock.deadlock && stuckIn.has(from)) });
    }
  }
  for (const edge of edges) {
    const to = regionOf(edge.id, edge.kind);
    const from = threadOf(edge);
    if (edge.deadlock) regionOf(edge.id, edge.kind, edge.kind, 'red');
    link({ from, to, holds: false, seconds: edge.seconds, stuck: edge.deadlock });
    for (const holder of edge.holders) {
      // A lock says its holder by thread; of others only the process may be known.
      const known = [...threads.values()].some(({ key, links }) => key.startsWith(`${holder.process}:`) && links.includes(to));
      if (known && !holder.thread) continue;
      const by = threadOf(holder);
      link({ from: by, to, holds: true, seconds: holder.held_seconds ?? null, stuck: edge.deadlock && stuckIn.has(by) });
    }
  }
  return { threads: [...threads.values()], regions: [...regions.values()], lines: [...lines.values()] };
}

/** @param {any} who */
function threadKey(who) {
  return `${who.process}:${who.session ?? ''}:${who.thread ?? ''}`;
}

/** @param {ReturnType<typeof graphOf>} graph @param {number} width in pixels */
export function draw({ threads, regions, lines }, width) {
  const places = new Map(regions.map(({ key }, index) => [key, index]));
  // Each thread beside what it has to do with, so that few lines cross.
  const middle = (/** @type {Node} */ node) => node.links.reduce((sum, key) => sum + (places.get(key) ?? 0), 0) / (node.links.length || 1);
  const left = [...threads].sort((one, other) => middle(one) - middle(other));
  const box = Math.min(WIDEST, (width - 2 * MARGIN) * 0.38);
  const right = Math.min(width - MARGIN - box, MARGIN + box + 420);
  const height = Math.max(left.length, regions.length) * (HEIGHT + GAP) + GAP;
  const middleOf = (/** @type {Node[]} */ nodes, /** @type {string} */ key) => {
    const free = height - nodes.length * (HEIGHT + GAP) - GAP;
    return free / 2 + GAP + nodes.findIndex((node) => node.key === key) * (HEIGHT + GAP) + HEIGHT / 2;
  };
  const node = (/** @type {Node[]} */ nodes, /** @type {number} */ x, /** @type {string} */ style) =>
    nodes.map(({ key, title, line, tone }) => {
      const y = middleOf(nodes, key) - HEIGHT / 2;
      const most = Math.floor(box / 7.4);
      return svg(
        'g',
        { class: `node ${style} ${tone}` },
        svg('rect', { x, y, width: box, height: HEIGHT, rx: style === 'thread' ? 8 : 2 }),
        svg('text', { x: x + 10, y: y + 18, class: 'name' }, cut(title, most)),
        svg('text', { x: x + 10, y: y + 34, class: 'line' }, cut(line, most)),
        svg('title', null, `${title}\n${line}`),
      );
    });
  const edge = (/** @type {Edge} */ { from, to, holds, seconds, stuck }, /** @type {number} */ index) => {
    const [x1, x2] = [MARGIN + box, right];
    const [y1, y2] = [middleOf(left, from) + (holds ? -6 : 6), middleOf(regions, to) + (holds ? -6 : 6)];
    const bend = (x2 - x1) / 2.4;
    const d = holds ? `M ${x2} ${y2} C ${x2 - bend} ${y2}, ${x1 + bend} ${y1}, ${x1 + 7} ${y1}` : `M ${x1} ${y1} C ${x1 + bend} ${y1}, ${x2 - bend} ${y2}, ${x2 - 7} ${y2}`;
    const time = lasting(seconds);
    const label = (holds ? t('held {time}', { time }) : t('waits {time}', { time })).trim();
    // Labels of lines that cross stand at different places.
    const at = holds ? 0.66 : 0.34 + (index % 3) * 0.04;
    const x = x1 + (x2 - x1) * at;
    const y = y1 + (y2 - y1) * (3 * at * at - 2 * at * at * at);
    const tone = stuck ? 'red' : '';
    const head = holds ? `M ${x1} ${y1} l 8 -4 v 8 z` : `M ${x2} ${y2} l -8 -4 v 8 z`;
    return svg('g', { class: `edge ${holds ? 'holds' : 'waits'} ${tone}` }, svg('path', { d, class: 'way' }), svg('path', { d: head, class: 'head' }), right - box > ROOMY && svg('text', { x, y: y - 4 }, label));
  };
  const stuck = threads.some(({ stuck }) => stuck);
  const words = t('Lock graph: {threads} threads, {regions} regions, {stuck}', {
    threads: threads.length, regions: regions.length, stuck: stuck ? t('with a deadlock') : t('without a deadlock'),
  });
  return svg(
    'svg',
    { class: 'graph', role: 'img', 'aria-label': words, width, height, viewBox: `0 0 ${width} ${height}` },
    lines.map(edge), node(left, MARGIN, 'thread'), node(regions, right, 'region'),
  );
}

/** How long something has gone on; nothing of what has just begun, or if it is not known. @param {number | null | undefined} seconds */
function lasting(seconds) {
  return (seconds ?? 0) < NOTABLE ? '' : duration(seconds ?? 0);
}

/** A thread that waits, and for whom, in words. @param {any} edge a row of `wait_graph` */
export function inWords(edge) {
  const { id, what, seconds, holders } = edge;
  const who = threadInWords(edge);
  const time = lasting(seconds);
  const waits = time ? t('{who} waits {time} for {what} {id}', { who, time, what, id }) : t('{who} has just begun to wait for {what} {id}', { who, what, id });
  const held = holders.map((/** @type {any} */ holder) => {
    const time = lasting(holder.held_seconds);
    return threadInWords(holder) + (time && ` ${t('for {time}', { time })}`);
  });
  return held.length ? t('{waits}, held by {holders}', { waits, holders: held.join(t(' and ')) }) : waits;
}

/** @param {any} who */
function threadInWords(who) {
  return personOf(who) + (who.thread ? t(', thread {thread}', { thread: who.thread }) : '');
}

/** @param {string} text @param {number} most */
function cut(text, most) {
  return text.length > most ? `…${text.slice(text.length - most + 1)}` : text;
}
