/** Values, records and arrays: shown as they are, changed by field, slider and form, and put back. */
import assert from 'node:assert/strict';
import { detail, goTo, shows, unlock } from './look.js';
import { scene } from './scene.js';
import { until } from './until.js';

scene('a value is changed by its field and its slider, and put back', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const value = async () => Number(await stage.memlane('get', 'robot/speed'));
  const page = await open({ route: detail('robot/speed') });
  const now = page.getByRole('status', { name: 'Value now' });
  await shows(now, '1.5');
  await unlock(page);
  const field = page.getByRole('textbox', { name: 'Value', exact: true });
  await field.fill('2.5');
  await field.press('Enter');
  await until('2.5', async () => (await value()) === 2.5);
  await shows(now, '2.5');
  await page.getByRole('slider', { name: /value/i }).first().focus();
  await page.keyboard.press('ArrowRight');
  const slid = await until('the slider to move it', async () => (await value()) !== 2.5 && (await value()));
  assert.ok(slid > 2.5, `${slid}`);
  const undo = page.getByRole('button', { name: /undo/i });
  await undo.click();
  await until('the slider\'s change to be undone', async () => (await value()) === 2.5);
  await undo.click();
  await until('the field\'s change to be undone', async () => (await value()) === 1.5);
});

scene('what others write shows at once, but not in a field that somebody types in', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  const page = await open({ route: detail('robot/speed') });
  await shows(page.getByRole('status', { name: 'Value now' }), '1.5');
  await unlock(page);
  const field = page.getByRole('textbox', { name: 'Value', exact: true });
  await field.fill('99');
  await stage.memlane('set', 'robot/speed', '3.5');
  await shows(page.getByRole('status', { name: 'Value now' }), '3.5');
  assert.equal(await field.inputValue(), '99');
});

scene('a boolean is a switch, an integer keeps every digit, and what does not fit is refused', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/on', 'bool');
  await stage.memlane('create', 'value', 'robot/ticks', 'u64', '18446744073709551615');
  const page = await open({ route: detail('robot/on') });
  await unlock(page);
  await page.getByRole('switch').click();
  await until('the switch', async () => (await stage.memlane('get', 'robot/on')).trim() === 'true');
  await page.evaluate((hash) => { location.hash = hash; }, `#/${detail('robot/ticks')}`);
  await shows(page.getByRole('status', { name: 'Value now' }), /18[,. ]?446[,. ]?744[,. ]?073[,. ]?709[,. ]?551[,. ]?615/);
  const field = page.getByRole('textbox', { name: 'Value', exact: true });
  await field.fill('-1');
  await field.press('Enter');
  await until('the field to say that it is wrong', async () => (await field.getAttribute('aria-invalid')) === 'true');
  assert.equal((await stage.memlane('get', 'robot/ticks')).trim(), '18446744073709551615');
});

scene('a record is a form, whose fields change alone', async ({ stage, open }) => {
  await stage.memlane('create', 'record', 'robot/pose', '{x:f8,y:f8,name:S16,on:bool}');
  const page = await open({ route: detail('robot/pose') });
  await unlock(page);
  await stage.memlane('set', 'robot/pose', '{"x": 1, "y": 2, "name": "arm", "on": false}');
  const x = page.getByRole('textbox', { name: 'x', exact: true });
  await until('the form to follow', async () => Number(await x.inputValue()) === 1);
  await x.fill('7.25');
  await x.press('Enter');
  await page.getByRole('switch', { name: 'on' }).click();
  await until('both fields', async () => {
    const { x: written, on } = await record(stage);
    return written === 7.25 && on === true;
  });
  const { y, name } = await record(stage);
  assert.deepEqual([y, name], [2, 'arm']);
});

scene('an array is a grid: one element is changed, and the others are left', async ({ stage, open }) => {
  await stage.memlane('create', 'array', 'robot/joints', '[2,3]f32');
  await stage.memlane('set', 'robot/joints', '[[1,2,3],[4,5,6]]');
  const page = await open({ route: detail('robot/joints') });
  await unlock(page);
  const cell = page.getByRole('gridcell').filter({ hasText: /^5$/ });
  await cell.first().dblclick();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('55');
  await page.keyboard.press('Enter');
  await until('the element', async () => JSON.stringify(JSON.parse(await stage.memlane('get', 'robot/joints', '--json')).content).includes('55'));
  const { content } = JSON.parse(await stage.memlane('get', 'robot/joints', '--json'));
  assert.deepEqual(content.flat(), [1, 2, 3, 4, 55, 6]);
});

scene('what was typed and not written is there again on coming back', async ({ stage, open }) => {
  await stage.memlane('create', 'value', 'robot/speed', 'f64', '1.5');
  await stage.memlane('create', 'record', 'robot/pose', '{x:f8,y:f8}');
  await stage.memlane('create', 'array', 'robot/joints', '[2,3]f32');
  const page = await open({ route: detail('robot/speed') });
  await unlock(page);
  const typed = [];
  for (const [id, name] of [['robot/speed', 'Value'], ['robot/pose', 'y']]) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${detail(id)}`);
    const field = page.getByRole('textbox', { name, exact: true });
    await field.fill('99');
    typed.push({ id, field });
  }
  await page.evaluate((hash) => { location.hash = hash; }, `#/${detail('robot/joints')}`);
  await page.getByRole('gridcell').filter({ hasText: /^0$/ }).nth(4).dblclick();
  await page.keyboard.press('Control+A');
  await page.keyboard.type('55');
  typed.push({ id: 'robot/joints', field: page.getByRole('textbox', { name: '1, 1', exact: true }) });
  // Another cell does not take it away.
  await page.getByRole('gridcell').filter({ hasText: /^0$/ }).first().click();
  assert.equal(await typed.at(-1)?.field.inputValue(), '55');
  await goTo(page, 'Regions');
  await stage.memlane('set', 'robot/speed', '3.5');
  for (const { id, field } of typed) {
    await page.evaluate((hash) => { location.hash = hash; }, `#/${detail(id)}`);
    await field.waitFor();
    assert.equal(await field.inputValue(), id === 'robot/joints' ? '55' : '99', id);
    await field.press('Enter');
  }
  await until('all to be written', async () => {
    const [speed, { y }, joints] = await Promise.all([stage.memlane('get', 'robot/speed'), record(stage), stage.memlane('get', 'robot/joints')]);
    return Number(speed) === 99 && y === 99 && joints.includes('55');
  });
});

/** @param {import('./stage.js').Stage} stage */
const record = async (stage) => JSON.parse(await stage.memlane('get', 'robot/pose', '--json')).content;
