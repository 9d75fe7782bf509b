/** Nobody is left out: each view and each kind's detail, in light and in dark, checked by axe. */
import assert from 'node:assert/strict';
import { AxeBuilder } from '@axe-core/playwright';
import { detail, goTo, row, unlock, VIEWS } from './look.js';
import { furnish, REGIONS } from './scenery.js';
import { scene } from './scene.js';

/** @param {import('playwright-core').Page} page @param {string} where */
async function findings(page, where) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const grave = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return grave.map(({ id, nodes }) => `${where}: ${id}: ${nodes.slice(0, 3).map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(' | ')}`);
}

for (const dark of [false, true]) {
  const light = dark ? 'dark' : 'light';
  scene(`nothing serious is found in any view, ${light}`, async ({ stage, open }) => {
    await furnish(stage);
    const holder = stage.actor('hold', REGIONS.lock);
    await holder.says('held');
    await holder.kill();
    const page = await open({ dark, record: false });
    await row(page, REGIONS.value).waitFor();
    const found = [];
    for (const view of VIEWS) {
      await goTo(page, view);
      found.push(...(await findings(page, view)));
    }
    assert.deepEqual(found, []);
  });

  scene(`nothing serious is found in any detail, ${light}`, async ({ stage, open }) => {
    await furnish(stage);
    const page = await open({ dark, record: false });
    await unlock(page);
    const found = [];
    for (const [kind, id] of Object.entries(REGIONS)) {
      await page.evaluate((hash) => { location.hash = hash; }, `#/${detail(id)}`);
      await page.getByRole('heading', { name: id }).first().waitFor();
      found.push(...(await findings(page, kind)));
    }
    assert.deepEqual(found, []);
  });
}
