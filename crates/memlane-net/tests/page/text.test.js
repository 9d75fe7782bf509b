/** A text that several people edit at once: nobody's words are lost, and nobody's typing is disturbed. */
import assert from 'node:assert/strict';
import { detail, goTo, shows, unlock } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page */
const editor = (page) => page.getByRole('textbox', { name: 'Text' });
/** @param {Page} page */
const save = (page) => page.getByRole('button', { name: 'Save' });
/** @param {Page} page */
const conflict = (page) => page.getByRole('region', { name: 'Conflict' });

scene('two pages and a command edit one text: both versions are shown, and nothing is lost', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '200');
  await stage.memlane('set', 'notes', 'as it was');
  const [left, right] = [await open({ route: detail('notes') }), await open({ route: detail('notes') })];
  for (const page of [left, right]) {
    await page.waitForFunction(() => [...document.querySelectorAll('textarea')].some(({ value }) => value === 'as it was'));
    await unlock(page);
  }
  await left.bringToFront();
  await editor(left).fill('as it was, says the left');
  await editor(right).fill('as it was, says the right');
  await stage.memlane('set', 'notes', 'as the command has it');
  // What people typed stays; they are told that somebody else was there.
  for (const page of [left, right]) {
    await conflict(page).waitFor();
    await shows(conflict(page), 'as the command has it');
  }
  assert.equal(await editor(left).inputValue(), 'as it was, says the left');
  assert.equal(await editor(right).inputValue(), 'as it was, says the right');
  assert.equal(await stage.memlane('get', 'notes'), 'as the command has it\n');

  // Nothing is written over what nobody has seen.
  await editor(left).press('Control+S');
  await left.getByText(/choose first/).first().waitFor();
  assert.equal(await stage.memlane('get', 'notes'), 'as the command has it\n');

  await left.getByRole('button', { name: 'Keep mine' }).click();
  await shows(conflict(right), 'says the left');
  assert.equal(await stage.memlane('get', 'notes'), 'as it was, says the left\n');
  assert.equal(await editor(right).inputValue(), 'as it was, says the right');

  await right.getByRole('button', { name: 'Take theirs' }).click();
  await right.waitForFunction(() => document.querySelector('textarea')?.value === 'as it was, says the left');
  await conflict(right).waitFor({ state: 'hidden' });
  assert.equal(await stage.memlane('get', 'notes'), 'as it was, says the left\n');
});

scene('an editor that nobody types in follows the text; its counter counts bytes', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '12');
  const page = await open({ route: detail('notes') });
  await stage.memlane('set', 'notes', 'grüße');
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'grüße');
  await page.getByText(/7 (of|\/) 12/).first().waitFor();
  await unlock(page);
  await editor(page).fill('much more than twelve');
  assert.equal(await save(page).getAttribute('aria-disabled'), 'true');
  await save(page).click({ force: true });
  assert.equal(await stage.memlane('get', 'notes'), 'grüße\n');
});

scene('a merge takes both, line by line', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '200');
  await stage.memlane('set', 'notes', 'one\ntwo\nthree');
  const page = await open({ route: detail('notes') });
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'one\ntwo\nthree');
  await unlock(page);
  await editor(page).fill('one, of mine\ntwo\nthree');
  await stage.memlane('set', 'notes', 'one\ntwo\nthree, of theirs');
  await conflict(page).getByRole('button', { name: 'Edit a merge' }).click();
  assert.equal(await editor(page).inputValue(), 'one, of mine\ntwo\nthree, of theirs');
  await editor(page).press('Control+S');
  await until('the merge to be written', async () => (await stage.memlane('get', 'notes')) === 'one, of mine\ntwo\nthree, of theirs\n');
});

scene('who looks elsewhere before saving finds what was typed, and what others wrote meanwhile', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '200');
  await stage.memlane('set', 'notes', 'as it was');
  const page = await open({ route: detail('notes') });
  await page.waitForFunction(() => document.querySelector('textarea')?.value === 'as it was');
  await unlock(page);
  await editor(page).fill('as I want it');
  await goTo(page, 'Regions');
  await stage.memlane('set', 'notes', 'as others want it');
  await page.goBack();
  await shows(conflict(page), 'as others want it');
  assert.equal(await editor(page).inputValue(), 'as I want it');
});
