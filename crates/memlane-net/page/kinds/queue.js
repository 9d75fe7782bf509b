// @ts-check
// A queue: how full it is and was, the messages that come next, and one to put.

import { confirm } from '../dialog.js';
import { h } from '../element.js';
import { list } from '../locking.js';
import { say } from '../notice.js';
import { guard } from '../padlock.js';
import { Pane, facts, part } from '../pane.js';
import { Plot } from '../plot.js';
import { brief } from '../scale.js';
import { fromHex } from '../scalar.js';
import { Track } from '../track.js';
import { bytes, number, t } from '../words.js';

/** Seconds of the plot, and looks that are kept. */
const WINDOW = 60;
const KEPT = 4096;
/** Messages that are shown, and how much of one. */
const PEEKED = 20;
const SHOWN = 4096;
/** Milliseconds between two looks at the messages. */
const LOOK = 400;
/** Seconds to wait for room. */
const PATIENCE = 3;

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const track = new Track(1, KEPT);
  /** @type {any} */
  let state = context.document.state;
  let isNew = true;
  const standing = h('div', { class: 'standing', role: 'status', 'aria-label': t('State') });
  const gauge = h('meter', { class: 'gauge', min: 0, 'aria-label': t('Bytes used') });
  const about = h('div', {});
  const leases = h('div', {});
  const messages = h('ol', { class: 'messages', 'aria-label': t('Messages that come next') });
  const plot = new Plot({
    label: t('Depth over time'), height: 140, traces: [{ name: t('messages'), channel: 0, colour: 1, unit: '', shown: true }],
    isAgo: true, xText: (x) => t('{n} s', { n: brief(Number((x - performance.now() / 1000).toFixed(1)), 3) }),
  });

  const draw = pane.repaint(() => {
    const x1 = performance.now() / 1000;
    const x0 = x1 - WINDOW;
    const from = track.find(x0);
    let most = 1;
    for (let at = from; at < track.end; at += 1) most = Math.max(most, track.ys[0][at]);
    plot.draw(track, { x0, x1, y0: 0, y1: most * 1.08 });
    plot.describe(t('{n} messages now, at most {most} in the last minute', { n: number(state.length), most: number(most) }));
  });

  function note() {
    track.ys[0][track.add(performance.now() / 1000)] = state.length;
    draw();
  }

  function show() {
    const { length, put, used, capacity, messages_at_most: most, closed, acknowledged } = state;
    standing.replaceChildren(
      h('span', { class: 'big' }, number(length)), h('span', { class: 'quiet' }, length === 1 ? t('message') : t('messages')),
      closed ? h('span', { class: 'tag amber' }, t('closed')) : '',
    );
    gauge.max = capacity;
    gauge.value = used;
    about.replaceChildren(facts(
      [t('Used'), t('{used} of {capacity}', { used: bytes(used), capacity: bytes(capacity) })],
      [t('Put so far'), number(put)],
      ...(most ? [/** @type {[string, string]} */ ([t('Messages at most'), number(most)])] : []),
      ...(acknowledged ? [/** @type {[string, string]} */ ([t('Taken'), t('to be acknowledged')])] : []),
    ));
    leases.replaceChildren(...(acknowledged ? [list(t('Taken and not acknowledged'), state.leases, t('Nobody'))] : []));
    close.hidden = closed;
  }

  async function peek() {
    if (!isNew) return;
    isNew = false;
    const answer = await context.connection.request('peek', { id: context.id, most: PEEKED });
    if (pane.closed) return;
    let start = 0;
    const rows = /** @type {any} */ (answer.ok).messages.map((/** @type {any} */ message) => {
      const content = answer.payload.subarray(start, (start += message.length));
      return h('li', {}, h('span', { class: 'tag' }, message.tag), h('span', { class: 'quiet' }, bytes(message.length)),
        message.redelivered ? h('span', { class: 'tag amber' }, t('given again')) : null, h('pre', {}, textOf(message.tag, content)));
    });
    messages.replaceChildren(...(rows.length ? rows : [h('li', { class: 'quiet' }, t('There is none.'))]));
  }

  const tag = h('select', { 'aria-label': t('Kind of message') }, ['utf-8', 'json', 'bytes'].map((name) => h('option', { value: name }, name)));
  const content = h('textarea', { class: 'editor', rows: 3, spellcheck: 'false', 'aria-label': t('Message') });
  const send = guard(h('button', { type: 'submit', class: 'primary' }, t('Put')));
  const close = guard(h('button', { type: 'button', class: 'danger', onclick: () => closeIt() }, t('Close the queue')));

  pane.keep('', () => (content.value ? { tag: tag.value, text: content.value } : null), (draft) => {
    tag.value = draft.tag;
    content.value = draft.text;
  });

  /** @param {SubmitEvent} event */
  async function put(event) {
    event.preventDefault();
    try {
      const payload = encoded(tag.value, content.value);
      if (await pane.ask('put', { tag: tag.value, timeout: PATIENCE }, payload)) (say(t('Put'), 'good'), (content.value = ''));
    } catch (error) {
      say(/** @type {Error} */ (error).message, 'bad');
    }
  }

  async function closeIt() {
    const text = t('Nobody can put anything into it after that; what is in it can still be taken. It is never opened again.');
    if (await confirm({ title: t('Close {id}?', { id: context.id }), text, action: t('Close the queue'), danger: true })) await pane.ask('close');
  }

  pane.add(
    standing, gauge, part(t('Depth over time'), plot.element),
    h('div', { class: 'columns' },
      h('div', {}, part(t('Queue'), about), leases, part(t('Put a message'), h('form', { class: 'stack', onsubmit: put }, h('div', { class: 'toolbar' }, tag, send, close), content))),
      part(t('Messages that come next'), messages)),
  );
  show();
  pane.follow(() => ({}), (header) => {
    state = header.content;
    isNew = true;
    show();
    note();
  });
  pane.every(500, note);
  pane.poll(LOOK, peek);
  return pane;
}

/** A message for people; of bytes their digits. A pickle is never looked into. @param {string} tag @param {Uint8Array} content */
function textOf(tag, content) {
  const shown = content.subarray(0, SHOWN);
  const more = shown.length < content.length ? '…' : '';
  const digits = () => Array.from(shown.subarray(0, 256), (byte) => byte.toString(16).padStart(2, '0')).join(' ') + (content.length > 256 ? ' …' : '');
  if (tag === 'pickle' || tag === 'bytes') return digits();
  const text = new TextDecoder().decode(shown) + more;
  try {
    return tag === 'json' && !more ? JSON.stringify(JSON.parse(text), null, 2) : text;
  } catch {
    return text;
  }
}

/** @param {string} tag @param {string} typed */
function encoded(tag, typed) {
  if (tag === 'json') JSON.parse(typed);
  if (tag !== 'bytes') return new TextEncoder().encode(typed);
  const digits = typed.replace(/\s|0x/g, '');
  if (!/^([0-9a-f]{2})*$/i.test(digits)) throw new RangeError(t('Write two hexadecimal digits for each byte'));
  return fromHex(digits);
}
