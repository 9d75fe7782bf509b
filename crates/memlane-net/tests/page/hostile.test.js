/** Ids, notes, contents and names of programs come from anybody: they are text, never markup. */
import assert from 'node:assert/strict';
import { detail, row } from './look.js';
import { scene } from './scene.js';

const MARKUP = '<img src=x onerror="window.caught=1"><script>window.caught=1</script>';

scene('markup in ids, texts, messages and names stays text', async ({ stage, open }) => {
  const id = 'a<b onclick=x>&amp;"\'';
  await stage.memlane('create', 'text', id, '400', '--note', MARKUP);
  await stage.memlane('set', id, MARKUP);
  await stage.memlane('create', 'queue', 'jobs', '4K');
  await stage.memlane('put', 'jobs', MARKUP);
  await stage.memlane('create', 'record', 'named', '{name:S100}');
  await stage.memlane('set', 'named', JSON.stringify({ name: MARKUP }));
  const page = await open();
  await row(page, 'named').waitFor();
  for (const region of [id, 'jobs', 'named']) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${detail(region)}`);
    await page.getByRole('heading', { name: region }).first().waitFor();
  }
  await page.evaluate(() => { location.hash = '#/log'; });
  await page.getByRole('heading', { name: 'Log' }).first().waitFor();
  const caught = await page.evaluate(() => ({ caught: 'caught' in window, images: document.querySelectorAll('img[src="x"]').length, scripts: document.querySelectorAll('script:not([src])').length }));
  assert.deepEqual(caught, { caught: false, images: 0, scripts: 0 });
});

scene('a route to a region that is not there says so', async ({ open }) => {
  const page = await open({ route: detail('no/such/<i>region</i>') });
  await page.getByText(/no region|not there|not found/i).first().waitFor();
  assert.equal(await page.locator('main i').count(), 0);
});

scene('the page may load nothing from elsewhere, and nobody may frame it', async ({ host, open }) => {
  await open();
  const { headers } = await fetch(host.url(null)).then((answer) => ({ headers: answer.headers }));
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.match(`${policy} ${headers.get('x-frame-options')}`, /frame-ancestors 'none'|DENY/i);
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
});
