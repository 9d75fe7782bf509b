/** Who holds what: a holder that is killed turns red, and what it held is recovered. */
import assert from 'node:assert/strict';
import { detail, goTo, row, shows, unlock } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

scene('a killed holder turns red, and force-release gives its lock back', async ({ stage, open }) => {
  const holder = stage.actor('hold', 'robot/arm');
  await holder.says('held robot/arm');
  const table = await open();
  await shows(row(table, 'robot/arm'), /actor/);
  const page = await open({ route: detail('robot/arm') });
  await page.getByText(new RegExp(`\\b${holder.pid}\\b`)).first().waitFor();

  await holder.kill();
  await row(table, 'robot/arm').getByText('owner dead').waitFor();
  const colour = await row(table, 'robot/arm').getByText('owner dead').evaluate((element) => getComputedStyle(element).color);
  const [red = 0, green = 0, blue = 0] = (colour.match(/[\d.]+/g) ?? []).map(Number);
  assert.ok(red > green + 40 && red > blue + 40, `dead is shown in red, not in ${colour}`);
  await page.getByText(/dead/i).first().waitFor();

  await unlock(page);
  await page.getByRole('button', { name: 'Force release' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Release' }).click();
  await until('the lock to be free', async () => (await stage.told('locks', '--all')).every((/** @type {{holder: unknown}} */ { holder }) => holder === null));
  await row(table, 'robot/arm').getByText('owner dead').waitFor({ state: 'detached' });
  const next = stage.actor('hold', 'robot/arm');
  await next.says('held robot/arm');
});

scene('a living holder keeps its lock until somebody confirms its end', async ({ stage, open }) => {
  const holder = stage.actor('hold', 'robot/arm');
  await holder.says('held robot/arm');
  const page = await open({ route: detail('robot/arm') });
  await unlock(page);
  const release = page.getByRole('button', { name: 'Force release' });
  await release.click();
  const question = page.getByRole('dialog');
  await shows(question, String(holder.pid));
  await question.getByRole('button', { name: 'Cancel' }).click();
  assert.equal(holder.child.exitCode ?? holder.child.signalCode, null);
  await release.click();
  await question.getByRole('button', { name: 'End it and release' }).click();
  await until('the holder to be killed', () => holder.child.signalCode === 'SIGKILL');
  const next = stage.actor('hold', 'robot/arm');
  await next.says('held robot/arm');
});

scene('two that wait for each other are a cycle in the lock graph, in red', async ({ stage, open }) => {
  const [left, right] = [stage.actor('hold', 'left'), stage.actor('hold', 'right')];
  await left.says('held left');
  await right.says('held right');
  left.child.stdin?.write('right\n');
  const page = await open({ route: 'locks' });
  await page.getByText(`actor (pid ${left.pid})`).or(page.getByText(String(left.pid))).first().waitFor();
  assert.equal(await page.getByText('Deadlock').count(), 0);
  right.child.stdin?.write('left\n');
  await shows(page.getByRole('alert').filter({ hasText: 'Deadlock' }), /2 threads wait for each other/);
  const waits = page.getByRole('listitem').filter({ hasText: 'held by' });
  await shows(waits.filter({ hasText: 'lock right' }), new RegExp(`^actor, pid ${left.pid}, thread \\d+ (waits .+|has just begun to wait) for lock right, held by actor, pid ${right.pid}`));
  for (const line of await waits.allTextContents()) assert.doesNotMatch(line, /`|0\.0/);
});

scene('participants are shown with their regions, and whether they live', async ({ stage, open }) => {
  const holder = stage.actor('hold', 'robot/arm');
  await holder.says('held robot/arm');
  const page = await open();
  await goTo(page, 'Participants');
  const line = page.getByRole('row').filter({ hasText: String(holder.pid) });
  await shows(line.first(), /actor/);
  await holder.kill();
  await line.first().getByRole('link', { name: 'dead' }).click();
  await page.getByRole('heading', { name: 'Orphans' }).waitFor();
  await page.getByText('robot/arm').first().waitFor();
});
