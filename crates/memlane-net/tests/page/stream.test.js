/** Streams as plots: each point is what was appended, and what is missing is said. */
import assert from 'node:assert/strict';
import { detail } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

const COUNT = 120;
/** Three significant figures at most, so that the readout has all of them. @param {number} index */
const sample = (index) => Math.round(100 * Math.sin(index / 7)) / 4;

scene('each point of the plot is a record that was appended', async ({ stage, open }) => {
  await stage.memlane('create', 'stream', 'myo/emg', '{left:<f8,right:<i2}');
  const page = await open({ route: detail('myo/emg') });
  const plot = page.getByRole('img').and(page.locator('canvas')).first();
  await plot.waitFor();
  const records = Array.from({ length: COUNT }, (_, index) => ({ left: sample(index), right: index }));
  await stage.memlane('stream', 'append', 'myo/emg', ...records.map((record) => JSON.stringify(record)));
  await page.getByRole('button', { name: /pause/i }).click();
  await plot.focus();
  await page.keyboard.press('Home');
  const readout = page.locator('.plot-box output').first();
  const points = [];
  for (let index = 0; index < COUNT; index += 1) {
    const text = (await readout.textContent()) ?? '';
    points.push({ left: number(text, 'left'), right: number(text, 'right') });
    await page.keyboard.press('ArrowRight');
  }
  assert.deepEqual(points, records);
});

scene('a channel is switched off and on, and what was lost is marked', async ({ stage, open }) => {
  await stage.memlane('create', 'stream', 'myo/emg', '{left:<f8,right:<i2}', '--capacity', '16');
  const page = await open({ route: detail('myo/emg') });
  const plot = page.getByRole('img').and(page.locator('canvas')).first();
  await plot.waitFor();
  const records = (/** @type {number} */ from, /** @type {number} */ count) => Array.from({ length: count }, (_, index) => JSON.stringify({ left: sample(index), right: from + index }));
  await stage.memlane('stream', 'append', 'myo/emg', ...records(0, 4));
  // At once far more than the stream keeps.
  await stage.memlane('stream', 'append', 'myo/emg', ...records(4, 4000));
  await page.getByRole('main').getByText(/(missing|lost)/i).first().waitFor();
  const channel = page.getByRole('checkbox', { name: 'left' }).or(page.getByRole('button', { name: 'left' })).first();
  await channel.click();
  await plot.focus();
  await page.keyboard.press('End');
  const readout = page.locator('.plot-box output').first();
  await until('a readout of the other channel alone', async () => /right/.test((await readout.textContent()) ?? '') && !/left/.test((await readout.textContent()) ?? ''));
});

/** What a readout says of a channel. @param {string} text @param {string} channel */
function number(text, channel) {
  const found = text.replaceAll('−', '-').match(new RegExp(`\\b${channel} (-?[\\d.]+)`));
  return found ? Number(found[1]) : NaN;
}
