/** Queues and pipes: how much is in them, what is in them, and putting more. */
import assert from 'node:assert/strict';
import { detail, goTo, shows, unlock } from './look.js';
import { scene } from './scene.js';

scene('a queue is peeked into without taking, and put into', async ({ stage, open }) => {
  await stage.memlane('create', 'queue', 'jobs', '64K');
  await stage.memlane('put', 'jobs', 'frame 7');
  const page = await open({ route: detail('jobs') });
  await page.getByText('frame 7').first().waitFor();
  await unlock(page);
  await page.getByRole('textbox', { name: /message/i }).fill('frame 8');
  await goTo(page, 'Regions');
  await page.goBack();
  await page.getByRole('button', { name: 'Put' }).click();
  await page.getByText('frame 8').first().waitFor();
  assert.equal((await stage.memlane('take', 'jobs')).trim(), 'frame 7');
  assert.equal((await stage.memlane('take', 'jobs')).trim(), 'frame 8');
  await page.getByText('There is none.').waitFor();
});

scene('a pipe shows its ends and what is on the way', async ({ stage, open }) => {
  await stage.memlane('create', 'pipe', 'robot/link', '64K');
  const page = await open({ route: detail('robot/link') });
  await shows(page.getByRole('main'), /left/i);
  await shows(page.getByRole('main'), /right/i);
});
