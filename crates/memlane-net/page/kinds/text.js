// @ts-check
// A text to edit. What others write shows at once, unless a person has typed: then both versions are kept until that
// person has chosen. Every write names the version that it was made from.

import { h } from '../element.js';
import { merge } from '../merge.js';
import { say } from '../notice.js';
import { guard, padlock } from '../padlock.js';
import { Pane, tell } from '../pane.js';
import { parse } from '../schema.js';
import { number, t } from '../words.js';

/** Looks a second. */
const RATE = 10;

/** @typedef {{ version: number, content: string }} Seen */

/** @param {import('../pane.js').Context} context @returns {import('../pane.js').View} */
export function create(context) {
  const pane = new Pane(context);
  const most = parse(context.document.schema).type.size;
  /** What the editor's text was made from. @type {Seen | null} */
  let base = null;
  /** @type {Seen | null} */
  let newest = null;
  let isSaving = false;

  const editor = /** @type {HTMLTextAreaElement} */ (
    h('textarea', { class: 'editor', 'aria-label': t('Text'), spellcheck: 'false', rows: '16', oninput: () => show(), onkeydown: (/** @type {KeyboardEvent} */ event) => key(event) })
  );
  const save = /** @type {HTMLButtonElement} */ (h('button', { type: 'button', class: 'primary', onclick: () => write() }, t('Save')));
  const revert = h('button', { type: 'button', hidden: true, onclick: () => newest && take(newest) }, t('Discard my changes'));
  const counter = h('output', { class: 'counter', 'aria-label': t('Size') });
  const state = h('span', { class: 'quiet', role: 'status' });
  const banner = h('section', { class: 'conflict', 'aria-label': t('Conflict'), hidden: true });
  guard(save);
  // Before there is a content, nothing can be kept of what is typed; a sentence that was begun can be ended.
  const lock = () => {
    editor.readOnly = base === null || (padlock.locked && !isDirty());
    editor.title = padlock.reason ?? '';
  };
  padlock.addEventListener('change', lock);
  pane.onClose(() => padlock.removeEventListener('change', lock));

  const isDirty = () => base !== null && editor.value !== unix(base.content);
  const isConflict = () => isDirty() && newest !== null && base !== null && newest.version !== base.version;

  /** @param {KeyboardEvent} event */
  function key(event) {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== 's') return;
    event.preventDefault();
    if (padlock.locked) say(padlock.reason ?? '', 'bad');
    else write();
  }

  /** The editor's text, with the line ends that the region has. */
  function typed() {
    const isWindows = base !== null && /\r\n/.test(base.content) && !/[^\r]\n|\r(?!\n)|^\n/.test(base.content);
    return isWindows ? editor.value.replaceAll('\n', '\r\n') : editor.value;
  }

  /** @param {Seen} seen */
  function see(seen) {
    newest = seen;
    if (!base || !isDirty() || unix(seen.content) === editor.value) take(seen);
    else if (seen.version === base.version || seen.content === base.content) (base = seen), show();
    else show();
  }

  /** @param {Seen} seen */
  function take(seen) {
    base = seen;
    const content = unix(seen.content);
    if (editor.value !== content) {
      const { selectionStart, selectionEnd, scrollTop } = editor;
      editor.value = content;
      editor.setSelectionRange(selectionStart, selectionEnd);
      editor.scrollTop = scrollTop;
    }
    show();
  }

  async function write() {
    if (!base || isSaving) return;
    if (isConflict()) return say(t('The text was changed meanwhile: choose first'), 'bad');
    await put(base.version);
  }

  /** @param {number} version that it replaces */
  async function put(version) {
    const content = typed();
    isSaving = true;
    show();
    try {
      const { ok } = await context.connection.request('write', { id: context.id, if_version: version }, new TextEncoder().encode(content));
      base = { version: /** @type {any} */ (ok).version, content };
      if (!newest || newest.version < base.version) newest = base;
      say(t('Saved as version {n}', { n: number(base.version) }), 'good');
    } catch (error) {
      const { code, fields } = /** @type {any} */ (error);
      if (code === 'conflict') see({ version: fields.version, content: fields.content });
      else tell(error);
    }
    isSaving = false;
    show();
  }

  let banneredVersion = -1;
  function show() {
    const size = new TextEncoder().encode(typed()).length;
    counter.textContent = t('{n} of {most} bytes', { n: number(size), most: number(most) });
    counter.classList.toggle('over', size > most);
    const dirty = isDirty();
    save.classList.toggle('waiting', dirty);
    save.setAttribute('aria-disabled', String(!dirty || size > most || isSaving));
    revert.hidden = !dirty;
    state.textContent = base ? (dirty ? t('changed, not saved; made from version {n}', { n: number(base.version) }) : t('version {n}', { n: number(base.version) })) : t('reading …');
    lock();
    const conflict = isConflict();
    banner.hidden = !conflict;
    editor.classList.toggle('conflicting', conflict);
    if (!conflict) banneredVersion = -1;
    else if (newest && newest.version !== banneredVersion) drawBanner(newest);
    else if (conflict) /** @type {HTMLElement} */ (banner.querySelector('.mine pre')).textContent = editor.value;
  }

  /** @param {Seen} theirs */
  function drawBanner(theirs) {
    banneredVersion = theirs.version;
    const side = (/** @type {string} */ name, /** @type {string} */ title, /** @type {string} */ content) =>
      h('div', { class: `side ${name}` }, h('h4', {}, title), h('pre', { tabindex: '0', 'aria-label': title }, content));
    const keep = h('button', { type: 'button', class: 'danger', onclick: () => put(theirs.version) }, t('Keep mine'));
    const mergeThem = h('button', { type: 'button', onclick: () => mix(theirs) }, t('Edit a merge'));
    guard(keep);
    banner.replaceChildren(
      h('p', { role: 'alert' }, t('The text was changed while you were typing: version {n} is there now. Nothing was lost; choose.', { n: number(theirs.version) })),
      h('div', { class: 'sides' }, side('mine', t('Mine'), editor.value), side('theirs', t('Theirs'), theirs.content)),
      h('div', { class: 'toolbar' }, keep, h('button', { type: 'button', onclick: () => take(theirs) }, t('Take theirs')), mergeThem),
    );
  }

  /** @param {Seen} theirs */
  function mix(theirs) {
    editor.value = merge(unix(base?.content ?? ''), editor.value, unix(theirs.content));
    base = theirs;
    show();
    editor.focus();
    say(editor.value.includes('<<<<<<< mine') ? t('Both changed the same lines: they are marked in the editor. Edit them, then save.') : t('Both changes are in the editor. Look, then save.'));
  }

  pane.keep('', () => (base && isDirty() ? { base, text: editor.value } : null), (draft) => {
    base = draft.base;
    editor.value = draft.text;
  });
  pane.add(
    banner,
    editor,
    h('div', { class: 'toolbar' }, save, revert, counter, state, h('span', { class: 'quiet key-hint' }, t('Ctrl+S saves'))),
  );
  pane.follow(() => ({ form: 'json', rate: RATE }), ({ version, content }) => see({ version, content }));
  show();
  return pane;
}

/** As an editor of a browser has it. @param {string} content */
function unix(content) {
  return content.replace(/\r\n?/g, '\n');
}
