/** What can be told of the page without a browser: its files, and that its Chinese is complete. */
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';

const PAGE = fileURLToPath(new URL('../../page', import.meta.url));
const LONGEST_FILE = 300;
const DICTIONARY = /^words\.\w+(\.\w+)?\.js$/;
/** States of processes, which the page shows in the host's words. */
const FROM_THE_HOST = ['stopped', 'parentless', 'zombie'];

/** The page's files by name. @param {RegExp} wanted */
function files(wanted) {
  const names = /** @type {string[]} */ (readdirSync(PAGE, { recursive: true }));
  return names.filter((name) => wanted.test(name)).map((name) => ({ name, text: readFileSync(join(PAGE, name), 'utf8') }));
}

test('every file has its types checked and can be read at a sitting', () => {
  const modules = files(/\.js$/);
  assert.ok(modules.length > 0, PAGE);
  assert.deepEqual(modules.filter(({ text }) => !text.startsWith('// @ts-check\n')).map(({ name }) => name), []);
  const long = files(/\.(js|css|html)$/).filter(({ name, text }) => !DICTIONARY.test(name) && text.split('\n').length > LONGEST_FILE + 1);
  assert.deepEqual(long.map(({ name }) => name), [], `more than ${LONGEST_FILE} lines`);
});

test('nothing comes from elsewhere', () => {
  const foreign = files(/\.(js|css|html)$/).filter(({ text }) => /(src|href|url\(|from|import)\s*[=(]?\s*["']?(https?:)?\/\//.test(text));
  assert.deepEqual(foreign.map(({ name }) => name), []);
});

test('every text has its Chinese, and no Chinese is left over', async () => {
  const chinese = await dictionary();
  const modules = files(/\.js$/).filter(({ name }) => !DICTIONARY.test(name));
  const said = modules.flatMap(({ name, text }) => translated(text).map((words) => ({ name, words })));
  assert.ok(said.length > 50, 'the page says something');
  const missing = said.filter(({ words }) => !(words in chinese)).map(({ name, words }) => `${name}: ${words}`);
  assert.deepEqual(missing, [], 'without Chinese');
  // Words that are chosen at run time, such as those of states, stand in the page as literals all the same.
  const all = modules.map(({ text }) => text).join('\n');
  const isSaid = (/** @type {string} */ words) => [`'${words.replaceAll("'", "\\'")}'`, `"${words}"`].some((literal) => all.includes(literal));
  assert.deepEqual(Object.keys(chinese).filter((words) => !isSaid(words) && !FROM_THE_HOST.includes(words)), [], 'said nowhere');
});

test('a translation fills in the same things as the original', async () => {
  const gaps = (/** @type {string} */ words) => [...new Set(words.match(/\{\w+\}/g))].sort().join();
  const different = Object.entries(await dictionary()).filter(([english, chinese]) => gaps(english) !== gaps(chinese));
  assert.deepEqual(different, []);
});

/** The literals in the first argument of each `t(…)` of a module, of which it may choose one. @param {string} text */
function translated(text) {
  return [...text.matchAll(/\bt\(/g)].flatMap(({ index = 0 }) => {
    const argument = text.slice(index + 2).match(/^(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^'",()]|\([^()]*\))*/)?.[0] ?? '';
    const literals = argument.matchAll(/'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"/g);
    return [...literals].map(([, single, double]) => (single ?? double ?? '').replace(/\\(.)/g, '$1')).filter(Boolean);
  });
}

/** The page's Chinese, loaded as the browser loads it. @returns {Promise<Record<string, string>>} */
async function dictionary() {
  const directory = mkdtempSync(join(tmpdir(), 'memlane-words-'));
  try {
    writeFileSync(join(directory, 'package.json'), '{"type": "module"}');
    const all = {};
    for (const { name } of files(DICTIONARY)) cpSync(join(PAGE, name), join(directory, name));
    for (const { name } of files(DICTIONARY)) {
      const module = await import(pathToFileURL(join(directory, name)).href);
      for (const words of Object.values(module)) Object.assign(all, words);
    }
    return all;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
