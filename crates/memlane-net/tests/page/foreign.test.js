/** Shared memory of other programs: looked at, never touched. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goTo, shows } from './look.js';
import { scene } from './scene.js';

scene('a foreign segment is listed and shown in hex', async ({ open }) => {
  // Below /dev/shm itself, where other programs' segments are.
  const directory = mkdtempSync('/dev/shm/memlane-page-foreign-');
  const name = `${directory.split('/').pop()}.segment`;
  const path = join('/dev/shm', name);
  try {
    const bytes = Uint8Array.from(Array.from({ length: 256 }, (_, index) => index));
    writeFileSync(path, bytes);
    const page = await open();
    await goTo(page, 'Foreign');
    const line = page.getByRole('row').filter({ hasText: name });
    await shows(line, '256');
    await line.getByRole('button', { name: `Look at ${name}` }).click();
    await shows(page.getByRole('region', { name }).getByRole('region', { name: 'Bytes' }), /000000f0\s*f0\s*f1\s*f2\s*f3/);
    assert.deepEqual(new Uint8Array(readFileSync(path)), bytes);
  } finally {
    rmSync(directory, { recursive: true });
    rmSync(path, { force: true });
  }
});
