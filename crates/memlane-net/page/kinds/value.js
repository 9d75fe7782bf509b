// @ts-check
// A value: its number, ways to change it, and how it went.

import { h } from '../element.js';
import { field } from '../field.js';
import { History } from '../history.js';
import { Pane, part } from '../pane.js';
import { ofValue, viewOf } from '../places.js';
import { Plot } from '../plot.js';
import { numberReader, read, text } from '../scalar.js';
import { brief, extent } from '../scale.js';
import { parse } from '../schema.js';
import { slider } from '../slider.js';
import { Track } from '../track.js';
import { number, t } from '../words.js';

/** Looks a second. */
const RATE = 30;
/** Changes that are kept, and seconds that are shown. */
const KEPT = 4096;
const WINDOW = 60;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const schema = parse(context.document.schema);
  const type = /** @type {import('../schema.js').Scalar} */ (schema.type);
  const place = ofValue(context, type);
  const history = new History();
  const name = t('Value');
  const write = (/** @type {Uint8Array} */ bytes, /** @type {Uint8Array} */ before, isSame = false) => history.write('', place, before, bytes, isSame);
  const entry = field({ name, type, unit: schema.unit, write });
  pane.keep('', entry.typed, entry.restore);
  const slide = type.sort === 'bool' ? null : slider({ name, type, write });
  const big = h('output', { class: 'big', 'aria-label': t('Value now') });
  const about = h('p', { class: 'quiet' });

  const track = new Track(1, KEPT);
  const plot = new Plot({
    label: t('Recent values'), height: 120,
    traces: [{ name: schema.unit ? '' : t('value'), channel: 0, colour: 1, unit: schema.unit, shown: true }],
    isAgo: true, xText: (x) => t('{n} s', { n: brief(Number((x - performance.now() / 1000).toFixed(1)), 3) }),
  });
  const numberOf = numberReader(type);
  const draw = pane.repaint(() => {
    const now = performance.now() / 1000;
    const x0 = now - WINDOW;
    const { y0, y1, least, greatest } = extent(track, [0], x0, now);
    plot.draw(track, { x0, x1: now, y0, y1 });
    const spread = { least: brief(least, 6), greatest: brief(greatest, 6) };
    about.textContent = t('changes seen: {n}, from {least} to {greatest} in the last minute', { n: number(seen), ...spread });
    plot.describe(about.textContent);
  });

  let seen = 0;
  let last = NaN;
  pane.follow(() => ({ form: 'bytes', rate: RATE }), (_, payload) => {
    big.textContent = text(type, read(type, viewOf(payload)));
    entry.show(payload);
    slide?.show(payload);
    const [x, y] = [performance.now() / 1000, numberOf(viewOf(payload), 0)];
    // Between two changes a value stays what it was.
    if (track.length) track.ys[0][track.add(x)] = last;
    track.ys[0][track.add(x)] = y;
    last = y;
    seen += 1;
    draw();
  });
  pane.every(500, () => {
    if (track.length) track.ys[0][track.add(performance.now() / 1000)] = last;
    draw();
  });

  pane.add(
    h('div', { class: 'value-now' }, big, schema.unit ? h('span', { class: 'unit' }, schema.unit) : null),
    h('div', { class: 'toolbar' }, entry.element, history.button),
    slide?.element ?? null,
    part(t('Recent values'), plot.element, about),
  );
  return pane;
}
