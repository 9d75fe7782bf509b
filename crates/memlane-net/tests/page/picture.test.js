/** Pictures: each pixel is what was published, can be read, frozen and saved. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { detail, shows } from './look.js';
import { scene, theBrowser } from './scene.js';
import { until } from './until.js';

const [WIDTH, HEIGHT] = [48, 32];

/** The colour of a pixel of the test's picture: all corners differ, and no line is like another. @param {number} x @param {number} y */
const colourAt = (x, y) => [(x * 5) % 256, (y * 7) % 256, (x * y) % 256];

/** All pixels of it, as red, green and blue. */
const pixels = Array.from({ length: HEIGHT }, (_, y) => Array.from({ length: WIDTH }, (_, x) => colourAt(x, y))).flat();

/** Writes the picture as a PNG, which another browser page draws. @param {string} path */
async function savePicture(path) {
  const page = await (await theBrowser()).newPage();
  const base64 = await page.evaluate(({ width, height, colours }) => {
    const canvas = Object.assign(document.createElement('canvas'), { width, height });
    const pen = canvas.getContext('2d');
    const data = new Uint8ClampedArray(colours.flatMap((colour) => [...colour, 255]));
    pen?.putImageData(new ImageData(data, width, height), 0, 0);
    return canvas.toDataURL('image/png').split(',')[1] ?? '';
  }, { width: WIDTH, height: HEIGHT, colours: pixels });
  await page.close();
  writeFileSync(path, base64, 'base64');
}

/** What an image of any source shows, as red, green and blue. @param {import('playwright-core').Page} page @param {string | null} url null: the page's own picture */
const drawn = (page, url = null) => page.evaluate(async (source) => {
  const image = source ? await createImageBitmap(await (await fetch(source)).blob()) : document.querySelector('.pane-frames canvas');
  if (!image) throw new Error('there is no picture');
  const { width, height } = /** @type {HTMLCanvasElement} */ (image);
  const copy = new OffscreenCanvas(width, height).getContext('2d');
  copy?.drawImage(/** @type {HTMLCanvasElement} */ (image), 0, 0);
  const data = copy?.getImageData(0, 0, width, height).data ?? [];
  return { width, height, colours: Array.from({ length: width * height }, (_, at) => [data[4 * at], data[4 * at + 1], data[4 * at + 2]]) };
}, url);

scene('each pixel of a picture is the one that was published', async ({ stage, open }) => {
  const file = stage.file('picture.png');
  await savePicture(file);
  await stage.memlane('frame', 'publish', 'camera/front', file, '--encoding', 'rgb8');
  const page = await open({ route: detail('camera/front') });
  await until('the picture', async () => (await drawn(page).catch(() => null))?.width === WIDTH);
  const shown = await until('its pixels', async () => {
    const picture = await drawn(page);
    return picture.colours.some((colour) => colour.some(Boolean)) && picture;
  });
  assert.deepEqual([shown.width, shown.height], [WIDTH, HEIGHT]);
  assert.deepEqual(shown.colours, pixels);
});

scene('the pointer reads a pixel, and a saved picture is what was published', async ({ stage, open }) => {
  const file = stage.file('picture.png');
  await savePicture(file);
  await stage.memlane('frame', 'publish', 'camera/front', file, '--encoding', 'rgb8');
  const page = await open({ route: detail('camera/front') });
  const picture = page.locator('.pane-frames canvas').first();
  await until('the picture', async () => (await drawn(page).catch(() => null))?.width === WIDTH);
  const box = await picture.boundingBox();
  assert.ok(box);
  const [x, y] = [17, 9];
  await page.mouse.move(box.x + ((x + 0.5) / WIDTH) * box.width, box.y + ((y + 0.5) / HEIGHT) * box.height);
  const [red, green, blue] = colourAt(x, y);
  await shows(page.getByRole('status', { name: 'Pixel' }), `x ${x}, y ${y}   r ${red}   g ${green}   b ${blue}`);
  const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save PNG' }).click()]);
  const saved = readFileSync(await download.path());
  assert.match(download.suggestedFilename(), /\.png$/);
  // The page may load nothing but its own; another one may.
  const other = await (await theBrowser()).newPage();
  const again = await drawn(other, `data:image/png;base64,${saved.toString('base64')}`);
  await other.close();
  assert.deepEqual(again.colours, pixels);
});

scene('a live picture tells its rate; frozen, it stays as it is', async ({ stage, open }) => {
  const film = stage.actor('film', 'camera/front', '10');
  await film.says('published');
  const page = await open({ route: detail('camera/front'), record: false });
  await shows(page.getByRole('main'), /\d fps/);
  await page.getByRole('button', { name: 'Freeze' }).click();
  const frozen = await corner(page);
  const published = film.lines.length;
  await until('more to be published', () => film.lines.length > published + 1);
  assert.equal(await corner(page), frozen);
  await page.getByRole('button', { name: 'Freeze' }).click();
  await until('it to move', async () => (await corner(page)) !== frozen);
});

/** The first pixels, which tell pictures of the film apart. @param {import('playwright-core').Page} page */
const corner = (page) => page.evaluate(() => {
  const canvas = document.querySelector('canvas');
  const copy = new OffscreenCanvas(8, 1).getContext('2d');
  if (canvas) copy?.drawImage(canvas, 0, 0);
  return copy?.getImageData(0, 0, 8, 1).data.join();
});
