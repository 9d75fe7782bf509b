/** Who changed what through the host. */
import { detail, editText, goTo, shows } from './look.js';
import { scene } from './scene.js';

scene('a change made on one page stands in the log of another, with who made it', async ({ stage, open }) => {
  await stage.memlane('create', 'text', 'notes', '100');
  const reader = await open();
  await goTo(reader, 'Log');
  const writer = await open({ route: detail('notes') });
  await (await editText(writer)).fill('calibrated');
  await writer.getByRole('button', { name: 'Save' }).click();
  const line = reader.getByRole('row').filter({ hasText: 'notes' }).first();
  await shows(line, /write/);
  await shows(line, /page/);
});
