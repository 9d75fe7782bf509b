/** A region of each kind, with something in it. */

/** Their ids by kind. */
export const REGIONS = {
  value: 'robot/speed',
  record: 'robot/pose',
  array: 'robot/joints',
  raw: 'robot/bytes',
  text: 'notes/today',
  lock: 'robot/arm',
  rlock: 'robot/gripper',
  rwlock: 'robot/map',
  semaphore: 'cameras/permits',
  event: 'robot/stop',
  condition: 'jobs/changed',
  barrier: 'robot/start',
  queue: 'jobs/frames',
  pipe: 'robot/link',
  stream: 'myo/emg',
  frames: 'camera/front',
};

/** Makes all of it. @param {import('./stage.js').Stage} stage @param {{film?: boolean}} options `film`: somebody publishes pictures */
export async function furnish(stage, { film = true } = {}) {
  const { value, record, array, raw, text, lock, rlock, rwlock, semaphore, event, condition, barrier, queue, pipe, stream, frames } = REGIONS;
  const made = [
    ['value', value, 'f64', '1.5'],
    ['record', record, '{x:f8,y:f8,name:S16,on:bool}'],
    ['array', array, '[2,3]f32'],
    ['raw', raw, '--size', '64'],
    ['text', text, '4096'],
    ['lock', lock],
    ['rlock', rlock],
    ['rwlock', rwlock],
    ['semaphore', semaphore, '3'],
    ['event', event],
    ['condition', condition],
    ['barrier', barrier, '2'],
    ['queue', queue, '64K'],
    ['pipe', pipe, '64K'],
    ['stream', stream, '{emg:[8]i1,t:<f8}'],
  ];
  await Promise.all(made.map((words) => stage.memlane('create', ...words)));
  await stage.memlane('set', text, 'Calibrated at nine.\nThe arm is loose again.\n');
  await stage.memlane('put', queue, 'frame 7');
  await stage.memlane('put', queue, '{"frame": 8}', '--tag', 'json');
  await stage.memlane('set', array, '[[1,2,3],[4,5,6]]');
  const records = Array.from({ length: 200 }, (_, index) => JSON.stringify({
    emg: Array.from({ length: 8 }, (_, channel) => Math.round(100 * Math.sin(index / 9 + channel))),
    t: index / 200,
  }));
  await stage.memlane('stream', 'append', stream, ...records);
  if (film) await stage.actor('film', frames, '30').says('published');
}
