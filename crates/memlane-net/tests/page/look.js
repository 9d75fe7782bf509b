/** What people find on the page, by role and name. */
import { until } from './until.js';

/** @typedef {import('playwright-core').Page} Page */

export const VIEWS = ['Regions', 'Participants', 'Lock graph', 'Host', 'Connect', 'Log', 'Orphans', 'Foreign'];

/** @param {Page} page */
export const views = (page) => page.getByRole('navigation', { name: 'Views' });

/** @param {Page} page */
export const regions = (page) => page.getByRole('table', { name: 'Regions' });

/** The row of a region. @param {Page} page @param {string} id */
export const row = (page, id) => regions(page).getByRole('row', { name: id, exact: true });

/** Opens a view by its link. @param {Page} page @param {string} view */
export async function goTo(page, view) {
  await views(page).getByRole('link', { name: view, exact: true }).click();
  await page.getByRole('heading', { name: view }).first().waitFor();
}

/** The part of an address that names a region's detail. @param {string} id */
export const detail = (id) => `region/${id.split('/').map(encodeURIComponent).join('/')}`;

/** From looking to changing. @param {Page} page */
export async function unlock(page) {
  await page.getByRole('button', { name: 'Unlock' }).click();
  await page.getByRole('button', { name: 'Lock', exact: true }).waitFor();
}

/** @param {Page} page */
export const connection = (page) => page.getByRole('status', { name: 'Connection' });

/** Waits until an element's text is as wanted. @param {import('playwright-core').Locator} element @param {RegExp | string} wanted */
export async function shows(element, wanted) {
  let text = '';
  const fits = () => (typeof wanted === 'string' ? text.includes(wanted) : wanted.test(text));
  await until(`${wanted}`, async () => {
    text = (await element.textContent({ timeout: 1000 }).catch(() => null)) ?? '';
    return fits();
  }).catch((error) => {
    throw new Error(`${error.message}; what is shown: ${text}`);
  });
  return text;
}

/** The editor of a text, unlocked, once it has what is there. @param {Page} page */
export async function editText(page) {
  await unlock(page);
  await page.getByText(/^version \d/).first().waitFor();
  return page.getByRole('textbox', { name: 'Text' });
}
