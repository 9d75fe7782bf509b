// @ts-check
// The host that this page talks to: how it stands, whether others reach it, and who is connected.

import { copyable } from '../copy.js';
import { ask } from '../dialog.js';
import { h, setText } from '../element.js';
import { reasonOf } from '../frame.js';
import { say, sayError } from '../notice.js';
import { guard, padlock } from '../padlock.js';
import { tag } from '../people.js';
import { poll } from '../poll.js';
import { Sheet } from '../sheet.js';
import { bytes, duration, number, t } from '../words.js';

/** In milliseconds. */
const PERIOD = 1000;

/** @param {import('../main.js').Context} context */
export function create({ connection }) {
  const facts = h('dl', { class: 'facts' });
  const sharing = h('section', { class: 'card', 'aria-label': t('Sharing') });
  const fault = h('p', { role: 'alert', class: 'fault' });
  const clients = new Sheet({
    label: t('Clients'),
    columns: [
      { title: t('Client') },
      { title: t('From') },
      { title: t('Session') },
      { title: t('Access') },
      { title: t('Place') },
      { title: t('State') },
      { title: t('Leases'), style: 'number' },
    ],
    empty: t('Nobody is connected'),
  });
  /** The code as an image: its text is never part of this page. @type {string | null} */
  let picture = null;
  let shown = '';
  const unshared = h('p', { class: 'faint' }, t('Loading …'));
  const unlocked = h('input', { type: 'checkbox', checked: padlock.opensUnlocked, onchange: () => (padlock.opensUnlocked = unlocked.checked) });

  const polled = poll(
    connection,
    PERIOD,
    async () => {
      const [{ ok: status }, share] = await Promise.all([connection.request('status'), connection.request('sharing').catch((/** @type {Error} */ error) => setText(unshared, error.message))]);
      showFacts(status);
      clients.show(status.clients.map(clientRow));
      if (share) showSharing(share.ok);
    },
    (why) => setText(fault, why ?? ''),
  );

  /** @param {any} status */
  function showFacts(status) {
    const { hello, welcome } = connection;
    /** @type {[string, string][]} */
    const all = [
      [t('Host'), hello.host],
      [t('Space'), hello.space],
      [t('Version'), `memlane ${hello.memlane}`],
      [t('Up for'), duration(status.uptime)],
      [t('This page'), `${welcome.local ? t('local') : t('remote')}. ${reasonOf(connection)}`],
      [t('May'), connection.writable ? t('look and change') : t('look only')],
      [t('Sessions'), number(status.sessions)],
      [t('Connections'), number(status.connections)],
      [t('Subscriptions'), number(status.subscriptions)],
      [t('Leases'), number(status.leases)],
      ...['sent', 'received'].flatMap((way) => /** @type {[string, string][]} */ (status[`bytes_${way}`] === undefined ? [] : [[way === 'sent' ? t('Sent') : t('Received'), bytes(status[`bytes_${way}`])]])),
    ];
    all.forEach(([name, value], index) => {
      const dd = facts.children[2 * index + 1];
      if (dd) setText(dd, value);
      else facts.append(h('dt', null, name), h('dd', null, value));
    });
  }

  /** @param {any} state what `sharing` answers */
  function showSharing(state) {
    const is = JSON.stringify(state);
    if (is === shown) return;
    shown = is;
    if (picture) URL.revokeObjectURL(picture);
    picture = state.qr ? URL.createObjectURL(new Blob([state.qr], { type: 'image/svg+xml' })) : null;
    const { shared } = state;
    const held = document.activeElement instanceof HTMLElement && sharing.contains(document.activeElement) ? document.activeElement.getAttribute('aria-label') : null;
    sharing.replaceChildren(
      h('h2', null, t('Sharing')),
      h('p', null, shared ? t('Other machines reach this host.') : t('Only this machine reaches this host.')),
      shared ? offered(t('For a browser'), shared.url, hidden(shared.url)) : offered(t('Address'), state.url, hidden(state.url)),
      shared ? offered(t('Address'), shared.reach) : '',
      shared?.fingerprint ? offered(t('Fingerprint'), shared.fingerprint) : '',
      state.read_write ? offered(t('Token to change'), state.read_write, '••••••••') : '',
      state.read_only ? offered(t('Token to look'), state.read_only, '••••••••') : '',
      offered(t('Instance'), connection.hello.instance),
      picture ? h('div', null, h('img', { class: 'qr', src: picture, alt: t('The address as a QR code') })) : '',
      h(
        'div',
        { class: 'row actions' },
        guard(shared ? h('button', { class: 'danger', onclick: stop }, t('Stop sharing')) : h('button', { class: 'primary', onclick: start }, t('Start sharing …'))),
      ),
    );
    if (held) for (const button of sharing.querySelectorAll('button')) if (button.getAttribute('aria-label') === held) button.focus();
  }

  async function start() {
    const listen = h('input', { id: 'share-listen', name: 'listen', placeholder: '0.0.0.0:7440', spellcheck: 'false' });
    const tls = h('input', { type: 'checkbox', name: 'tls' });
    await ask({
      title: t('Start sharing?'),
      text: t('Whoever has a token can then reach these regions from other machines. Without encryption, tokens and data can be read on the way.'),
      content: h('div', { class: 'fields' }, h('label', { for: 'share-listen' }, t('Listen at')), listen, h('span'), h('label', { class: 'check' }, tls, t('Encrypt (TLS)'))),
      action: t('Start sharing'),
      async submit() {
        const { ok } = await connection.request('share', { ...(listen.value.trim() && { listen: listen.value.trim() }), tls: tls.checked });
        showSharing(ok);
        say(t('Other machines reach this host now'), 'good');
      },
    });
  }

  async function stop() {
    try {
      const { ok } = await connection.request('unshare');
      showSharing(ok);
      say(t('Only this machine reaches this host now'), 'good');
    } catch (error) {
      sayError(error);
    }
  }

  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Host'))),
    fault,
    h('div', { class: 'cards' }, h('section', { class: 'card', 'aria-label': t('Status') }, h('h2', null, t('Status')), facts, h('p', null, h('label', { class: 'check' }, unlocked, t('Open the page unlocked in this browser')))), sharing),
    h('h2', null, t('Clients')),
    clients.element,
  );
  sharing.append(h('h2', null, t('Sharing')), unshared);
  return {
    element,
    close() {
      polled.close();
      if (picture) URL.revokeObjectURL(picture);
    },
  };
}

/** @param {string} what @param {string} text @param {string} [shown] */
function offered(what, text, shown) {
  return h('div', { class: 'offered' }, h('span', { class: 'faint' }, what), copyable(text, what, shown));
}

/** The address without its token: people look over shoulders. @param {string} url */
function hidden(url) {
  return url.replace(/#token=.*/, '#token=••••••••');
}

/** @param {any} client @returns {import('../sheet.js').Row} */
function clientRow({ session, client, from, access, local, why, away, leases }) {
  const state = away === null || away === undefined ? tag(t('connected'), 'green') : tag(t('away for {time}', { time: duration(away) }), 'amber');
  return { key: session, cells: [client, from, session, access, `${local ? t('local') : t('remote')}: ${why}`, state, number(leases)] };
}
