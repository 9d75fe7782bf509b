/** Debian's Chromium, and where what it shows is kept. */
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

/** What is kept of a run: of scenes that failed, and the screenshots. */
export const ARTEFACTS = process.env.MEMLANE_PAGE_ARTEFACTS ?? join(tmpdir(), 'memlane-page');

export const CHROMIUM = process.env.MEMLANE_CHROMIUM ?? '/usr/bin/chromium';

/** For root, as in a container, Chromium has no sandbox. */
export const IS_ROOT = process.getuid?.() === 0;

export function launch() {
  return chromium.launch({ executablePath: CHROMIUM, chromiumSandbox: !IS_ROOT, args: ['--disable-dev-shm-usage'] });
}
