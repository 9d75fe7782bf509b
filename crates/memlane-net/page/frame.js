// @ts-check
// What stays around every view: where one is, how the connection stands, the padlock, language and theme.

import { h, setText } from './element.js';
import { padlock } from './padlock.js';
import { nextTheme, theme } from './theme.js';
import { language, setLanguage, t } from './words.js';

/** @typedef {import('./connection.js').Connection} Connection */

/** Routes and their names. */
const LINKS = [
  ['regions', 'Regions'],
  ['participants', 'Participants'],
  ['locks', 'Lock graph'],
  ['host', 'Host'],
  ['connect', 'Connect'],
  ['log', 'Log'],
  ['orphans', 'Orphans'],
  ['foreign', 'Foreign'],
];

export class Frame {
  main = h('main', { id: 'main' });
  #place = h('span', { class: 'place' });
  #badge = h('a', { class: 'badge', href: '#/connect' });
  #status = h('div', { class: 'status', role: 'status' });
  #lock = h('button', { class: 'padlock', onclick: () => padlock.toggle() });
  #links = h('ul');
  #view = '';
  /** @type {Connection | null} */
  #connection = null;
  #root = h('div', { class: 'page' });

  constructor() {
    padlock.addEventListener('change', () => this.#showPadlock());
    document.body.prepend(this.#root);
    this.replace();
  }

  /** Makes everything again, in another language. */
  replace() {
    const other = language() === 'en' ? 'zh' : 'en';
    this.#links.replaceChildren(
      ...LINKS.map(([route, name]) => h('li', null, h('a', { href: `#/${route}`, 'data-view': route }, t(name ?? '')))),
    );
    const themed = h('button', {
      class: 'theme plain',
      onclick: () => {
        nextTheme();
        showTheme();
      },
    });
    const showTheme = () => {
      const words = { system: t('Theme: as the system'), light: t('Theme: light'), dark: t('Theme: dark') }[theme()];
      themed.title = words;
      themed.setAttribute('aria-label', words);
      themed.textContent = { system: '◐', light: '☀', dark: '☾' }[theme()];
    };
    showTheme();
    this.#status.setAttribute('aria-label', t('Connection'));
    const languages = h(
      'button',
      { class: 'plain', lang: other === 'zh' ? 'zh-Hans' : 'en', onclick: () => setLanguage(other) },
      other === 'zh' ? '中文' : 'English',
    );
    const skip = () => (this.main.querySelector('h1') ?? this.main).focus();
    this.#root.replaceChildren(
      h('button', { class: 'skip', onclick: skip }, t('Skip to the content')),
      h(
        'header',
        null,
        h('a', { class: 'brand', href: '#/regions' }, 'memlane'),
        h('div', { class: 'where' }, this.#place, this.#badge),
        this.#status,
        h('div', { class: 'tools' }, this.#lock, languages, themed),
      ),
      h('nav', { 'aria-label': t('Views') }, this.#links),
      this.main,
    );
    this.#badge.title = '';
    this.mark(this.#view);
    this.tell(this.#connection);
  }

  /** @param {string} view the one that is shown */
  mark(view) {
    this.#view = view;
    for (const link of this.#links.querySelectorAll('a')) {
      if (link.dataset.view === view) {
        link.setAttribute('aria-current', 'page');
        link.scrollIntoView({ block: 'nearest', inline: 'nearest' });
        document.title = `${link.textContent} · memlane`;
      } else {
        link.removeAttribute('aria-current');
      }
    }
  }

  /** @param {Connection | null} connection */
  tell(connection) {
    this.#connection = connection;
    const { hello, welcome, via } = connection ?? {};
    setText(this.#place, hello && connection?.isThere ? `${hello.host} · ${hello.space}` : '');
    this.#place.title = this.#place.textContent ?? '';
    this.#badge.hidden = !welcome && !via;
    this.#badge.className = `badge ${via ? 'far' : ''}`;
    const place = !welcome ? '' : welcome.local ? t('local') : via ? t('remote, via {host}', { host: via.host }) : t('remote');
    const reason = welcome ? reasonOf(connection) : '';
    if (this.#badge.title !== reason || !place) {
      this.#badge.replaceChildren(place || t('via {host}', { host: via?.host ?? '' }), h('span', { class: 'unseen' }, reason && ` (${reason})`));
      this.#badge.title = reason;
    }
    const [tone, words] = inWords(connection);
    setText(this.#status, words);
    this.#status.className = `status ${tone}`;
    this.#showPadlock();
  }

  #showPadlock() {
    const { locked, obstacle } = padlock;
    this.#lock.replaceChildren(
      h('span', { 'aria-hidden': 'true', class: `bolt ${locked ? 'shut' : 'open'}` }),
      locked ? t('Unlock') : t('Lock'),
    );
    this.#lock.disabled = obstacle !== null || !this.#connection;
    this.#lock.title = padlock.reason ?? t('Changes are possible. Lock, and nothing is changed by mistake');
    this.#lock.classList.toggle('unlocked', !locked);
  }
}

/** Why the page is local or remote. @param {Connection | null} connection */
export function reasonOf(connection) {
  const { welcome, via } = connection ?? {};
  if (via) return t('A browser reaches it through the host that serves this page: {why}', { why: welcome?.why ?? '' });
  return t('A page reads through its host, as a browser cannot map memory: {why}', { why: welcome?.why ?? '' });
}

/** @param {Connection | null} connection @returns {[string, string]} a tone and words */
function inWords(connection) {
  const why = connection?.why;
  switch (connection?.state) {
    case 'open':
      return ['green', connection.writable ? t('Connected') : t('Connected, read-only')];
    case 'connecting':
      return ['amber', connection.welcome ? t('Reconnecting …') : t('Connecting …')];
    case 'lost':
      if (why?.code === 'unreachable') return ['amber', t('Not reachable, trying again: {why}', { why: why.message })];
      return ['amber', why ? t('Lost, trying again: {why}', { why: why.message }) : t('Connection lost, trying again …')];
    case 'refused':
      return ['red', t('Refused: {why}', { why: why?.message ?? '' })];
    default:
      return ['grey', t('Not connected')];
  }
}
