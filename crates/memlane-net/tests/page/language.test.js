/** English and Chinese. */
import assert from 'node:assert/strict';
import { editText, row, VIEWS, views } from './look.js';
import { scene } from './scene.js';

scene('the page speaks Chinese at a press, remembers it, and goes back', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open();
  await row(page, 'robot/speed').waitFor();
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('button', { name: 'English' }).waitFor();
  assert.match((await page.locator('html').getAttribute('lang')) ?? '', /^zh/);
  const links = await page.getByRole('navigation').getByRole('link').allTextContents();
  assert.equal(links.length, VIEWS.length);
  assert.deepEqual(links.filter((link) => !/\p{Script=Han}/u.test(link)), [], 'links without Chinese');
  await page.reload();
  await page.getByRole('button', { name: 'English' }).click();
  await views(page).waitFor();
});

scene('a browser that prefers Chinese gets it at once, in every view', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open({ language: 'zh-CN' });
  for (const link of await page.getByRole('navigation').getByRole('link').all()) {
    await link.click();
    const heading = page.getByRole('main').getByRole('heading').first();
    await heading.filter({ hasText: /\p{Script=Han}/u }).waitFor();
  }
});

scene('what is typed survives a change of language', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '100');
  const page = await open({ route: 'region/notes' });
  await (await editText(page)).fill('half a sen');
  await page.getByRole('button', { name: '中文' }).click();
  await page.getByRole('button', { name: 'English' }).waitFor();
  assert.equal(await page.locator('textarea').first().inputValue(), 'half a sen');
});
