/**
 * A scene is one test: a stage, its host, and pages that look at it. Afterwards no page may have complained; when the
 * scene failed, what the pages showed and said is kept in target/page.
 */
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { ARTEFACTS, launch } from './browser.js';
import { Stage } from './stage.js';
import { PATIENCE } from './until.js';

/** Long enough for any scene; one that is not over by then hangs. */
const LONGEST = 90_000;

/** @type {Promise<import('playwright-core').Browser> | undefined} */
let browser;

/** The browser of this process of tests. */
export function theBrowser() {
  return (browser ??= launch());
}

after(async () => (await browser)?.close());

/**
 * @typedef {{
 *   token?: string | null, route?: string, dark?: boolean, width?: number, height?: number, language?: string,
 *   host?: import('./stage.js').Host, expected?: RegExp, record?: boolean,
 * }} Opening `expected`: what the browser may complain of in this scene.
 * @typedef {{stage: Stage, host: import('./stage.js').Host, open: (opening?: Opening) => Promise<Page>}} Scene
 * @typedef {import('playwright-core').Page} Page
 */

/** The pages of a scene, and what they complained of. */
class Pages {
  /** @type {{page: Page, name: string, record: boolean}[]} */
  #opened = [];
  /** @type {string[]} */
  #said = [];
  /** @type {string[]} */
  complaints = [];

  /** @param {import('./stage.js').Host} host @param {Opening} opening */
  async open(host, { token, route = '', dark = false, width = 1280, height = 800, language = 'en', expected, record = true, ...rest }) {
    const context = await (await theBrowser()).newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      locale: language,
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    if (record) await context.tracing.start({ snapshots: true });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    const name = `page-${this.#opened.length + 1}`;
    this.#opened.push({ page, name, record });
    const complain = (/** @type {string} */ complaint) => {
      if (!expected?.test(complaint)) this.complaints.push(`${name}: ${complaint}`);
    };
    page.on('console', (message) => {
      const where = message.location().url;
      this.#said.push(`${name}: ${message.type()}: ${message.text()} ${where}`);
      if (['error', 'warning'].includes(message.type())) complain(`${message.text()} ${where}`);
    });
    page.on('pageerror', (error) => {
      this.#said.push(`${name}: ${error.stack}`);
      complain(error.message);
    });
    const at = (rest.host ?? host).url(token);
    await page.goto(at);
    if (route) await page.evaluate((hash) => { location.hash = hash; }, `#/${route}`);
    return page;
  }

  /** @param {string} scene */
  async keep(scene) {
    const directory = join(ARTEFACTS, scene.replace(/[^\w]+/g, '-'));
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'console.txt'), this.#said.join('\n'));
    for (const { page, name, record } of this.#opened) {
      if (page.isClosed()) continue;
      await page.screenshot({ path: join(directory, `${name}.png`) }).catch(() => {});
      if (record) await page.context().tracing.stop({ path: join(directory, `${name}.zip`) }).catch(() => {});
    }
    return directory;
  }

  async close() {
    await Promise.all(this.#opened.map(({ page }) => page.context().close()));
  }
}

/**
 * @param {string} name
 * @param {(scene: Scene) => Promise<unknown>} act
 * @param {{longest?: number}} [options] Milliseconds.
 */
export function scene(name, act, { longest = LONGEST } = {}) {
  test(name, { timeout: longest }, async (context) => {
    const stage = new Stage();
    const pages = new Pages();
    // Also when the scene is cut short because its time is up.
    context.after(async () => {
      await pages.close();
      await stage.clear();
    });
    try {
      const host = await stage.host();
      await act({ stage, host, open: (opening = {}) => pages.open(host, opening) });
      assert.deepEqual(pages.complaints, [], 'the browser complained');
    } catch (error) {
      context.diagnostic(`kept in ${await pages.keep(name)}`);
      throw error;
    }
  });
}
