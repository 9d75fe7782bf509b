// @ts-check
// Another host, through the one that serves this page; and why this page is local or remote.

import { h } from '../element.js';
import { reasonOf } from '../frame.js';
import { t } from '../words.js';

/** @typedef {import('../connection.js').Via} Via */
/** @typedef {Omit<Via, 'token'>} Recent tokens are not kept */

const KEY = 'memlane-recent-hosts';
const MOST = 8;

/** @returns {Recent[]} */
function recent() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(kept) ? kept.filter((entry) => typeof entry?.host === 'string') : [];
  } catch {
    return [];
  }
}

/** @param {Recent[]} hosts */
function keep(hosts) {
  localStorage.setItem(KEY, JSON.stringify(hosts.slice(0, MOST)));
}

/** @param {import('../main.js').Context} context */
export function create({ connection, connectTo }) {
  const host = h('input', { id: 'far-host', name: 'host', required: true, placeholder: 'lab:7440', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'far-help' });
  const token = h('input', { id: 'far-token', name: 'token', type: 'password', required: true, autocomplete: 'off' });
  const tls = h('input', { type: 'checkbox', name: 'tls' });
  const fingerprint = h('input', { id: 'far-fingerprint', name: 'fingerprint', autocomplete: 'off', spellcheck: 'false', 'aria-describedby': 'fingerprint-help' });
  const list = h('ul', { class: 'recent' });
  const now = h('section', { class: 'card', 'aria-label': t('Now') });

  const form = h(
    'form',
    {
      class: 'card',
      onsubmit(/** @type {Event} */ event) {
        event.preventDefault();
        const sum = fingerprint.value.trim();
        const to = { host: host.value.trim(), ...((tls.checked || sum) && { tls: true }), ...(sum && { fingerprint: sum }) };
        keep([to, ...recent().filter((other) => other.host !== to.host)]);
        connectTo({ ...to, token: token.value.trim() });
      },
    },
    h('h2', null, t('Connect to another host')),
    h(
      'div',
      { class: 'fields' },
      h('label', { for: 'far-host' }, t('Host')), host, h('small', { id: 'far-help' }, t('Its name or address, and its port if that is not 7440')),
      h('label', { for: 'far-token' }, t('Token')), token,
      h('span'), h('label', { class: 'check' }, tls, t('Encrypted (TLS)')),
      h('label', { for: 'far-fingerprint' }, t('Fingerprint')), fingerprint, h('small', { id: 'fingerprint-help' }, t('Of a certificate that the host made itself')),
    ),
    h('div', { class: 'row actions' }, h('button', { type: 'submit', class: 'primary' }, t('Connect'))),
  );

  function showRecent() {
    const hosts = recent();
    list.replaceChildren(
      ...hosts.map((entry) => {
        const use = () => {
          host.value = entry.host;
          tls.checked = entry.tls === true;
          fingerprint.value = entry.fingerprint ?? '';
          token.focus();
        };
        const forget = () => {
          keep(recent().filter((other) => other.host !== entry.host));
          showRecent();
        };
        return h(
          'li',
          { class: 'row' },
          h('button', { class: 'mono', onclick: use }, entry.host),
          entry.tls ? h('span', { class: 'tag' }, 'TLS') : null,
          h('button', { class: 'plain', onclick: forget, 'aria-label': t('Forget {host}', { host: entry.host }) }, '×'),
        );
      }),
    );
    if (hosts.length === 0) list.append(h('li', { class: 'faint' }, t('None yet. Tokens are not kept.')));
  }

  function showNow() {
    const { hello, welcome, via, why, state } = connection;
    now.replaceChildren(
      h('h2', null, t('Now')),
      h(
        'p',
        { class: 'row' },
        h('span', { class: `badge ${via ? 'far' : ''}` }, welcome?.local ? t('local') : t('remote')),
        h('strong', null, via?.host ?? hello?.host ?? location.host),
        h('span', { class: 'faint mono' }, hello?.space ?? ''),
      ),
      state === 'open' ? h('p', null, reasonOf(connection)) : h('p', { class: 'fault' }, why?.message ?? t('There is no connection to the host')),
      h('p', { class: 'faint' }, t('A program on the host’s own machine maps the regions and is local; its client says so, and why, in “mode” and “why”. “memlane connect” tries it.')),
      via ? h('div', { class: 'row actions' }, h('button', { onclick: () => connectTo(null) }, t('Back to the host of this page'))) : '',
    );
  }

  connection.addEventListener('state', showNow);
  showNow();
  showRecent();
  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Connect'))),
    h('div', { class: 'cards' }, now, form, h('section', { class: 'card', 'aria-label': t('Recent hosts') }, h('h2', null, t('Recent hosts')), list)),
  );
  return { element, close: () => connection.removeEventListener('state', showNow) };
}
