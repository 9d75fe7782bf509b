// @ts-check
// How strong each channel of a signal is now: the root of the mean of the squares of its newest samples, as bars.

import { h, setText } from './element.js';
import { brief } from './scale.js';
import { t } from './words.js';

/** @typedef {import('./track.js').Track} Track @typedef {import('./channels.js').Group} Group */

/** @param {Group} group */
export function strengthBars(group) {
  let most = 1e-9;
  const bars = group.channels.map(({ name, number }, place) => {
    const fill = h('span', { class: 'bar-fill' });
    fill.style.background = `var(--trace-${(place % 8) + 1})`;
    const value = h('span', { class: 'bar-value' });
    const meter = h('span', { class: 'bar', role: 'meter', 'aria-label': t('RMS of {name}', { name: `${group.name} ${name}` }), 'aria-valuemin': 0 }, fill);
    return { number, fill, value, meter, element: h('div', { class: 'bar-row' }, h('span', { class: 'bar-name' }, name), meter, value) };
  });
  const element = h('div', { class: 'bars', role: 'group', 'aria-label': t('RMS of {name}', { name: group.name }) }, bars.map((bar) => bar.element));

  /** @param {Track} track @param {number} from the first sample that counts */
  function draw(track, from) {
    const strengths = bars.map(({ number }) => rms(track, number, from));
    most = Math.max(most, ...strengths);
    bars.forEach(({ fill, value, meter }, place) => {
      fill.style.transform = `scaleX(${strengths[place] / most})`;
      setText(value, brief(strengths[place], 3));
      meter.setAttribute('aria-valuenow', brief(strengths[place], 3));
      meter.setAttribute('aria-valuemax', brief(most, 3));
    });
  }
  return { element, draw };
}

/** @param {Track} track @param {number} channel @param {number} from */
function rms(track, channel, from) {
  const ys = track.ys[channel];
  let sum = 0;
  for (let at = from; at < track.end; at += 1) sum += ys[at] * ys[at];
  return track.end > from ? Math.sqrt(sum / (track.end - from)) : 0;
}
