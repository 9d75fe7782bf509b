/**
 * How fast the page is and what it costs, printed and asserted; run alone, by `cargo xtask page --measure`.
 *
 * Whoever drives a browser by its debugging port is sent all that the page receives, which at 46 MB a second is a load
 * of its own. So the page is opened that way, left alone while it is measured, and looked at again afterwards.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { chromium } from 'playwright-core';
import { CHROMIUM, IS_ROOT } from './browser.js';
import { detail, regions, row } from './look.js';
import { Stage } from './stage.js';
import { until } from './until.js';

const MEASURED = 15_000;
const RATE = 60;
const LEAST_SHOWN = 55;
const MOST_OF_A_CORE = 0.3;
/** Of its pictures, the publisher publishes so many in time, whoever looks. */
const LEAST_PUBLISHED = 0.97;

/** @typedef {import('./stage.js').Host} Host */

/** A browser that is driven only when it is asked for. */
class Alone {
  /** @param {Stage} stage */
  constructor(stage) {
    const words = ['--headless=new', '--remote-debugging-port=0', `--user-data-dir=${stage.file('profile')}`, '--no-first-run', '--disable-dev-shm-usage'];
    if (IS_ROOT) words.push('--no-sandbox');
    this.process = spawn(CHROMIUM, [...words, '--window-size=1280,800', 'about:blank'], { stdio: 'ignore' });
    this.port = stage.file('profile/DevToolsActivePort');
  }

  /** Drives its page for as long as `act` takes. @template T @param {(page: import('playwright-core').Page) => Promise<T>} act */
  async drive(act) {
    const port = await until('the browser', () => {
      try {
        return readFileSync(this.port, 'utf8').split('\n')[0];
      } catch {
        return null;
      }
    });
    const browser = await chromium.connectOverCDP(`http://127.0.0.1:${port}`);
    try {
      const page = await until('its page', () => browser.contexts()[0]?.pages()[0]);
      return await act(page);
    } finally {
      await browser.close();
    }
  }

  /** All of its processes. */
  get pids() {
    return withDescendants(this.process.pid ?? 0);
  }

  close() {
    this.process.kill('SIGKILL');
  }
}

/** @param {number} ancestor */
function withDescendants(ancestor) {
  const parents = new Map(readdirSync('/proc').filter((name) => /^\d+$/.test(name)).map((name) => [Number(name), parentOf(name)]));
  const descends = (/** @type {number | undefined} */ pid) => {
    for (let at = pid; at; at = parents.get(at)) if (at === ancestor) return true;
    return false;
  };
  return [...parents.keys()].filter(descends);
}

/** @param {string} pid */
function parentOf(pid) {
  try {
    return Number(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]);
  } catch {
    return 0;
  }
}

/** What processes have used of the processor so far, in seconds. @param {number[]} pids */
function processorSeconds(pids) {
  const used = pids.map((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) / 100;
  });
  return used.reduce((sum, seconds) => sum + seconds, 0);
}

/** Lets it go on alone, and gives back what of a core host and page used meanwhile. @param {Host} host @param {Alone} browser */
async function shares(host, browser) {
  const pids = browser.pids;
  const [hostBefore, pageBefore, start] = [processorSeconds([host.pid]), processorSeconds(pids), performance.now()];
  await new Promise((over) => setTimeout(over, MEASURED));
  const seconds = (performance.now() - start) / 1000;
  return { host: (processorSeconds([host.pid]) - hostBefore) / seconds, page: (processorSeconds(pids) - pageBefore) / seconds, seconds };
}

const percent = (/** @type {number} */ share) => `${(100 * share).toFixed(1)} %`;

/** @param {string} name @param {(stage: Stage, host: Host, browser: Alone) => Promise<void>} act */
function measure(name, act) {
  test(name, { timeout: 180_000 }, async () => {
    const stage = new Stage();
    const browser = new Alone(stage);
    try {
      await act(stage, await stage.host(), browser);
    } finally {
      browser.close();
      await stage.clear();
    }
  });
}

measure('pictures of 640 × 404 × 3 at 60 Hz', async (stage, host, browser) => {
  const film = stage.actor('film', 'camera/front', String(RATE));
  await film.says('published');
  const alone = await publishing(film);
  await browser.drive(async (page) => {
    await page.goto(host.url());
    await row(page, 'camera/front').waitFor();
    await page.evaluate((hash) => { location.hash = hash; }, `#/${detail('camera/front')}`);
    await page.getByText(/\d fps/).first().waitFor();
  });
  const before = await browser.drive(shown);
  const [used, watched] = await Promise.all([shares(host, browser), publishing(film)]);
  const after = await browser.drive(shown);
  const rate = (after.count - before.count) / (after.seconds - before.seconds);
  console.log(`shown: ${rate.toFixed(1)} pictures a second, of ${RATE} published; host ${percent(used.host)}, browser ${percent(used.page)} of a core`);
  console.log(`publishing one took ${alone.time.toFixed(0)} µs alone, ${watched.time.toFixed(0)} µs watched: ${(watched.time / alone.time).toFixed(2)} times as long`);
  console.log(`published: ${alone.rate.toFixed(1)} a second alone, ${watched.rate.toFixed(1)} watched`);
  assert.ok(rate >= LEAST_SHOWN, `${rate} pictures a second`);
  assert.ok(watched.rate >= LEAST_PUBLISHED * alone.rate, `${watched.rate} published a second, ${alone.rate} when nobody looked`);
});

measure('10,000 regions, a hundred of which change four times a second', async (stage, host, browser) => {
  const crowd = stage.actor('values', '10000');
  await crowd.says('made');
  await browser.drive(async (page) => {
    await page.goto(host.url());
    await row(page, 'many/00/00000').waitFor();
  });
  const used = await shares(host, browser);
  console.log(`10,000 regions at 4 Hz: host ${percent(used.host)}, browser ${percent(used.page)} of a core`);
  await browser.drive(async (page) => assert.equal(await regions(page).count(), 1));
  assert.ok(used.host < MOST_OF_A_CORE, `host: ${percent(used.host)} of a core`);
  assert.ok(used.page < MOST_OF_A_CORE, `browser: ${percent(used.page)} of a core`);
});

/** Pictures a second, and the median of what publishing one takes in microseconds. @param {import('./stage.js').Actor} film */
async function publishing(film) {
  const [first, start] = [film.lines.length, performance.now()];
  await new Promise((over) => setTimeout(over, MEASURED));
  const seconds = (performance.now() - start) / 1000;
  const reports = film.lines.slice(first).map((line) => line.split(' ').slice(1).map(Number));
  const count = reports.reduce((sum, [published = 0]) => sum + published, 0);
  const times = reports.map(([, nanoseconds = NaN]) => nanoseconds / 1000).sort((left, right) => left - right);
  return { rate: count / seconds, time: times[times.length >> 1] ?? NaN };
}

/** How many pictures the page has shown at a moment of its time: those that were published, without those it missed. @param {import('playwright-core').Page} page */
async function shown(page) {
  const { text, seconds } = await page.getByRole('status', { name: 'Figures' }).evaluate(
    (figures) => new Promise((/** @type {(seen: {text: string, seconds: number}) => void} */ seen) => {
      new MutationObserver(() => seen({ text: figures.textContent ?? '', seconds: performance.now() / 1000 })).observe(figures, { childList: true, characterData: true, subtree: true });
    }),
  );
  const [sequence = NaN, missed = NaN] = [...text.matchAll(/(?:frame|missed) ([\d,]+)/g)].map(([, digits]) => Number(digits?.replaceAll(',', '')));
  return { count: sequence - missed, seconds };
}
