/** Who is let in, and what for: tokens, and a page that only looks until it is told otherwise. */
import assert from 'node:assert/strict';
import { detail, editText, regions, row } from './look.js';
import { scene } from './scene.js';
import { READ_ONLY, READ_WRITE } from './stage.js';

scene('without a token the page asks for one, says when it is wrong, and takes the right one', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open({ token: null });
  const token = page.getByLabel('Token', { exact: true });
  await token.fill('no token of this host');
  await token.press('Enter');
  await page.getByRole('alert').filter({ hasText: /token/i }).first().waitFor();
  assert.equal(await regions(page).count(), 0);
  await token.fill(READ_WRITE);
  await token.press('Enter');
  await row(page, 'robot/speed').waitFor();
});

scene('the token leaves the address, and stays for this window', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64');
  const page = await open();
  await row(page, 'robot/speed').waitFor();
  assert.ok(!page.url().includes(READ_WRITE), page.url());
  await page.reload();
  await row(page, 'robot/speed').waitFor();
  const stored = await page.evaluate(() => JSON.stringify({ ...localStorage }));
  assert.ok(!stored.includes(READ_WRITE), 'a token is not kept beyond the window');
});

scene('the page opens locked, and changes something only when unlocked', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '100');
  const page = await open({ route: detail('notes') });
  const save = page.getByRole('button', { name: 'Save' });
  await save.waitFor();
  assert.ok(await save.isDisabled());
  assert.match((await save.getAttribute('title')) ?? '', /locked/i);
  await (await editText(page)).fill('calibrated');
  await save.click();
  await page.getByText(/^Saved as version/).first().waitFor();
  assert.equal(await stage.memlane('get', 'notes'), 'calibrated\n');
});

scene('a token to look lets nobody change anything, and says why', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '100');
  await stage.memlane('set', 'notes', 'as it was');
  const page = await open({ token: READ_ONLY, route: detail('notes') });
  const save = page.getByRole('button', { name: 'Save' });
  await save.waitFor();
  assert.ok(await page.getByRole('button', { name: 'Unlock' }).isDisabled());
  assert.ok(await save.isDisabled());
  assert.match((await save.getAttribute('title')) ?? '', /look/i);
});
