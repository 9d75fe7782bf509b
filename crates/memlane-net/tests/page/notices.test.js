/** Messages: they go by themselves, with the view that they are of, and by keyboard; not while somebody reads them. */
import assert from 'node:assert/strict';
import { detail, goTo, unlock } from './look.js';
import { scene } from './scene.js';

/** Longer than any message stays, in milliseconds. */
const LONG = 20_000;

/** @param {import('playwright-core').Page} page */
const message = (page) => page.locator('.notice');

/** Types what does not fit, and is told so. @param {import('playwright-core').Page} page */
async function goWrong(page) {
  const field = page.getByRole('textbox', { name: 'Value', exact: true });
  await field.fill('-1');
  await field.press('Enter');
  await message(page).waitFor();
}

/** @param {import('./scene.js').Scene} scene */
async function onValue({ stage, open }) {
  await stage.memlane('create', 'value', 'robot/ticks', 'u64', '7');
  const page = await open({ route: detail('robot/ticks') });
  await unlock(page);
  await page.clock.install();
  return page;
}

scene('what went wrong in a view goes with the view, or at Escape', async (scene) => {
  const page = await onValue(scene);
  await goWrong(page);
  await goTo(page, 'Log');
  assert.equal(await message(page).count(), 0);
  await page.goBack();
  await goWrong(page);
  await page.getByRole('heading', { level: 1 }).focus();
  await page.keyboard.press('Escape');
  assert.equal(await message(page).count(), 0);
});

scene('a message goes after a while, but not while the pointer or the keyboard is at it', async (scene) => {
  const page = await onValue(scene);
  await goWrong(page);
  await message(page).hover();
  await page.clock.fastForward(LONG);
  await message(page).getByRole('button', { name: 'Dismiss' }).focus();
  await page.mouse.move(0, 0);
  await page.clock.fastForward(LONG);
  assert.equal(await message(page).count(), 1);
  await page.getByRole('heading', { level: 1 }).focus();
  await page.clock.fastForward(LONG);
  await message(page).waitFor({ state: 'detached' });
});
