/** Without a mouse. */
import assert from 'node:assert/strict';
import { row, shows } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

/** @typedef {import('playwright-core').Page} Page */

/** What has the focus, as people hear it. @param {Page} page */
const focused = (page) => page.evaluate(() => {
  const element = document.activeElement;
  return `${element?.tagName.toLowerCase()} ${element?.getAttribute('aria-label') ?? ''} ${element?.textContent?.slice(0, 60) ?? ''}`;
});

/** Presses Tab until something is focused. @param {Page} page @param {RegExp} wanted @param {number} most */
async function tabTo(page, wanted, most = 60) {
  const passed = [];
  for (let pressed = 0; pressed < most; pressed += 1) {
    if (wanted.test(await focused(page))) return;
    passed.push(await focused(page));
    await page.keyboard.press('Tab');
  }
  assert.fail(`Tab does not lead to ${wanted}, but to: ${passed.join('; ')}`);
}

scene('a value is found, opened, unlocked and changed by keys alone', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  await stage.memlane('create', 'value', 'camera/exposure', 'f64', '9');
  const page = await open();
  await row(page, 'robot/speed').waitFor();
  await page.keyboard.press('/');
  await until('the filter to be focused', async () => /filter/i.test(await focused(page)));
  await page.keyboard.type('speed');
  await row(page, 'camera/exposure').waitFor({ state: 'detached' });
  await tabTo(page, /robot\/speed/);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'robot/speed' }).waitFor();
  await tabTo(page, /Unlock/);
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Lock', exact: true }).waitFor();
  await tabTo(page, /^input.*(value|robot\/speed)/i);
  await page.keyboard.press('Control+A');
  await page.keyboard.type('2.5');
  await page.keyboard.press('Enter');
  await until('the value', async () => (await stage.memlane('get', 'robot/speed')).trim() === '2.5');
});

scene('the focus can be seen wherever it is', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open();
  await row(page, 'robot/speed').waitFor();
  for (let pressed = 0; pressed < 15; pressed += 1) {
    await page.keyboard.press('Tab');
    const seen = await page.evaluate(() => {
      const element = document.activeElement;
      if (!element || element === document.body) return 'nothing';
      const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(element);
      return outlineStyle !== 'none' && outlineWidth !== '0px' || boxShadow !== 'none' ? 'seen' : element.outerHTML.slice(0, 200);
    });
    assert.ok(['seen', 'nothing'].includes(seen), `focused and not seen: ${seen}`);
  }
  await shows(row(page, 'robot/speed'), '1.5');
});
