/** Another host, reached through the one that serves the page. */
import assert from 'node:assert/strict';
import { goTo, regions, row, shows } from './look.js';
import { scene } from './scene.js';
import { READ_WRITE, Stage } from './stage.js';

scene('the page shows another host through its own, and says that it is remote and why', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'here/speed', 'f64', '1');
  const far = new Stage();
  try {
    await far.memlane('create', 'value', 'there/speed', 'f64', '7.5');
    const host = await far.host();
    const page = await open();
    await row(page, 'here/speed').waitFor();
    await goTo(page, 'Connect');
    await page.getByLabel('Host', { exact: true }).fill(`127.0.0.1:${host.port}`);
    await page.getByLabel('Token', { exact: true }).fill(READ_WRITE);
    await page.getByRole('main').getByRole('button', { name: 'Connect' }).click();
    await goTo(page, 'Regions');
    await shows(row(page, 'there/speed'), '7.5');
    assert.equal(await row(page, 'here/speed').count(), 0);
    const badge = page.getByText(/remote/i).first();
    await badge.waitFor();
    await page.getByText(/through/i).first().waitFor({ state: 'attached' });
    await far.memlane('set', 'there/speed', '8.25');
    await shows(row(page, 'there/speed'), '8.25');
    assert.equal(await regions(page).count(), 1);
  } finally {
    await far.clear();
  }
});

scene('a host that cannot be reached is said to be so', async ({ open }) => {
  const page = await open({ expected: /WebSocket/ });
  await goTo(page, 'Connect');
  await page.getByLabel('Host', { exact: true }).fill('127.0.0.1:9');
  await page.getByLabel('Token', { exact: true }).fill('any');
  await page.getByRole('main').getByRole('button', { name: 'Connect' }).click();
  await page.getByText(/reach|refused/i).first().waitFor();
});
