// @ts-check
// What dead processes left behind, and damaged files: what `memlane doctor` finds, and puts right on demand.

import { confirm } from '../dialog.js';
import { h, setText } from '../element.js';
import { say, sayError } from '../notice.js';
import { guard } from '../padlock.js';
import { regionLinks, tag } from '../people.js';
import { Sheet } from '../sheet.js';
import { t } from '../words.js';

/** @param {import('../main.js').Context} context */
export function create({ connection }) {
  const sheet = new Sheet({
    label: t('Orphans'),
    columns: [{ title: t('Id'), style: 'id' }, { title: t('What to do') }, { title: t('Finding') }],
    empty: t('Nothing was left behind'),
  });
  const summary = h('span', { class: 'faint', role: 'status', 'aria-label': t('Findings') });
  const again = h('button', { onclick: () => look(false) }, t('Look again'));
  const clean = guard(h('button', { class: 'primary', onclick: cleanUp }, t('Clean up …')));
  let fixable = 0;

  /** @param {boolean} fix */
  async function look(fix) {
    again.disabled = true;
    try {
      const { ok } = await connection.request('doctor', fix ? { fix: true } : {});
      show(ok.findings);
      return ok.findings;
    } catch (error) {
      sayError(error);
    } finally {
      again.disabled = false;
    }
    return [];
  }

  /** @param {any[]} findings */
  function show(findings) {
    const left = findings.filter(({ fixed }) => !fixed).length;
    fixable = findings.filter((finding) => finding.fixable && !finding.fixed).length;
    setText(summary, left ? t('{n} findings, of which {fixable} can be cleaned up', { n: left, fixable }) : '');
    sheet.show(
      findings.map(({ id, problem, message, fixable: can, fixed }, index) => ({
        key: `${id} ${problem} ${message} ${index}`,
        cells: [
          id ? regionLinks([id]) : t('(the space)'),
          fixed ? tag(t('cleaned up'), 'green') : can ? tag(t('can be cleaned up'), 'amber') : tag(t('for a person to judge'), 'red'),
          message,
        ],
      })),
    );
  }

  async function cleanUp() {
    if (fixable === 0) return say(t('There is nothing to clean up'));
    const wanted = await confirm({
      title: t('Clean up?'),
      text: t('What nobody can miss is put away: {n} findings. What needs a person’s judgement stays.', { n: fixable }),
      action: t('Clean up'),
    });
    if (!wanted) return;
    const findings = await look(true);
    say(t('{n} cleaned up', { n: findings.filter((/** @type {any} */ finding) => finding.fixed).length }), 'good');
  }

  look(false);
  const element = h(
    'div',
    { class: 'view' },
    h('div', { class: 'head' }, h('h1', { tabindex: -1 }, t('Orphans')), summary, h('span', { class: 'grow' }), again, clean),
    h('p', { class: 'faint' }, t('What dead processes left behind, and damaged files. Nothing of it stops anybody.')),
    sheet.element,
  );
  return { element, close() {} };
}
