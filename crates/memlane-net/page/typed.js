// @ts-check
// How to do on the command line and in Python what this page shows.

import { t } from './words.js';

/** @param {string} text as one word of a POSIX shell */
function quoted(text) {
  return /^[\w./@%+=:,-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

/** @type {Record<string, [string, string][]>} */
const COMMANDS = {
  value: [['Read', 'get ID'], ['Change', 'set ID 1'], ['Follow', 'watch ID']],
  record: [['Read', 'get ID'], ['Follow', 'watch ID']],
  array: [['Read', 'get ID'], ['Follow', 'watch ID']],
  text: [['Read', 'get ID'], ['Change', 'set ID TEXT'], ['Follow', 'watch ID']],
  raw: [['Read', 'get ID'], ['Follow', 'watch ID']],
  lock: [['Who holds it', 'locks'], ['Who waits for whom', 'locks --graph']],
  rlock: [['Who holds it', 'locks'], ['Who waits for whom', 'locks --graph']],
  rwlock: [['Who waits for whom', 'locks --graph']],
  queue: [['Put', 'put ID MESSAGE'], ['Take', 'take ID']],
  frames: [['Measure', 'hz ID'], ['Save a picture', 'frame view ID --save picture.png']],
  stream: [['Measure', 'hz ID'], ['Newest', 'stream tail ID']],
  event: [['Set', 'event set ID'], ['Clear', 'event clear ID']],
  semaphore: [['Count', 'sem value ID']],
};

/** @type {Record<string, string>} */
const PYTHON = {
  value: 'memlane.Value(ID).value',
  record: 'memlane.Record(ID).read()',
  array: 'memlane.Array(ID).snapshot()',
  text: 'memlane.Text(ID).read()',
  raw: 'memlane.Raw(ID)',
  lock: 'memlane.Lock(ID)',
  rlock: 'memlane.RLock(ID)',
  rwlock: 'memlane.RwLock(ID)',
  semaphore: 'memlane.Semaphore(ID)',
  event: 'memlane.Event(ID)',
  condition: 'memlane.Condition(ID)',
  barrier: 'memlane.Barrier(ID)',
  queue: 'memlane.Queue(ID).get()',
  pipe: 'memlane.Pipe(ID)',
  stream: 'memlane.StreamSubscriber(ID)',
  frames: 'next(iter(memlane.FrameSubscriber(ID))).array',
};

/** @param {any} document @param {string} space @returns {[string, string][]} what it does, and what to type */
export function typed({ id, kind }, space) {
  const shell = /** @type {[string, string][]} */ ([['Everything known', 'show ID'], ...(COMMANDS[kind] ?? [])]);
  const lines = shell.map(([what, command]) => /** @type {[string, string]} */ ([t(what), `memlane --space ${quoted(space)} ${command.replace('ID', () => quoted(id))}`]));
  const python = PYTHON[kind];
  if (python) lines.push(['Python', `import memlane; ${python.replace('ID', () => `${JSON.stringify(id)}, space=${JSON.stringify(space)}`)}`]);
  return lines;
}
