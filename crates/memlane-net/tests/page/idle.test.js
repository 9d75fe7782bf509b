/** A page that nobody looks at, and a space in which nothing happens, cost nearly nothing. */
import assert from 'node:assert/strict';
import { detail, row, shows } from './look.js';
import { furnish, REGIONS } from './scenery.js';
import { scene } from './scene.js';
import { until } from './until.js';

/** Messages to and from a page, counted. @param {import('playwright-core').Page} page */
function count(page) {
  const counted = { messages: 0, bytes: 0 };
  page.on('websocket', (socket) => {
    for (const event of /** @type {const} */ (['framereceived', 'framesent'])) {
      // @ts-ignore: both events carry the same.
      socket.on(event, ({ payload }) => {
        counted.messages += 1;
        counted.bytes += payload.length;
      });
    }
  });
  return counted;
}

/** Long enough for a loop at 4 Hz to show itself. */
const WATCHED = 3000;

/** @param {import('playwright-core').Page} page @param {boolean} hidden */
const hide = (page, hidden) => page.evaluate((value) => {
  Object.defineProperty(document, 'hidden', { configurable: true, get: () => value });
  Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => (value ? 'hidden' : 'visible') });
  document.dispatchEvent(new Event('visibilitychange'));
}, hidden);

scene('hidden, the page hears of nothing, and shows what is when it is seen again', async ({ stage, open }) => {
  await furnish(stage);
  const page = await open({ token: null });
  const counted = count(page);
  await page.reload();
  await page.getByLabel('Token').fill('read-write-token-of-the-page-tests');
  await page.keyboard.press('Enter');
  await row(page, REGIONS.frames).waitFor();
  for (const route of ['regions', detail(REGIONS.frames)]) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${route}`);
    await page.getByRole('main').getByRole('heading').first().waitFor();
    const seen = counted.messages;
    await until('something to be heard while seen', () => counted.messages > seen + 3);
    await hide(page, true);
    // What was on its way may arrive still.
    await page.waitForTimeout(500);
    const before = { ...counted };
    await page.waitForTimeout(WATCHED);
    const [messages, bytes] = [counted.messages - before.messages, counted.bytes - before.bytes];
    console.log(`${route}, hidden: ${messages} messages, ${bytes} bytes in ${WATCHED / 1000} s`);
    assert.ok(messages <= 3, `${route}: ${messages} messages to a hidden page`);
    await hide(page, false);
    const after = counted.messages;
    await until('something to be heard again', () => counted.messages > after);
  }
});

scene('where nothing happens, next to nothing is said', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open({ token: null });
  const counted = count(page);
  await page.reload();
  await page.getByLabel('Token').fill('read-write-token-of-the-page-tests');
  await page.keyboard.press('Enter');
  await shows(row(page, 'robot/speed'), '1.5');
  await page.waitForTimeout(500);
  const before = counted.messages;
  await page.waitForTimeout(WATCHED);
  const messages = counted.messages - before;
  console.log(`idle: ${messages} messages in ${WATCHED / 1000} s`);
  assert.ok(messages <= 8, `${messages} messages`);
});
