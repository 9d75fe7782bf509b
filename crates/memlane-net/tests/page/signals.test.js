/** Events, semaphores and barriers, by button. */
import { detail, shows, unlock } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

scene('an event is set and cleared, and who waits is let through', async ({ stage, open }) => {
  await stage.memlane('create', 'event', 'robot/stop');
  const waits = stage.start('event', 'wait', 'robot/stop');
  const page = await open({ route: detail('robot/stop') });
  await unlock(page);
  await page.getByRole('button', { name: 'Set' }).click();
  await waits.ended;
  await shows(page.getByRole('main'), /\bset\b/i);
  await page.getByRole('button', { name: 'Clear' }).click();
  await until('the event to be clear', async () => (await stage.told('show', 'robot/stop')).state?.set === false || /clear/.test(await stage.memlane('ls', 'robot/stop')));
});

scene('what came of setting an event is told: that it was taken, and who ended', async ({ stage, open }) => {
  await stage.memlane('create', 'event', 'robot/stop', '--auto-reset');
  const page = await open({ route: detail('robot/stop') });
  await unlock(page);
  const outcome = page.getByRole('status', { name: 'What came of it' });
  await page.getByRole('button', { name: 'Set' }).click();
  await shows(outcome, /nobody has taken it yet/);
  const waits = stage.start('event', 'wait', 'robot/stop');
  await waits.ended;
  const second = stage.start('event', 'wait', 'robot/stop');
  await until('it to wait', async () => (await stage.told('ps')).some((/** @type {any} */ { pid, waits: [wait] }) => pid === second.pid && wait));
  await page.getByRole('button', { name: 'Set' }).click();
  await shows(outcome, new RegExp(`taken within .*Ended since then: .*${second.pid}`));
});

scene('tokens are given and taken by button', async ({ stage, open }) => {
  await stage.memlane('create', 'semaphore', 'tokens', '2', '--signal');
  const value = async () => Number((await stage.memlane('sem', 'value', 'tokens')).match(/\d+/)?.[0]);
  const page = await open({ route: detail('tokens') });
  await unlock(page);
  await page.getByRole('button', { name: 'Raise' }).click();
  await until('a third token', async () => (await value()) === 3);
  await page.getByRole('button', { name: 'Take a token' }).click();
  await until('two tokens', async () => (await value()) === 2);
});

scene('permits that the page holds are free again when it is closed', async ({ stage, open }) => {
  await stage.memlane('create', 'semaphore', 'permits', '2');
  const value = async () => Number((await stage.memlane('sem', 'value', 'permits')).match(/\d+/)?.[0]);
  const page = await open({ route: detail('permits') });
  await unlock(page);
  await page.getByRole('button', { name: 'Acquire' }).click();
  await until('one permit', async () => (await value()) === 1);
  await page.close();
  await until('two permits', async () => (await value()) === 2);
});

scene('a meeting that is aborted breaks the barrier, and a reset mends it', async ({ stage, open }) => {
  await stage.memlane('create', 'barrier', 'robot/start', '2');
  const page = await open({ route: detail('robot/start') });
  await unlock(page);
  await page.getByRole('button', { name: 'Abort' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Abort' }).click();
  await until('the barrier to be broken', async () => /broken/.test(await stage.memlane('ls', 'robot/start')));
  await page.getByRole('button', { name: 'Reset' }).click();
  await until('the barrier to be whole', async () => !/broken/.test(await stage.memlane('ls', 'robot/start')));
});
