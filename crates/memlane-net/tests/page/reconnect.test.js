/** The host is killed and started again: the page goes on by itself, and pretends nothing. */
import assert from 'node:assert/strict';
import { connection, detail, editText, row, shows } from './look.js';
import { scene } from './scene.js';

/** The browser itself says so on the console when there is no host. */
const expected = /WebSocket connection to .* failed|ERR_CONNECTION_REFUSED/;

const AWAY = /lost|connecting/i;

scene('the page goes on where it was when the host is killed and comes back', async ({ stage, host, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open({ expected });
  await shows(row(page, 'robot/speed'), '1.5');
  await host.kill();
  await shows(connection(page), AWAY);
  // What is shown is what was last seen, and memory goes on without the host.
  assert.match((await row(page, 'robot/speed').textContent()) ?? '', /1\.5/);
  await stage.memlane('set', 'robot/speed', '2.75');
  await host.restart();
  await shows(row(page, 'robot/speed'), '2.75');
  await shows(connection(page), /^Connected/);
});

scene('what was typed and not saved when the host went away is there when it comes back', async ({ stage, host, open }) => {
  await stage.memlane('create', 'text', 'notes', '100');
  const page = await open({ route: detail('notes'), expected });
  const editor = await editText(page);
  await editor.fill('written and not saved');
  await host.kill();
  await shows(connection(page), AWAY);
  await host.restart();
  await shows(connection(page), /^Connected/);
  assert.equal(await editor.inputValue(), 'written and not saved');
  const save = page.getByRole('button', { name: 'Save' });
  await save.click();
  await page.getByText(/^Saved as version/).first().waitFor();
  assert.equal(await stage.memlane('get', 'notes'), 'written and not saved\n');
});

scene('of a change that was under way when the host died, the page says that it does not know', async ({ stage, host, open }) => {
  await stage.memlane('create', 'text', 'notes', '100');
  const page = await open({ route: detail('notes'), expected });
  const editor = await editText(page);
  await editor.fill('sent, and never answered');
  // A host that is stopped takes the request and answers nothing.
  process.kill(host.pid, 'SIGSTOP');
  await page.getByRole('button', { name: 'Save' }).click();
  await host.restart();
  await page.getByText(/Nobody knows whether/).first().waitFor();
  assert.equal(await editor.inputValue(), 'sent, and never answered');
});
