// @ts-check
// Frames as a live picture: as many as the page can draw, the newest first, and how they come. Each frame is
// acknowledged when it is on the screen, so that a slow page asks for fewer.

import { h, setText } from '../element.js';
import { list } from '../locking.js';
import { say } from '../notice.js';
import { Pane, facts, part, person, tell } from '../pane.js';
import { isPlain, layoutOf, levelsOf, painter, samplesAt, wholeRange } from '../picture.js';
import { isExact, pngOf } from '../png.js';
import { brief } from '../scale.js';
import { parse } from '../schema.js';
import { Stage } from '../stage.js';
import { number, t } from '../words.js';

/** Frames that may be on the way. */
const WINDOW = 3;
/** Milliseconds between two looks at who takes part, and between two times at which figures are written. */
const LOOK = 2000;
const FIGURES = 500;
/** Levels are found anew after so many frames, lest the picture flicker. */
const FRAMES_PER_LEVELS = 15;

/** @typedef {{ header: any, payload: Uint8Array<ArrayBuffer>, done: () => void }} Frame */

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const { connection, id } = context;
  const schema = context.document.schema ? parse(context.document.schema) : null;
  const layout = layoutOf(schema);
  const paint = layout && painter(layout);
  const what = layout ? `${layout.columns} × ${layout.rows}${schema?.encoding ? ` ${schema.encoding}` : ''}` : (schema?.encoding || t('frames of bytes'));
  const stage = new Stage({ label: t('Live picture of {id}, {what}', { id, what }), point: (x, y) => readOut(x, y), leave: () => setText(pixel, '') });
  const pen = /** @type {CanvasRenderingContext2D} */ (stage.canvas.getContext('2d', { willReadFrequently: true }));
  pane.onClose(() => stage.close());
  const pixel = h('output', { class: 'readout pixel', 'aria-label': t('Pixel'), 'aria-live': 'polite' });
  const figures = h('output', { class: 'readout figures', 'aria-label': t('Figures'), 'aria-live': 'off' });
  const people = h('div', { class: 'columns' });

  /** @type {ImageData | null} */
  let image = null;
  /** @type {Uint32Array} */
  let pixels = new Uint32Array();
  /** What is shown, and what will be. @type {Frame | null} */
  let shown = null;
  /** @type {Frame | null} */
  let next = null;
  let levels = layout ? wholeRange(layout) : { low: 0, high: 1 };
  let isStretched = layout !== null && !isPlain(layout);
  let isFrozen = false;
  let [drawn, missed, skipped, latency] = [0, 0, 0, 0];
  let since = performance.now();

  const draw = pane.repaint(async () => {
    const frame = next;
    next = null;
    if (!frame) return;
    try {
      await put(frame);
      shown = frame;
      drawn += 1;
      // The host's clock is this one only on its own machine.
      latency = performance.timeOrigin + performance.now() - frame.header.captured_wall / 1e6;
      if (stage.cursor) readOut(stage.cursor.x, stage.cursor.y);
    } catch (error) {
      pane.warn(/** @type {Error} */ (error).message);
    }
    frame.done();
  });

  /** @param {Frame} frame */
  async function put({ header, payload }) {
    if (['jpeg', 'png'].includes(header.encoding)) {
      const bitmap = await createImageBitmap(new Blob([payload], { type: `image/${header.encoding}` }));
      stage.resize(bitmap.width, bitmap.height);
      pen.drawImage(bitmap, 0, 0);
      return bitmap.close();
    }
    if (!layout || !paint || payload.length !== layout.size) {
      throw new Error(t('This frame of {n} bytes is no picture that its schema describes', { n: number(payload.length) }));
    }
    if (stage.resize(layout.columns, layout.rows) || !image) {
      image = pen.createImageData(layout.columns, layout.rows);
      pixels = new Uint32Array(image.data.buffer);
    }
    if (isStretched && drawn % FRAMES_PER_LEVELS === 0) levels = levelsOf(layout, payload);
    paint(payload, pixels, levels);
    pen.putImageData(image, 0, 0);
  }

  /** @param {number} x @param {number} y */
  function readOut(x, y) {
    if (!shown) return;
    const place = `${t('x {x}, y {y}', { x, y })}   `;
    if (layout && shown.payload.length === layout.size) return setText(pixel, place + samplesAt(layout, shown.payload, x, y).join('   '));
    const [r, g, b] = pen.getImageData(x, y, 1, 1).data;
    setText(pixel, `${place}≈ r ${r}   g ${g}   b ${b}   (${t('compressed')})`);
  }

  const ways = waysToDeliver();
  const isFar = connection.via !== null || !isLoopback(location.hostname);
  const way = h('select', { 'aria-label': t('How pictures are sent'), onchange: () => start() }, ways.map(({ name }, at) => h('option', { value: at }, name)));
  if (isFar && ways.length > 1) way.value = '1';

  function waysToDeliver() {
    const exact = { name: t('Exact pixels'), fields: () => ({}) };
    const isCompressible = layout && [1, 3, 4].includes(layout.channels) && layout.sample.sort === 'uint' && layout.sample.size <= 2;
    if (!layout || !isCompressible) return [exact];
    // No more pixels than the screen has.
    const fitting = () => Math.max(1, Math.floor(layout.columns / Math.max(stage.element.clientWidth * devicePixelRatio, 1)));
    return [
      exact,
      { name: t('JPEG, as large as shown'), fields: () => ({ jpeg: 80, scale: fitting() }) },
      { name: t('JPEG, half as large'), fields: () => ({ jpeg: 70, scale: 2 * fitting() }) },
    ];
  }

  const delivery = () => ({ form: 'bytes', window: WINDOW, ...ways[Number(way.value)].fields() });

  /** @param {any} header @param {Uint8Array<ArrayBuffer>} payload */
  function take(header, payload) {
    missed += header.missed ?? 0;
    if (next) {
      skipped += 1;
      next.done();
    }
    return new Promise((/** @type {(value: void) => void} */ done) => {
      next = { header, payload, done };
      draw();
    });
  }

  const feed = pane.follow(delivery, take);
  pane.onClose(() => next?.done());

  function start() {
    image = null;
    if (!isFrozen) feed.restart();
  }

  const freeze = h('button', { type: 'button', 'aria-pressed': 'false', onclick: () => {
    isFrozen = !isFrozen;
    freeze.setAttribute('aria-pressed', String(isFrozen));
    if (isFrozen) feed.close();
    else start();
  } }, t('Freeze'));
  const stretch = h('button', { type: 'button', 'aria-pressed': String(isStretched), onclick: () => {
    isStretched = !isStretched;
    stretch.setAttribute('aria-pressed', String(isStretched));
    if (layout) levels = isStretched && shown ? levelsOf(layout, shown.payload) : wholeRange(layout);
    if (shown) put(shown).catch(tell);
  } }, t('Stretch contrast'));

  async function save() {
    try {
      const frame = shown && layout && shown.payload.length !== layout.size && !isFrozen ? await newest() : shown;
      if (!frame) return say(t('There is no frame yet'), 'bad');
      const exact = layout && frame.payload.length === layout.size && isExact(layout);
      const blob = exact ? await pngOf(layout, frame.payload) : await drawnBlob();
      const url = URL.createObjectURL(blob);
      const name = `${id.replaceAll('/', '-')}-${frame.header.sequence}.png`;
      h('a', { href: url, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
      say(exact ? t('Saved {name}, each pixel as it was published', { name }) : t('Saved {name} as it is shown', { name }), 'good');
    } catch (error) {
      tell(error);
    }
  }

  /** The newest frame itself, where only compressed ones were sent. */
  async function newest() {
    const { ok, payload } = await connection.request('read', { id, form: 'bytes' });
    return { header: ok, payload };
  }

  function drawnBlob() {
    return new Promise((/** @type {(blob: Blob) => void} */ resolve, reject) => {
      stage.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error(t('There is no frame yet')))), 'image/png');
    });
  }

  function show() {
    const now = performance.now();
    const rate = (drawn - before) / ((now - since) / 1000);
    before = drawn;
    since = now;
    const sequence = shown ? t('frame {n}', { n: number(shown.header.sequence) }) : t('no frame yet');
    // What comes at once shows how far the clocks agree.
    const late = !shown || rate === 0 ? '' : latency < 0 ? t('latency unknown: the clocks differ') : isFar ? t('latency {n} ms if the clocks agree', { n: brief(latency, 3) }) : t('latency {n} ms', { n: brief(latency, 3) });
    const parts = [sequence, t('{n} fps', { n: rate.toFixed(1) }), late, t('missed {n}', { n: number(missed + skipped) })];
    setText(figures, (isFrozen ? [t('frozen'), sequence] : parts).filter(Boolean).join('   '));
    figures.title = t('{missed} were published and not sent, {skipped} came and were not drawn', { missed: number(missed), skipped: number(skipped) });
  }
  let before = 0;

  async function look() {
    const { ok } = await connection.request('describe', { id });
    const state = /** @type {any} */ (ok).frames;
    if (!state || pane.closed) return;
    people.replaceChildren(
      part(t('Publisher'), h('p', { class: state.publisher?.alive === false ? 'dead' : '' }, person(state.publisher))),
      list(t('Subscribers'), state.subscribers, t('Nobody subscribes')),
      part(t('Channel'), facts([t('Picture'), what], [t('Frames kept'), number(state.history)], [t('Borrowed at most'), number(state.borrows)])),
    );
  }

  const press = (/** @type {string} */ label, /** @type {string} */ sign, /** @type {() => unknown} */ act) =>
    h('button', { type: 'button', 'aria-label': label, title: label, onclick: act }, sign);
  pane.add(
    h('div', { class: 'toolbar' },
      freeze, press(t('Fit'), t('Fit'), () => stage.fit()), press(t('One to one'), '1:1', () => stage.zoom(1)),
      press(t('Smaller'), '−', () => stage.zoom(stage.scale / 1.5)), press(t('Larger'), '+', () => stage.zoom(stage.scale * 1.5)),
      layout && !isPlain(layout) ? stretch : null,
      h('button', { type: 'button', onclick: save }, t('Save PNG')), ways.length > 1 ? way : null),
    stage.element,
    h('div', { class: 'picture-line' }, figures, pixel),
    people,
  );
  if (layout) stage.resize(layout.columns, layout.rows);
  pane.every(FIGURES, show);
  pane.poll(LOOK, look);
  return pane;
}

/** @param {string} name of a machine, as an address has it */
function isLoopback(name) {
  return name === 'localhost' || name === '[::1]' || /^127\./.test(name) || name.endsWith('.localhost');
}
