/** What the dead left behind, found and cleaned up. */
import { goTo, unlock } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

scene('what a killed holder left is listed, and cleaned up at a press', async ({ stage, open }) => {
  const holder = stage.actor('hold', 'robot/arm');
  await holder.says('held');
  await holder.kill();
  const page = await open();
  await goTo(page, 'Orphans');
  await page.getByText('robot/arm').first().waitFor();
  await unlock(page);
  await page.getByRole('button', { name: 'Clean up …' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Clean up' }).click();
  await until('the dead participant to be gone', async () => {
    const all = await stage.told('ps');
    return !all.some((/** @type {{pid: number}} */ { pid }) => pid === holder.pid);
  });
});
