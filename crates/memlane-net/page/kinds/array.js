// @ts-check
// An array as a grid to edit, as a plot, and as bytes.

import { Elements } from '../elements.js';
import { h } from '../element.js';
import { Grid } from '../grid.js';
import { Hex } from '../hex.js';
import { History } from '../history.js';
import { Pane } from '../pane.js';
import { ofElement, viewOf } from '../places.js';
import { COLOURS, Plot } from '../plot.js';
import { encode, numberReader, read, text } from '../scalar.js';
import { brief, extent } from '../scale.js';
import { count, leaves, parse, unravel } from '../schema.js';
import { tabs } from '../tabs.js';
import { Track } from '../track.js';
import { number, t } from '../words.js';

/** Elements of one dimension stand in rows of so many. */
const WRAPPED = 10;
const NUMBER_WIDTH = 88;
const FIELD_WIDTH = 120;
/** Numbers of a line that are drawn; scalars of an element that have a column. */
const MOST_POINTS = 1 << 16;
const MOST_COLUMNS = 256;
/** Milliseconds between two looks at the bytes. */
const LOOK = 500;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const schema = parse(context.document.schema);
  const { shape, type } = schema;
  const parts = leaves({ shape: [], type, unit: schema.unit }, MOST_COLUMNS);
  const isStruct = type.sort === 'struct';
  const history = new History();
  const elements = new Elements(pane, schema, () => draw());
  // Of an element that is no struct, the last two dimensions are rows and columns; the person chooses the others.
  const outer = isStruct ? [] : shape.slice(0, -2);
  const [height, across] = isStruct ? [elements.count, parts.length] : shape.length === 1 ? [Math.ceil(shape[0] / WRAPPED), Math.min(WRAPPED, shape[0])] : shape.slice(-2);
  /** @type {number[]} */
  const chosen = outer.map(() => 0);
  const base = () => chosen.reduce((at, index, axis) => at * shape[axis] + index, 0) * (outer.length ? height * across : 0);
  /** Which element and which scalar of it a cell shows. @param {number} row @param {number} column */
  const cell = (row, column) =>
    isStruct ? { element: row, leaf: parts[column] } : { element: base() + row * across + column, leaf: parts[0] };

  const source = () => ({
    label: t('Elements'), rows: height, columns: across, width: isStruct ? FIELD_WIDTH : NUMBER_WIDTH,
    rowName: (/** @type {number} */ row) => (shape.length === 1 ? String(isStruct ? row : row * WRAPPED) : isStruct ? unravel(row, shape).join(',') : String(row)),
    columnName: (/** @type {number} */ column) => (isStruct ? parts[column].path + (parts[column].unit ? ` (${parts[column].unit})` : '') : shape.length === 1 ? `+${column}` : String(column)),
    text: (/** @type {number} */ row, /** @type {number} */ column) => {
      const { element, leaf } = cell(row, column);
      const offset = element < elements.count ? elements.offset(element) : -1;
      return offset < 0 ? null : text(leaf.type, read(leaf.type, elements.view, offset + leaf.offset));
    },
    see: (/** @type {number} */ from, /** @type {number} */ to) => way === 'grid' && elements.want(cell(from, 0).element, isStruct ? to - from : (to - from) * across),
    write: (/** @type {number} */ row, /** @type {number} */ column, /** @type {string} */ typed) => {
      const { element, leaf } = cell(row, column);
      const offset = elements.offset(element) + leaf.offset;
      const before = new Uint8Array(elements.view.buffer, elements.view.byteOffset + offset, leaf.type.size).slice();
      const name = `[${unravel(element, shape).join(', ')}]${leaf.path ? `.${leaf.path}` : ''}`;
      return history.write(name, ofElement(context, element, leaf, type.size), before, encode(leaf.type, typed)).then(() => elements.look());
    },
    choose: () => drawPlot(),
  });

  let way = 'grid';
  const grid = new Grid(source());
  pane.onClose(() => grid.close());
  const plotted = plotOf();
  const hex = new Hex({ size: elements.count * type.size, read: (start, size) => elements.bytes(start, size) });
  /** What the plot shows: a line of the grid, or the fields of the elements. */
  function plotOf() {
    const drawn = isStruct ? parts.filter((leaf) => leaf.type.sort !== 'bytes').slice(0, COLOURS) : parts.slice(0, 1);
    const length = isStruct ? elements.count : shape.length === 1 ? shape[0] : across;
    const track = new Track(drawn.length, Math.min(length, MOST_POINTS));
    const plot = new Plot({
      label: t('Plot of the elements'), height: 260,
      traces: drawn.map((leaf, channel) => ({ name: leaf.path || t('element'), channel, colour: channel + 1, unit: leaf.unit, shown: true })),
      xText: (x) => brief(x, 7),
    });
    const about = h('p', { class: 'quiet' });
    return { drawn, length, track, plot, about, element: h('div', {}, plot.element, about) };
  }

  function drawPlot() {
    if (way !== 'plot') return;
    const { drawn, length, track, plot, about } = plotted;
    const first = isStruct || shape.length === 1 ? 0 : base() + grid.row * across;
    elements.want(first, Math.min(length, MOST_POINTS));
    const readers = drawn.map((leaf) => numberReader(leaf.type));
    track.clear();
    for (let at = 0; at < Math.min(length, MOST_POINTS); at += 1) {
      const offset = elements.offset(first + at);
      if (offset < 0) break;
      const slot = track.add(at);
      drawn.forEach((leaf, channel) => (track.ys[channel][slot] = readers[channel](elements.view, offset + leaf.offset)));
    }
    const x1 = Math.max(track.length - 1, 1);
    const { y0, y1, least, greatest } = extent(track, drawn.map((_, channel) => channel), 0, x1);
    plot.draw(track, { x0: 0, x1, y0, y1 });
    const line = !isStruct && shape.length > 1 ? t('row {n}: ', { n: number(grid.row) }) : '';
    about.textContent = line + t('{n} numbers, from {least} to {greatest}', { n: number(track.length * drawn.length), least: brief(least, 6), greatest: brief(greatest, 6) });
    plot.describe(about.textContent);
  }

  const draw = pane.repaint(() => {
    if (way === 'grid') grid.draw();
    else drawPlot();
  });

  const views = tabs(t('How it is shown'), [
    { name: t('Grid'), element: grid.element, show: () => ((way = 'grid'), draw()) },
    { name: t('Plot'), element: plotted.element, show: () => ((way = 'plot'), draw()) },
    { name: t('Hex'), element: hex.element, show: () => ((way = 'hex'), void hex.refresh()) },
  ]);

  /** @type {HTMLInputElement[]} */
  const inputs = [];
  const choosers = outer.map((most, axis) => {
    const input = h('input', {
      type: 'number', class: 'entry number', min: 0, max: most - 1, value: 0, 'aria-label': t('Index of dimension {n}', { n: axis }),
      onchange: () => {
        if (!grid.isSettled()) return void (input.value = String(chosen[axis]));
        chosen[axis] = Math.min(Math.max(Math.floor(Number(input.value)) || 0, 0), most - 1);
        input.value = String(chosen[axis]);
        grid.replace(source());
        drawPlot();
      },
    });
    inputs.push(input);
    return h('label', { class: 'indexed' }, `${axis}:`, input, h('span', { class: 'quiet' }, t('of {n}', { n: number(most) })));
  });
  pane.keep('', () => grid.draft && { chosen, draft: grid.draft }, (kept) => {
    kept.chosen.forEach((index, axis) => (inputs[axis].value = String((chosen[axis] = index))));
    grid.replace(source());
    grid.open(kept.draft);
  });
  const whole = `${shape.join(' × ')} ${isStruct ? t('records') : ''}${schema.unit ? ` ${schema.unit}` : ''}`;
  pane.add(
    h('div', { class: 'toolbar' }, h('span', { class: 'quiet' }, whole), choosers, history.button),
    views,
  );
  pane.poll(LOOK, async () => void (way === 'hex' && (await hex.refresh())));
  return pane;
}
