/** A text that several people edit at once: nobody's words are lost, and nobody's typing is disturbed. */
import assert from 'node:assert/strict';
import { detail, shows, unlock } from './look.js';
import { scene } from './scene.js';

/** @typedef {import('playwright-core').Page} Page */

/** @param {Page} page */
const editor = (page) => page.getByRole('textbox', { name: 'Text' });
/** @param {Page} page */
const save = (page) => page.getByRole('button', { name: 'Save' });
/** @param {Page} page */
const conflict = (page) => page.getByRole('alert').filter({ hasText: /changed|conflict/i });

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

  await left.getByRole('button', { name: /mine/i }).click();
  await shows(conflict(right), 'says the left');
  assert.equal(await stage.memlane('get', 'notes'), 'as it was, says the left\n');
  assert.equal(await editor(right).inputValue(), 'as it was, says the right');

  await right.getByRole('button', { name: /theirs/i }).click();
  await right.waitForFunction(() => document.querySelector('textarea')?.value === 'as it was, says the left');
  await conflict(right).waitFor({ state: 'detached' });
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
  assert.ok(await save(page).isDisabled());
  assert.equal(await stage.memlane('get', 'notes'), 'grüße\n');
});
