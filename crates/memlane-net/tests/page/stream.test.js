/** Streams as plots: each point is what was appended, and what is missing is said. */
import assert from 'node:assert/strict';
import { detail, shows } from './look.js';
import { scene } from './scene.js';

const COUNT = 120;
/** Three significant figures at most, so that the readout has all of them. @param {number} index */
const sample = (index) => 0 + Math.round(100 * Math.sin(index / 7)) / 4;

scene('each point of the plot is a record that was appended', async ({ stage, open }) => {
  await stage.memlane('create', 'stream', 'myo/emg', '{emg:[2]<f8}');
  const page = await open({ route: detail('myo/emg') });
  const plot = page.getByRole('img', { name: /^Plot of emg/ });
  await plot.waitFor();
  const records = Array.from({ length: COUNT }, (_, index) => ({ emg: [sample(index), index] }));
  await stage.memlane('stream', 'append', 'myo/emg', ...records.map((record) => JSON.stringify(record)));
  await page.getByRole('button', { name: 'Pause' }).click();
  await plot.focus();
  await page.keyboard.press('Home');
  const readout = page.getByRole('region', { name: 'emg' }).locator('.plot-box output');
  const points = [];
  for (let index = 0; index < COUNT; index += 1) {
    const text = (await readout.textContent()) ?? '';
    points.push({ emg: [number(text, 'emg 0'), number(text, 'emg 1')] });
    await page.keyboard.press('ArrowRight');
  }
  assert.deepEqual(points, records);
});

scene('a channel is switched off and on, and what was lost is marked', async ({ stage, open }) => {
  await stage.memlane('create', 'stream', 'myo/emg', '{emg:[2]<f8}', '--capacity', '16');
  const page = await open({ route: detail('myo/emg') });
  const plot = page.getByRole('img', { name: /^Plot of emg/ });
  await plot.waitFor();
  const records = (/** @type {number} */ from, /** @type {number} */ count) => Array.from({ length: count }, (_, index) => JSON.stringify({ emg: [sample(index), from + index] }));
  await stage.memlane('stream', 'append', 'myo/emg', ...records(0, 4));
  // At once far more than the stream keeps.
  await stage.memlane('stream', 'append', 'myo/emg', ...records(4, 4000));
  await shows(page.getByRole('status', { name: 'Figures' }), /[\d,]+ lost/);
  await page.getByRole('button', { name: 'Show emg 0' }).click();
  await plot.focus();
  await page.keyboard.press('End');
  const readout = page.getByRole('region', { name: 'emg' }).locator('.plot-box output');
  await shows(readout, /^\S+ +emg 1 /);
  await page.getByRole('button', { name: 'Show emg 0' }).click();
  await plot.focus();
  await page.keyboard.press('End');
  await shows(readout, /emg 0 .*emg 1 /);
});

/** What a readout says of a channel. @param {string} text @param {string} channel */
function number(text, channel) {
  const found = text.replaceAll('−', '-').match(new RegExp(`${channel} (-?[\\d.]+)`));
  return found ? Number(found[1]) : NaN;
}
