/** The table of regions: what is there, found, sorted, and kept up to date. */
import assert from 'node:assert/strict';
import { regions, row, shows, unlock, views, VIEWS, goTo } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

scene('each view opens by its link and by its address', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open();
  await row(page, 'robot/speed').waitFor();
  for (const view of VIEWS) await goTo(page, view);
  assert.equal(await views(page).getByRole('link').count(), VIEWS.length);
  await page.goBack();
  await page.getByRole('heading', { name: 'Orphans' }).first().waitFor();
});

scene('a row shows what the region holds, and follows it', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  await stage.memlane('create', 'text', 'notes', '100');
  const page = await open();
  await shows(row(page, 'robot/speed'), '1.5');
  await stage.memlane('set', 'robot/speed', '2.25');
  await shows(row(page, 'robot/speed'), '2.25');
  await stage.memlane('create', 'event', 'stop');
  await shows(row(page, 'stop'), 'event');
  await stage.memlane('rm', 'notes');
  await row(page, 'notes').waitFor({ state: 'detached' });
});

scene('the filter finds by part of an id and by kind, and the address keeps nothing else', async ({ stage, open }) => {
  for (const id of ['robot/arm/angle', 'robot/arm/torque', 'camera/exposure']) await stage.memlane('create', 'value', id, 'f64');
  const page = await open();
  await row(page, 'camera/exposure').waitFor();
  await page.getByRole('searchbox', { name: 'Filter' }).fill('torq');
  await row(page, 'camera/exposure').waitFor({ state: 'detached' });
  assert.ok(await row(page, 'robot/arm/torque').isVisible());
  assert.equal(await row(page, 'robot/arm/angle').count(), 0);
});

scene('a column sorts, and the other way round', async ({ stage, open }) => {
  for (const id of ['b', 'a', 'c']) await stage.memlane('create', 'value', id, 'u32');
  const page = await open();
  await row(page, 'c').waitFor();
  const ids = async () => {
    const names = await regions(page).getByRole('row').evaluateAll((rows) => rows.map((one) => one.getAttribute('aria-label') ?? one.textContent ?? ''));
    return names.map((name) => name.match(/^[abc]\b/)?.[0]).filter(Boolean).join('');
  };
  const header = regions(page).getByRole('columnheader', { name: /^id/i });
  await until('ids in order', async () => (await ids()) === 'abc');
  await header.getByRole('button').or(header).first().click();
  await until('the other way round', async () => (await ids()) === 'cba' || (await header.getAttribute('aria-sort')) === 'descending');
});

scene('regions are made and deleted on the page', async ({ stage, open }) => {
  const page = await open();
  await unlock(page);
  await page.getByRole('button', { name: 'Create' }).first().click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Id').fill('made/here');
  await dialog.getByLabel('Kind').selectOption('event');
  await dialog.getByRole('button', { name: 'Create' }).click();
  await until('the region', async () => (await stage.told('ls')).some((/** @type {{id: string}} */ { id }) => id === 'made/here'));
  await dialog.waitFor({ state: 'detached' });
});

scene('who holds a lock is to be seen on a small screen without scrolling', async ({ stage, open }) => {
  const holder = stage.actor('hold', 'robot/arm');
  await holder.says('held robot/arm');
  const page = await open({ width: 1280 });
  await shows(row(page, 'robot/arm'), /actor/);
  const who = `actor (pid ${holder.pid})`;
  const cell = row(page, 'robot/arm').getByRole('cell', { name: who, exact: true });
  const cut = await cell.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth);
  assert.equal(cut, 0, 'the holder is not cut');
  const preview = row(page, 'robot/arm').getByRole('cell', { name: `${who} holds it` });
  assert.ok((await preview.textContent())?.startsWith(who));
  const edge = (await regions(page).boundingBox()) ?? { x: 0, width: 0 };
  for (const name of ['Lock holder', 'Writer', 'Readers', 'Version']) {
    const box = await regions(page).getByRole('columnheader', { name }).boundingBox();
    assert.ok(box && box.x + box.width <= edge.x + edge.width, `${name} is in sight`);
  }
});
