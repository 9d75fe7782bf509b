// @ts-check
// A panel of a stream: the plot of one field's channels, which of them are shown, and how strong they are.

import { h } from './element.js';
import { COLOURS, Plot } from './plot.js';
import { brief, extent } from './scale.js';
import { strengthBars } from './strength.js';
import { number, t } from './words.js';

/** @typedef {import('./track.js').Track} Track @typedef {import('./channels.js').Group} Group */

const HEIGHT = 170;
const LANE = 40;
/** More than so many lines over each other are a tangle. */
const TANGLE = 4;

/** @param {Group} group @param {(x: number) => string} xText @param {boolean} isAgo @param {() => void} changed */
export function panelOf(group, xText, isAgo, changed) {
  const { name, unit, channels, isSignal } = group;
  const isLaned = isSignal || channels.length > TANGLE;
  const traces = channels.map((channel, place) => ({
    name: channels.length > 1 ? `${name} ${channel.name}` : name, channel: channel.number, colour: (place % COLOURS) + 1, unit, shown: true,
  }));
  const plot = new Plot({ label: t('Plot of {name}', { name }), height: heightOf(isLaned, channels.length), traces, xText, isAgo, lanes: isLaned });
  const bars = isSignal ? strengthBars(group) : null;
  let isScaled = true;
  let range = { y0: 0, y1: 1, least: NaN, greatest: NaN };

  const chips = channels.length < 2 ? [] : traces.map((trace, place) => {
    const chip = h('button', { type: 'button', class: 'chip', 'aria-pressed': 'true', 'aria-label': t('Show {name}', { name: trace.name }), onclick: () => {
      trace.shown = !trace.shown;
      chip.setAttribute('aria-pressed', String(trace.shown));
      fit();
    } }, h('span', { class: 'swatch' }), channels[place].name);
    /** @type {HTMLElement} */ (chip.firstElementChild).style.background = `var(--trace-${trace.colour})`;
    return chip;
  });
  const lanes = channels.length < 2 ? null : toggle(t('Lanes'), isLaned, (on) => {
    plot.options.lanes = on;
    fit();
  });
  const scale = toggle(t('Autoscale'), true, (on) => {
    isScaled = on;
    changed();
  });

  function fit() {
    const shown = traces.filter((trace) => trace.shown).length;
    plot.canvas.style.height = `${heightOf(plot.options.lanes ?? false, shown)}px`;
    changed();
  }

  /** @param {string} label @param {boolean} on @param {(on: boolean) => void} act */
  function toggle(label, on, act) {
    const button = h('button', { type: 'button', class: 'chip', 'aria-pressed': String(on), 'aria-label': `${label}: ${name}`, onclick: () => {
      on = !on;
      button.setAttribute('aria-pressed', String(on));
      act(on);
    } }, label);
    return button;
  }

  /** @param {Track} track @param {number} x0 @param {number} x1 @param {number} strong the first sample of those whose strength counts */
  function draw(track, x0, x1, strong) {
    if (isScaled) range = extent(track, traces.filter((trace) => trace.shown).map((trace) => trace.channel), x0, x1);
    plot.draw(track, { x0, x1, y0: range.y0, y1: range.y1 });
    bars?.draw(track, strong);
    plot.describe(t('{n} channels, from {least} to {greatest}', { n: number(traces.length), least: brief(range.least), greatest: brief(range.greatest) }));
  }

  const title = unit ? `${name} (${unit})` : name;
  const element = h('section', { class: 'part panel', 'aria-label': title },
    h('div', { class: 'panel-head' }, h('h3', {}, title), h('div', { class: 'chips' }, chips, lanes, scale)),
    h('div', { class: bars ? 'panel-body with-bars' : 'panel-body' }, plot.element, bars?.element ?? null));
  return { element, draw };
}

/** @param {boolean} isLaned @param {number} shown */
function heightOf(isLaned, shown) {
  return isLaned ? Math.max(shown, 1) * LANE + 30 : HEIGHT;
}
