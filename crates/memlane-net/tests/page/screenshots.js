/**
 * Pictures of each view and each kind's detail, in light and in dark, from a lively scene: `cargo xtask screenshots`.
 * The folder for the README's own is given as the first argument.
 */
import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ARTEFACTS, launch } from './browser.js';
import { detail, row } from './look.js';
import { furnish, REGIONS } from './scenery.js';
import { Stage } from './stage.js';
import { until } from './until.js';

const PICTURES = new URL('../../../memlane-cli/assets', import.meta.url).pathname;
const SIZE = { width: 1200, height: 840 };
/** A README is to be read, not to be downloaded. */
const MOST_BYTES = 200 * 1024;

/** The armband's muscles. */
const EMG = 'armband/emg';

/** Routes by the names of their pictures. */
const SHOTS = Object.fromEntries([
  ...['participants', 'locks', 'host', 'connect', 'log', 'orphans', 'foreign'].map((route) => [route, route]),
  ...Object.entries({ ...REGIONS, stream: EMG }).map(([kind, id]) => [`detail-${kind}`, detail(id)]),
  // Last, when no region is new any more.
  ['regions', 'regions'],
]);

/** Those of the README: which, in which theme. A photograph would be too large a file. */
const README = /** @type {const} */ ([['regions', 'light'], ['locks', 'dark'], ['detail-stream', 'light']]);

/** Everything at work: a camera, an armband, workers, and somebody who died holding a lock. @param {Stage} stage */
async function enliven(stage) {
  stage.start('frame', 'publish', REGIONS.frames, PICTURES, '--loop', '--rate', '2', '--encoding', 'rgb8');
  await furnish(stage, { film: false });
  stage.start('myo', '--simulate', '--id', 'armband');
  const [arm, dead, waits] = [stage.actor('hold', REGIONS.lock), stage.actor('hold', 'robot/wrist'), stage.actor('hold')];
  await arm.says('held');
  await dead.says('held');
  await dead.kill();
  waits.child.stdin?.write(`${REGIONS.lock}\n`);
  await until('samples of the armband', async () => (await stage.told('show', EMG).catch(() => null))?.version > 400);
}

/** @param {import('playwright-core').Page} page */
async function settle(page) {
  await page.getByRole('main').getByRole('heading').first().waitFor();
  // Rates, plots and sparklines need some of the past to show.
  await page.waitForTimeout(2500);
}

const images = process.argv[2];
const directory = join(ARTEFACTS, 'screenshots');
mkdirSync(directory, { recursive: true });
if (images) mkdirSync(images, { recursive: true });
const stage = new Stage();
const browser = await launch();
try {
  await enliven(stage);
  const host = await stage.host();
  for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
    const page = await browser.newPage({ viewport: SIZE, colorScheme, locale: 'en' });
    await page.goto(host.url());
    await row(page, REGIONS.frames).waitFor();
    await page.getByRole('button', { name: 'Unlock' }).click();
    for (const [name, route] of Object.entries(SHOTS)) {
      await page.evaluate((hash) => { location.hash = hash; }, `#/${route}`);
      await settle(page);
      await page.screenshot({ path: join(directory, `${name}-${colorScheme}.png`) });
      if (images && README.some(([of, theme]) => of === name && theme === colorScheme)) {
        const path = join(images, `${name.replace('detail-', '')}.png`);
        await page.screenshot({ path });
        const { size } = statSync(path);
        if (size > MOST_BYTES) throw new Error(`${path} has ${size} bytes, more than ${MOST_BYTES}`);
      }
    }
    await page.close();
  }
  console.log(`in ${directory}${images ? ` and ${images}` : ''}`);
} finally {
  await browser.close();
  await stage.clear();
}
