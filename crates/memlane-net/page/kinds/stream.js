// @ts-check
// A stream as rolling plots: a panel for each field of its records, marks where some were lost, who publishes and how
// far behind its readers are.

import { channelsOf } from '../channels.js';
import { h, setText } from '../element.js';
import { list } from '../locking.js';
import { panelOf } from '../panel.js';
import { Pane, facts, part, person } from '../pane.js';
import { viewOf } from '../places.js';
import { numberReader, read, text } from '../scalar.js';
import { brief } from '../scale.js';
import { parse } from '../schema.js';
import { Track } from '../track.js';
import { bytes, number, t } from '../words.js';

/** Batches of records a second. */
const RATE = 30;
/** Numbers that are kept of all channels together, and records. */
const KEPT_NUMBERS = 1 << 21;
const KEPT = 1 << 17;
/** Records of the past that are asked for at first. */
const PAST = 16384;
/** What is seen at once, in seconds or in records. */
const SECONDS = [1, 2, 5, 10, 20, 60];
const RECORDS = [100, 500, 1000, 5000, 20000, 100000];
/** The newest samples whose strength is shown, in seconds or records. */
const STRENGTH = [0.2, 50];
/** Milliseconds between two looks at who takes part, and between two times at which figures are written. */
const LOOK = 1000;
const FIGURES = 500;
/** Times at which figures are written over which the rate is taken. */
const RATED = 7;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const { connection, id } = context;
  const schema = parse(context.document.schema);
  const size = schema.type.size;
  const channels = channelsOf(schema);
  const { time, missing, groups, others } = channels;
  const track = new Track(channels.count, Math.min(KEPT, Math.max(1024, Math.floor(KEPT_NUMBERS / Math.max(channels.count, 1)))));
  const readers = groups.flatMap((group) => group.channels).map(({ leaf, number }) => ({ ys: track.ys[number], offset: leaf.offset, read: numberReader(leaf.type) }));
  const readTime = time && numberReader(time.leaf.type);
  const readMissing = missing && numberReader(missing.type);

  /** The number of the record that comes next; null before the first look. @type {number | null} */
  let next = null;
  let [received, lost] = [0, 0];
  /** Where the view ends while it is paused. @type {number | null} */
  let paused = null;
  /** @type {DataView | null} */
  let newest = null;

  /** @param {number} first @param {number} count @param {Uint8Array} payload @param {number} [gone] records lost before the first */
  function take(first, count, payload, gone = 0) {
    const view = viewOf(payload);
    if (next !== null && first > next) gone = Math.max(gone, first - next);
    for (let record = 0; record < count; record += 1) {
      const start = record * size;
      const x = time && readTime ? readTime(view, start + time.leaf.offset) * time.factor : first + record;
      if (!Number.isFinite(x)) continue;
      // A clock that was set back begins anew: the axis only goes on.
      if (x < track.newest) track.clear();
      const slot = track.add(x);
      for (const { ys, offset, read } of readers) ys[slot] = read(view, start + offset);
      const hole = (record === 0 ? gone : 0) + (missing && readMissing ? readMissing(view, start + missing.offset) : 0);
      if (hole > 0 && track.length > 1) track.gap(x, hole);
      if (hole > 0) lost += hole;
    }
    if (count) newest = new DataView(payload.slice((count - 1) * size).buffer);
    received += count;
    next = first + count;
    if (count) draw();
  }

  async function begin() {
    const answer = await connection.request('records', { id, most: PAST }).catch(() => null);
    if (pane.closed) return;
    if (answer) {
      const { first, count } = /** @type {any} */ (answer.ok);
      take(first, count, answer.payload);
      received = lost = 0;
    }
    // What came while the page was hidden is caught up, as far as it is still kept.
    pane.follow(() => (next === null ? { rate: RATE } : { rate: RATE, after: next }), (header, payload) => take(header.first, header.count, payload, header.lost));
  }

  const spans = time ? SECONDS : RECORDS;
  const span = h('select', { 'aria-label': time ? t('Time window') : t('Records shown'), onchange: () => draw() },
    spans.map((length) => h('option', { value: length }, time ? t('{n} s', { n: length }) : t('{n} records', { n: number(length) }))));
  span.value = String(spans[time ? 3 : 2]);
  const pause = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
    paused = paused === null ? track.newest : null;
    pause.setAttribute('aria-pressed', String(paused !== null));
    draw();
  } }, t('Pause'));
  const figures = h('output', { class: 'readout figures', 'aria-label': t('Figures'), 'aria-live': 'off' });
  const people = h('div', { class: 'columns' });
  const rest = h('dl', { class: 'facts' });

  const xText = (/** @type {number} */ x) => (time ? t('{n} s', { n: brief(Number((x - (paused ?? track.newest)).toFixed(4)), 5) }) : number(x));
  const panels = groups.map((group) => panelOf(group, xText, time !== null, () => draw()));
  const draw = pane.repaint(() => {
    const x1 = paused ?? track.newest;
    if (!track.length) return;
    const x0 = x1 - Number(span.value);
    const strong = track.find(x1 - STRENGTH[time ? 0 : 1]);
    for (const panel of panels) panel.draw(track, x0, x1, strong);
  });

  /** @type {{ at: number, received: number }[]} */
  const looks = [];
  function show() {
    looks.push({ at: performance.now(), received });
    if (looks.length > RATED) looks.shift();
    const [from, to] = [looks[0], looks[looks.length - 1]];
    const rate = (to.received - from.received) / ((to.at - from.at) / 1000 || 1);
    const gaps = lost ? t('{n} lost', { n: number(lost) }) : t('none lost');
    setText(figures, [t('{n} records per second', { n: brief(rate, 4) }), gaps, next === null ? '' : t('{n} published', { n: number(next) })].filter(Boolean).join('   '));
    const view = newest;
    if (!view || !others.length) return;
    rest.replaceChildren(...others.flatMap((leaf) => [
      h('dt', {}, leaf.path), h('dd', {}, text(leaf.type, read(leaf.type, view, leaf.offset)) + (leaf.unit ? ` ${leaf.unit}` : '')),
    ]));
  }

  async function look() {
    const { ok } = await connection.request('describe', { id });
    const state = /** @type {any} */ (ok).state;
    if (!state || pane.closed) return;
    const { publisher, readers: behind, capacity, record_size: record, lossless } = state;
    people.replaceChildren(
      part(t('Publisher'), h('p', {}, person(publisher)), facts(
        [t('Records kept'), number(capacity)], [t('Record'), bytes(record)],
        [t('Slow readers'), lossless ? t('hold the publisher up') : t('lose records')],
      )),
      list(t('Readers'), behind, t('Nobody reads')),
      ...(others.length ? [part(t('Newest record'), rest)] : []),
    );
  }

  pane.add(
    h('div', { class: 'toolbar' }, pause, span, figures),
    ...panels.map((panel) => panel.element),
    panels.length ? null : h('p', { class: 'quiet' }, t('Its records have no numbers to draw.')),
    people,
  );
  pane.every(FIGURES, show);
  pane.poll(LOOK, look);
  begin();
  return pane;
}
