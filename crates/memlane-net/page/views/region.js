// @ts-check
// A region: what is common to all kinds, and below it what its kind shows and lets one do.

import { stateName } from '../columns.js';
import { copyable, copy } from '../copy.js';
import { deleteRegion } from '../delete.js';
import { h, setText } from '../element.js';
import { KINDS } from '../kinds.js';
import { Rows, folderOf, toneOf } from '../model.js';
import { guard } from '../padlock.js';
import { processTag } from '../people.js';
import { poll } from '../poll.js';
import { Sheet } from '../sheet.js';
import { typed } from '../typed.js';
import { bytes, duration, moment, number, secondsSince, t } from '../words.js';

/** @typedef {import('../main.js').Context} Context */

/** Between looks at the participants, in milliseconds; their number is watched. */
const PERIOD = 2000;
/** A document comes with its content: larger ones are asked for only when participants came or went. In bytes. */
const LARGE = 64 * 1024;

/** @param {Context} context @param {string} id */
export function create({ connection }, id) {
  const body = h('div', { class: 'view' }, h('p', { class: 'empty' }, t('Loading …')));
  const gone = h('p', { role: 'alert', class: 'fault' });
  const kind = h('span', { class: 'tag' });
  const state = h('span', { class: 'tag' });
  const about = h('p', { class: 'faint about' });
  const line = h('dl', { class: 'vitals' });
  const rest = h('div', { class: 'view' });
  const folder = folderOf(id);
  const remove = guard(h('button', { class: 'danger', onclick: () => deleteRegion(connection, id).then((done) => done && (location.hash = '#/regions')) }, t('Delete …')));
  const element = h(
    'div',
    { class: 'view' },
    h(
      'div',
      { class: 'head' },
      h('a', { class: 'button', href: '#/regions', 'aria-label': t('Back to the regions') }, '←'),
      h('h1', { tabindex: -1, class: 'mono' }, folder ? h('span', { class: 'faint' }, `${folder}/`) : null, id.slice(folder ? folder.length + 1 : 0)),
      kind, state, h('span', { class: 'grow' }),
      h('button', { onclick: () => copy(id) }, t('Copy id')),
      remove,
    ),
    gone, about, line, h('h2', { class: 'unseen' }, t('Content')), body, rest,
  );
  /** @type {{element: HTMLElement, close(): void} | null} */
  let detail = null;
  let closed = false;
  /** Of the region that is shown, or that could not be: another one can come under its id. */
  let uuid = '';
  let opening = false;
  let isLarge = false;
  /** Participants came or went since the last look. */
  let isNew = false;
  let there = '';
  const participants = participantSheet();

  const rows = new Rows(connection, [id]);
  rows.addEventListener('change', () => {
    const row = rows.byId.get(id);
    if (!row) {
      if (rows.known && uuid) setText(gone, t('There is no region {id} any more', { id }));
      return;
    }
    setText(gone, row.error ?? '');
    setText(state, stateName(row.state));
    state.className = `tag ${toneOf(row.state)}`;
    showVitals(row);
    const now = `${row.alive} ${row.dead}`;
    if (now !== there) {
      isNew = true;
      looking.now();
    }
    there = now;
    if (row.uuid && row.uuid !== uuid && !opening) {
      uuid = row.uuid;
      open();
    }
  });

  /** @param {import('../model.js').Row} row */
  function showVitals(row) {
    /** @type {[string, string][]} */
    const vitals = [
      [t('Rate'), row.rate ? t('{n} Hz', { n: number(row.rate) }) : '–'],
      [t('Bytes/s'), row.bytes_per_second ? `${bytes(row.bytes_per_second)}/s` : '–'],
      [t('Age'), row.changed_at ? duration(secondsSince(row.changed_at)) : '–'],
      [t('Version'), number(row.version ?? 0)],
      [t('Writer'), row.writer ?? '–'],
      [t('Readers'), number(row.readers ?? 0)],
      [t('Lock holder'), row.lock_holder ?? '–'],
    ];
    vitals.forEach(([name, value], index) => {
      const shown = line.children[index]?.lastElementChild;
      if (shown) setText(shown, value);
      else line.append(h('div', null, h('dt', null, name), h('dd', null, value)));
    });
  }

  async function open() {
    opening = true;
    try {
      await show();
    } catch (error) {
      if (!closed) body.replaceChildren(h('p', { role: 'alert', class: 'fault' }, error instanceof Error ? error.message : String(error)));
    }
    opening = false;
  }

  async function show() {
    const { ok: document } = await connection.request('describe', { id });
    if (closed) return;
    uuid = document.uuid;
    isLarge = document.content !== null && document.size > LARGE;
    setText(kind, document.kind);
    setText(about, document.note ?? '');
    about.hidden = !document.note;
    detail?.close();
    const ofKind = KINDS.get(document.kind) ?? plain;
    const shown = ofKind({ connection, id, document });
    detail = shown;
    body.replaceChildren(shown.element);
    rest.replaceChildren(
      folding(t('Participants'), participants.element, true),
      folding(t('Facts'), factsOf(document), false),
      folding(t('Commands to type'), h('div', { class: 'view' }, typed(document, connection.hello.space).map(([what, text]) => h('div', { class: 'offered' }, h('span', { class: 'faint' }, what), copyable(text, what)))), false),
    );
    participants.show(document.participants.map(participantRow));
    isNew = false;
  }

  // What fails here is told where the region itself is shown.
  const looking = poll(connection, PERIOD, look, () => {});
  async function look() {
    if (!uuid || (isLarge && !isNew)) return;
    isNew = false;
    const { ok } = await connection.request('describe', { id });
    participants.show(ok.participants.map(participantRow));
  }

  open();
  rows.follow();
  return {
    element,
    close() {
      closed = true;
      looking.close();
      rows.close();
      detail?.close();
    },
  };
}

/** @param {string} title @param {Node} content @param {boolean} open */
function folding(title, content, open) {
  return h('details', { class: 'card', open }, h('summary', null, h('h2', null, title)), content);
}

/** @param {any} document */
function factsOf(document) {
  const { creator, file } = document;
  /** @type {[string, string | null | undefined][]} */
  const facts = [
    [t('Kind'), document.kind],
    [t('Schema'), document.schema],
    [t('Size'), `${bytes(document.size)} (${number(document.size)})`],
    [t('Created'), t('{moment} by {program}, pid {pid}', { moment: moment(document.created), program: creator?.program || '?', pid: creator?.pid ?? '?' })],
    [t('File'), file && `${file.path}, ${file.mode ?? ''} ${file.owner ?? ''}`],
    [t('UUID'), document.uuid],
    [t('Participants at most'), number(document.participants_at_most)],
    [t('Note'), document.note],
  ];
  return h('dl', { class: 'facts' }, facts.flatMap(([name, value]) => (value ? [h('dt', null, name), h('dd', { class: 'mono' }, value)] : [])));
}

function participantSheet() {
  return new Sheet({
    label: t('Participants'),
    columns: [{ title: t('Program') }, { title: t('Pid'), style: 'number' }, { title: t('State') }, { title: t('Attached'), style: 'number' }, { title: t('Slot'), style: 'number' }, { title: t('Waits for') }],
    empty: t('No process is attached'),
  });
}

/** @param {any} who @returns {import('../sheet.js').Row} */
function participantRow({ pid, program, process, slot, generation, alive, state, attached, waits }) {
  const waiting = waits.map((/** @type {any} */ wait) => t('{what} for {time}', { what: wait.what, time: duration(wait.seconds) }));
  return {
    key: `${process} ${slot} ${generation}`,
    tone: alive ? '' : 'red',
    cells: [program || '?', String(pid || ''), processTag({ state, alive }), moment(attached), `${slot}.${generation}`, waiting.join('; ')],
  };
}

/** A kind that this page does not know yet: how it stands, as a document. @param {{document: any}} context */
function plain({ document }) {
  const shown = document.content ?? document.state ?? document.frames ?? document.lock;
  return { element: h('pre', { class: 'card', tabindex: 0 }, JSON.stringify(shown, null, 2)), close() {} };
}
