/** 10,000 regions. */
import assert from 'node:assert/strict';
import { regions, row, shows } from './look.js';
import { scene } from './scene.js';

const COUNT = 10_000;
/** Rows in the document beyond those that fit, so that scrolling finds them ready. */
const MOST_ROWS = 200;

scene('a table of 10,000 regions scrolls, and holds only the rows that are seen', async ({ stage, open }) => {
  const crowd = stage.actor('values', String(COUNT));
  await crowd.says('made');
  const page = await open({ record: false });
  await row(page, 'many/00/00000').waitFor();
  await page.getByText(/10,?000/).first().waitFor();
  const rows = await regions(page).getByRole('row').count();
  assert.ok(rows > 10 && rows < MOST_ROWS, `${rows} rows`);
  const frames = await page.evaluate(scroll);
  console.log(`scrolling through ${COUNT} rows: ${frames.count} frames, median ${frames.median.toFixed(1)} ms, longest ${frames.longest.toFixed(1)} ms`);
  await row(page, 'many/09/09999').waitFor();
  assert.ok((await regions(page).getByRole('row').count()) < MOST_ROWS);
  await page.getByRole('searchbox', { name: 'Filter' }).fill('09/0977');
  await row(page, 'many/09/09777').waitFor();
  await shows(row(page, 'many/09/09777'), 'value');
});

/** Scrolls whatever scrolls the table from top to bottom, a step each frame. Runs in the page. */
async function scroll() {
  const table = document.querySelector('[aria-label="Regions"]');
  let scroller = table ?? document.documentElement;
  while (scroller.parentElement && scroller.scrollHeight <= scroller.clientHeight + 1) scroller = scroller.parentElement;
  const inside = table && [...table.querySelectorAll('*')].find(({ scrollHeight, clientHeight }) => scrollHeight > 10 * clientHeight && clientHeight > 100);
  scroller = inside ?? scroller;
  const frame = () => new Promise((/** @type {(moment: number) => void} */ drawn) => requestAnimationFrame(drawn));
  const took = [];
  let last = await frame();
  const step = scroller.scrollHeight / 120;
  for (let at = 0; at < scroller.scrollHeight; at += step) {
    scroller.scrollTop = at;
    const now = await frame();
    took.push(now - last);
    last = now;
  }
  scroller.scrollTop = scroller.scrollHeight;
  took.sort((left, right) => left - right);
  return { count: took.length, median: took[took.length >> 1] ?? NaN, longest: took.at(-1) ?? NaN };
}
