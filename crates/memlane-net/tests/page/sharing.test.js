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
  const listen = page.getByLabel(/listen|address/i).first();
  if (await listen.isEditable().catch(() => false)) await listen.fill('127.0.0.1:0');
  await page.getByRole('button', { name: /^(start sharing|share)/i }).click();
  const question = page.getByRole('dialog');
  const stop = page.getByRole('button', { name: /stop sharing|unshare/i });
  await stop.or(question).first().waitFor();
  if (await question.isVisible()) await question.getByRole('button').last().click();
  await stop.waitFor();
  await page.getByRole('img', { name: /QR/i }).waitFor();
  const main = page.getByRole('main');
  const [, port] = (await shows(main, /:(\d{4,5})\b/)).match(/:(\d{4,5})\b/) ?? [];
  assert.ok(Number(port) > 0);
  await page.getByRole('button', { name: /copy/i }).first().click();
  assert.notEqual(await page.evaluate(() => navigator.clipboard.readText()), '');
  await stop.click();
  await page.getByRole('button', { name: /^(start sharing|share)/i }).waitFor();
});

scene('a page with a token to look is shown no other token', async ({ open }) => {
  const page = await open({ token: READ_ONLY });
  await goTo(page, 'Host');
  const text = await page.getByRole('main').textContent();
  assert.ok(!text?.includes('read-write-token'), text ?? '');
});
