// @ts-check
// A track drawn on a canvas: lines over each other or in lanes, marks where samples are missing, and a cursor that the
// pointer or the arrow keys move and that says what is there.

import { h } from './element.js';
import { brief, ticks } from './scale.js';
import { t } from './words.js';

/**
 * @typedef {import('./track.js').Track} Track
 * @typedef {{ name: string, channel: number, colour: number, unit: string, shown: boolean }} Trace
 * @typedef {{ x0: number, x1: number, y0: number, y1: number }} Range
 * @typedef {{ label: string, height: number, traces: Trace[], xText: (x: number) => string, lanes?: boolean, isAgo?: boolean }} Options
 * `isAgo`: the axis counts back from its right end.
 */

const LEFT = 56;
const BOTTOM = 18;
const TOP = 6;
const RIGHT = 8;
/** Colours there are: `--trace-1` … */
export const COLOURS = 8;

export class Plot {
  /** @param {Options} options */
  constructor(options) {
    this.options = options;
    this.canvas = /** @type {HTMLCanvasElement} */ (h('canvas', { class: 'plot', role: 'img', tabindex: '0', 'aria-label': options.label }));
    this.canvas.style.height = `${options.height}px`;
    this.readout = h('output', { class: 'readout', 'aria-live': 'off' });
    this.element = h('div', { class: 'plot-box' }, this.canvas, this.readout);
    this.pen = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext('2d'));
    /** @type {number | null} */
    this.cursor = null;
    /** @type {Track | null} */
    this.track = null;
    /** @type {Range} */
    this.range = { x0: 0, x1: 1, y0: 0, y1: 1 };
    /** @type {Record<string, string>} */
    this.theme = {};
    new ResizeObserver(() => this.redraw()).observe(this.canvas);
    this.canvas.addEventListener('pointermove', (event) => this.point(event.offsetX));
    this.canvas.addEventListener('pointerleave', () => document.activeElement !== this.canvas && this.unpoint());
    this.canvas.addEventListener('blur', () => this.unpoint());
    this.canvas.addEventListener('keydown', (event) => this.key(event));
  }

  get area() {
    const { clientWidth, clientHeight } = this.canvas;
    return { left: LEFT, top: TOP, width: Math.max(clientWidth - LEFT - RIGHT, 1), height: Math.max(clientHeight - TOP - BOTTOM, 1) };
  }

  /** @param {number} offset of the pointer */
  point(offset) {
    const { left, width } = this.area;
    const { x0, x1 } = this.range;
    this.cursor = x0 + (Math.min(Math.max(offset - left, 0), width) / width) * (x1 - x0);
    this.redraw();
  }

  unpoint() {
    this.cursor = null;
    this.readout.textContent = '';
    this.redraw();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const { track } = this;
    const steps = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1, PageUp: -100, PageDown: 100, Home: -Infinity, End: Infinity })[event.key];
    if (!track?.length || steps === undefined) return;
    event.preventDefault();
    const from = track.find(this.range.x0);
    const to = Math.max(track.find(this.range.x1 + 1e-12) - 1, from);
    const at = this.cursor === null ? to : track.nearest(this.cursor);
    this.cursor = track.xs[Math.min(Math.max(at + (event.shiftKey ? 10 : 1) * steps, from), to)];
    this.readout.setAttribute('aria-live', 'polite');
    this.redraw();
  }

  /** @param {Track} track @param {Range} range */
  draw(track, range) {
    this.track = track;
    this.range = range;
    this.redraw();
  }

  redraw() {
    const { track, canvas, pen } = this;
    if (!track || !canvas.clientWidth) return;
    const ratio = window.devicePixelRatio || 1;
    const [width, height] = [Math.round(canvas.clientWidth * ratio), Math.round(canvas.clientHeight * ratio)];
    if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
    this.readTheme();
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, canvas.clientWidth, canvas.clientHeight);
    pen.font = '11px system-ui, sans-serif';
    const shown = this.options.traces.filter((trace) => trace.shown);
    const lanes = this.options.lanes ? shown.map((trace) => [trace]) : [shown];
    const { area } = this;
    this.drawTimes(area);
    const laneHeight = area.height / Math.max(lanes.length, 1);
    lanes.forEach((traces, number) => {
      const lane = { ...area, top: area.top + number * laneHeight, height: laneHeight };
      this.drawValues(lane, lanes.length > 1 ? traces[0] : null);
      for (const trace of traces) this.drawTrace(track, trace, lane);
    });
    this.drawGaps(track, area);
    if (this.cursor !== null) this.drawCursor(track, shown, area);
  }

  readTheme() {
    const style = getComputedStyle(this.canvas);
    for (const name of ['--plot-grid', '--plot-text', '--plot-gap', '--plot-cursor']) this.theme[name] = style.getPropertyValue(name);
    for (let number = 1; number <= COLOURS; number += 1) this.theme[`--trace-${number}`] = style.getPropertyValue(`--trace-${number}`);
  }

  /** @param {{ left: number, top: number, width: number, height: number }} area */
  drawTimes({ left, top, width, height }) {
    const { x0, x1 } = this.range;
    const { pen } = this;
    pen.textAlign = 'center';
    pen.textBaseline = 'top';
    const origin = this.options.isAgo ? x1 : 0;
    for (const tick of ticks(x0 - origin, x1 - origin, width / 90)) {
      const x = tick + origin;
      const at = left + ((x - x0) / (x1 - x0)) * width;
      pen.fillStyle = this.theme['--plot-grid'];
      pen.fillRect(Math.round(at), top, 1, height);
      pen.fillStyle = this.theme['--plot-text'];
      pen.fillText(this.options.xText(x), Math.min(Math.max(at, left + 12), left + width - 16), top + height + 4);
    }
  }

  /** @param {{ left: number, top: number, width: number, height: number }} lane @param {Trace | null} named */
  drawValues({ left, top, width, height }, named) {
    const { y0, y1 } = this.range;
    const { pen } = this;
    pen.textAlign = 'right';
    pen.textBaseline = 'middle';
    if (named) {
      pen.fillStyle = this.theme['--plot-grid'];
      pen.fillRect(left, Math.round(top + height), width, 1);
      pen.fillStyle = this.theme[`--trace-${named.colour}`];
      pen.fillText(named.name.slice(-9), left - 6, top + height / 2);
      return;
    }
    for (const y of ticks(y0, y1, Math.max(height / 36, 2))) {
      const at = top + height - ((y - y0) / (y1 - y0)) * height;
      pen.fillStyle = this.theme['--plot-grid'];
      pen.fillRect(left, Math.round(at), width, 1);
      pen.fillStyle = this.theme['--plot-text'];
      pen.fillText(brief(y), left - 6, at);
    }
  }

  /** One path; where samples are denser than pixels, the least and the greatest of each pixel. @param {Track} track @param {Trace} trace @param {{ left: number, top: number, width: number, height: number }} lane */
  drawTrace(track, trace, { left, top, width, height }) {
    const { x0, x1, y0, y1 } = this.range;
    const { xs } = track;
    const ys = track.ys[trace.channel];
    const { pen } = this;
    const from = Math.max(track.find(x0) - 1, track.start);
    const to = Math.min(track.find(x1) + 1, track.end);
    const [across, up] = [width / (x1 - x0), height / (y1 - y0)];
    const dense = (to - from) / width > 3;
    pen.save();
    pen.beginPath();
    pen.rect(left, top, width, height);
    pen.clip();
    pen.strokeStyle = this.theme[`--trace-${trace.colour}`];
    pen.lineWidth = 1.25;
    pen.lineJoin = 'round';
    pen.beginPath();
    let gap = 0;
    const { gaps } = track;
    while (gap < gaps.length && gaps[gap].x <= xs[from]) gap += 1;
    let down = false;
    let [column, least, greatest] = [-1, 0, 0];
    for (let at = from; at < to; at += 1) {
      const value = ys[at];
      const x = left + (xs[at] - x0) * across;
      const y = top + height - (value - y0) * up;
      if (gap < gaps.length && xs[at] >= gaps[gap].x) [down, gap] = [false, gap + 1];
      if (Number.isNaN(value)) down = false;
      else if (!down) {
        pen.moveTo(x, y);
        // A dot, should it stay alone.
        pen.lineTo(x + 0.5, y);
        [down, column] = [true, -1];
      } else if (!dense) pen.lineTo(x, y);
      else if (Math.floor(x) === column) {
        if (y < least) least = y;
        if (y > greatest) greatest = y;
      } else {
        if (column >= 0) (pen.lineTo(column + 0.5, least), pen.lineTo(column + 0.5, greatest));
        [column, least, greatest] = [Math.floor(x), y, y];
      }
    }
    pen.stroke();
    pen.restore();
  }

  /** @param {Track} track @param {{ left: number, top: number, width: number, height: number }} area */
  drawGaps(track, { left, top, width, height }) {
    const { x0, x1 } = this.range;
    const { pen } = this;
    pen.fillStyle = this.theme['--plot-gap'];
    for (const { x } of track.gaps) {
      const at = left + ((x - x0) / (x1 - x0)) * width;
      if (x < x0 || x > x1) continue;
      pen.fillRect(Math.round(at) - 1, top, 2, height);
      pen.beginPath();
      pen.moveTo(at - 4, top);
      pen.lineTo(at + 4, top);
      pen.lineTo(at, top + 6);
      pen.fill();
    }
  }

  /** @param {Track} track @param {Trace[]} shown @param {{ left: number, top: number, width: number, height: number }} area */
  drawCursor(track, shown, { left, top, width, height }) {
    const { x0, x1 } = this.range;
    const at = track.nearest(/** @type {number} */ (this.cursor));
    if (at < 0) return;
    const x = track.xs[at];
    this.pen.fillStyle = this.theme['--plot-cursor'];
    this.pen.fillRect(Math.round(left + ((x - x0) / (x1 - x0)) * width), top, 1, height);
    const values = shown.map(({ name, channel, unit }) => `${name} ${brief(track.ys[channel][at], 6)}${unit ? ` ${unit}` : ''}`);
    const gap = track.gaps.find((other) => other.x === x);
    const missing = gap ? [t('{n} missing before', { n: gap.missing })] : [];
    this.readout.textContent = [this.options.xText(x), ...values, ...missing].join('   ');
  }

  /** What the picture shows, for those who do not see it. @param {string} summary */
  describe(summary) {
    this.canvas.setAttribute('aria-label', `${this.options.label}: ${summary}`);
  }
}
