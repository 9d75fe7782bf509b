// @ts-check
// What shows a region, by its kind.

import { create as array } from './kinds/array.js';
import { create as barrier } from './kinds/barrier.js';
import { create as condition } from './kinds/condition.js';
import { create as event } from './kinds/event.js';
import { create as frames } from './kinds/frames.js';
import { create as lock } from './kinds/lock.js';
import { create as pipe } from './kinds/pipe.js';
import { create as queue } from './kinds/queue.js';
import { create as raw } from './kinds/raw.js';
import { create as record } from './kinds/record.js';
import { create as rlock } from './kinds/rlock.js';
import { create as rwlock } from './kinds/rwlock.js';
import { create as semaphore } from './kinds/semaphore.js';
import { create as stream } from './kinds/stream.js';
import { create as text } from './kinds/text.js';
import { create as value } from './kinds/value.js';

/** @typedef {{connection: import('./connection.js').Connection, id: string, document: any}} Context `document`: what `describe` said */

/** @type {Map<string, (context: Context) => {element: HTMLElement, close(): void}>} */
export const KINDS = new Map(Object.entries({
  array, barrier, condition, event, frames, lock, pipe, queue, raw, record, rlock, rwlock, semaphore, stream, text, value,
}));
