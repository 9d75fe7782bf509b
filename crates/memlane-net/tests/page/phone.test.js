/** As wide as a phone: nothing is beyond the edge, and what is to be pressed can be. */
import assert from 'node:assert/strict';
import { detail, row, VIEWS, views } from './look.js';
import { furnish, REGIONS } from './scenery.js';
import { scene } from './scene.js';

const WIDTH = 360;

/** What sticks out of the page at its right. @param {import('playwright-core').Page} page */
const overhang = (page) => page.evaluate(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth - clientWidth;
});

scene('no view scrolls sideways', async ({ stage, open }) => {
  await furnish(stage);
  const page = await open({ width: WIDTH, height: 740 });
  await row(page, REGIONS.value).waitFor();
  const routes = ['regions', 'participants', 'locks', 'host', 'connect', 'log', 'orphans', 'foreign'];
  assert.equal(routes.length, VIEWS.length);
  const wide = [];
  for (const route of [...routes, ...Object.values(REGIONS).map(detail)]) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${route}`);
    await page.getByRole('main').getByRole('heading').first().waitFor();
    const beyond = await overhang(page);
    if (beyond > 0) wide.push(`${route}: ${beyond} px`);
  }
  assert.deepEqual(wide, []);
});

scene('the table is of use: ids and contents are seen, and a row opens by a tap', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open({ width: WIDTH, height: 740 });
  const line = row(page, 'robot/speed');
  await line.waitFor();
  const box = await line.getByText('1.5').first().boundingBox();
  assert.ok(box && box.x >= 0 && box.x + box.width <= WIDTH, JSON.stringify(box));
  await line.getByText('robot/speed').first().click();
  await page.getByRole('heading', { name: 'robot/speed' }).waitFor();
});

scene('every view is to be chosen without scrolling, and a process is a card of what there is to say', async ({ stage, open }) => {
  const holder = stage.actor('hold', REGIONS.lock);
  await holder.says('held');
  const page = await open({ route: 'participants', width: WIDTH, height: 740 });
  for (const view of VIEWS) {
    const box = await views(page).getByRole('link', { name: view, exact: true }).boundingBox();
    assert.ok(box && box.x >= 0 && box.x + box.width <= WIDTH, `${view} is in sight`);
  }
  const line = page.getByRole('row').filter({ hasText: String(holder.pid) });
  await line.waitFor();
  const cells = await line.getByRole('cell').evaluateAll((all) => all.map((cell) => ({ text: cell.textContent, ...cell.getBoundingClientRect().toJSON() })));
  for (const { text, right, height } of cells) {
    assert.ok(right <= WIDTH, `${text} is in sight`);
    assert.ok(text !== '' || height === 0, 'nothing empty takes room');
  }
});
