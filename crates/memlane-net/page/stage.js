// @ts-check
// Where a picture is looked at: zoomed and moved by wheel, pointer and keys, with a cursor on one pixel.

import { h } from './element.js';

const CLOSEST = 64;
const STEP = 1.25;
/** From here on pixels are shown as squares. */
const SQUARES = 1.5;

export class Stage {
  /** @param {{ label: string, point: (x: number, y: number) => void, leave: () => void }} options */
  constructor({ label, point, leave }) {
    this.canvas = h('canvas', { class: 'picture', role: 'img', 'aria-label': label });
    this.marker = h('div', { class: 'pixel-marker', hidden: true });
    this.element = h('div', { class: 'stage', tabindex: '0', role: 'application', 'aria-label': label }, this.canvas, this.marker);
    this.point = point;
    this.leave = leave;
    this.scale = 1;
    this.x = 0;
    this.y = 0;
    this.isFitted = true;
    /** The pixel under the cursor. @type {{ x: number, y: number } | null} */
    this.cursor = null;
    /** Whether it is where the pointer is: then it leaves with the pointer. */
    this.isPointed = false;
    /** @type {{ x: number, y: number } | null} */
    this.dragged = null;
    this.sizes = new ResizeObserver(() => this.place());
    this.sizes.observe(this.element);
    const { element } = this;
    element.addEventListener('wheel', (event) => this.wheel(event), { passive: false });
    element.addEventListener('pointerdown', (event) => this.grab(event));
    element.addEventListener('pointermove', (event) => this.move(event));
    element.addEventListener('pointerup', () => (this.dragged = null));
    element.addEventListener('pointercancel', () => (this.dragged = null));
    element.addEventListener('pointerleave', () => this.isPointed && this.unpoint());
    element.addEventListener('keydown', (event) => this.key(event));
  }

  close() {
    this.sizes.disconnect();
  }

  /** @param {number} columns @param {number} rows */
  resize(columns, rows) {
    if (this.canvas.width === columns && this.canvas.height === rows) return false;
    this.canvas.width = columns;
    this.canvas.height = rows;
    this.element.style.aspectRatio = `${columns} / ${rows}`;
    this.place();
    return true;
  }

  fit() {
    this.isFitted = true;
    this.place();
  }

  /** The middle of the chosen pixel, else of what is seen. @returns {[number, number]} */
  get middle() {
    const { cursor, scale } = this;
    if (cursor && !this.isPointed) return [this.x + (cursor.x + 0.5) * scale, this.y + (cursor.y + 0.5) * scale];
    return [this.element.clientWidth / 2, this.element.clientHeight / 2];
  }

  /** @param {number} scale @param {[number, number]} around what stays where it is */
  zoom(scale, [x, y] = this.middle) {
    const next = Math.min(Math.max(scale, 0.05), CLOSEST);
    this.x = x - ((x - this.x) * next) / this.scale;
    this.y = y - ((y - this.y) * next) / this.scale;
    this.scale = next;
    this.isFitted = false;
    this.place();
  }

  place() {
    const { clientWidth, clientHeight } = this.element;
    const { width, height, style } = this.canvas;
    if (this.isFitted && clientWidth) {
      this.scale = Math.min(clientWidth / width, clientHeight / height);
      this.x = (clientWidth - width * this.scale) / 2;
      this.y = (clientHeight - height * this.scale) / 2;
    }
    style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    style.imageRendering = this.scale >= SQUARES ? 'pixelated' : 'auto';
    this.mark();
  }

  mark() {
    const { cursor, marker, scale } = this;
    marker.hidden = !cursor || scale < 3;
    if (!cursor) return;
    marker.style.transform = `translate(${this.x + cursor.x * scale}px, ${this.y + cursor.y * scale}px)`;
    marker.style.width = marker.style.height = `${scale}px`;
  }

  unpoint() {
    this.cursor = null;
    this.mark();
    this.leave();
  }

  /** @param {number} x @param {number} y */
  pointAt(x, y) {
    const { width, height } = this.canvas;
    this.cursor = { x: Math.min(Math.max(x, 0), width - 1), y: Math.min(Math.max(y, 0), height - 1) };
    this.mark();
    this.point(this.cursor.x, this.cursor.y);
  }

  /** Moves the picture so far that the chosen pixel is seen. */
  bringIntoSight() {
    if (!this.cursor || this.isFitted) return;
    const [x, y] = this.middle;
    const { clientWidth, clientHeight } = this.element;
    this.x -= x - Math.min(Math.max(x, this.scale), clientWidth - this.scale);
    this.y -= y - Math.min(Math.max(y, this.scale), clientHeight - this.scale);
    this.place();
  }

  /** @param {MouseEvent} event @returns {[number, number]} */
  inside(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return [event.clientX - left - this.element.clientLeft, event.clientY - top - this.element.clientTop];
  }

  /** @param {WheelEvent} event */
  wheel(event) {
    event.preventDefault();
    const [x, y] = this.inside(event);
    this.zoom(this.scale * STEP ** (-event.deltaY / 100), [x, y]);
  }

  /** @param {PointerEvent} event */
  grab(event) {
    this.element.setPointerCapture(event.pointerId);
    this.dragged = { x: event.clientX - this.x, y: event.clientY - this.y };
  }

  /** @param {PointerEvent} event */
  move(event) {
    if (this.dragged && event.buttons) {
      const [x, y] = [event.clientX - this.dragged.x, event.clientY - this.dragged.y];
      if (this.isFitted && Math.hypot(x - this.x, y - this.y) < 3) return;
      [this.x, this.y, this.isFitted] = [x, y, false];
      return this.place();
    }
    const [x, y] = this.inside(event).map((at, axis) => Math.floor((at - (axis ? this.y : this.x)) / this.scale));
    this.isPointed = true;
    if (x >= 0 && y >= 0 && x < this.canvas.width && y < this.canvas.height) this.pointAt(x, y);
    else this.unpoint();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const many = event.shiftKey ? 10 : 1;
    const { x, y } = this.cursor ?? { x: Math.floor(this.canvas.width / 2), y: Math.floor(this.canvas.height / 2) };
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowLeft: () => this.pointAt(x - many, y), ArrowRight: () => this.pointAt(x + many, y),
      ArrowUp: () => this.pointAt(x, y - many), ArrowDown: () => this.pointAt(x, y + many),
      '+': () => this.zoom(this.scale * STEP), '=': () => this.zoom(this.scale * STEP), '-': () => this.zoom(this.scale / STEP),
      0: () => this.fit(), 1: () => this.zoom(1), Escape: () => this.unpoint(),
    };
    const act = keys[event.key];
    if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.isPointed = false;
    act();
    this.bringIntoSight();
  }
}
