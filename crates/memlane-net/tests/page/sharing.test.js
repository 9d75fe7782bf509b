/** Letting other machines in, from the page. */
import assert from 'node:assert/strict';
import { goTo, shows, unlock } from './look.js';
import { scene } from './scene.js';
import { READ_ONLY } from './stage.js';

scene('sharing starts and stops; address, tokens and a QR code are there to take away', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open();
  await goTo(page, 'Host');
  await unlock(page);
  const start = page.getByRole('button', { name: 'Start sharing …' });
  const stop = page.getByRole('button', { name: 'Stop sharing' });
  await start.click();
  const question = page.getByRole('dialog');
  await question.getByLabel('Listen at').fill('127.0.0.1:0');
  await question.getByRole('button', { name: 'Start sharing' }).click();
  await stop.waitFor();
  await page.getByRole('img', { name: /QR/i }).waitFor();
  const sharing = page.getByRole('region', { name: 'Sharing' });
  const [, port = ''] = (await shows(sharing, /:(\d{4,5})\b/)).match(/:(\d{4,5})\b/) ?? [];
  assert.equal(await (await fetch(`http://127.0.0.1:${port}/healthz`)).text(), 'ok\n');
  await sharing.getByRole('button', { name: /copy/i }).first().click();
  assert.notEqual(await page.evaluate(() => navigator.clipboard.readText()), '');
  await stop.click();
  await start.waitFor();
});

scene('a page with a token to look is shown no other token', async ({ open }) => {
  const page = await open({ token: READ_ONLY });
  await goTo(page, 'Host');
  const text = await page.getByRole('main').textContent();
  assert.ok(!text?.includes('read-write-token'), text ?? '');
});
