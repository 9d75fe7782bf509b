// @ts-check
// Several ways to look at one thing, one of them shown.

import { h } from './element.js';

/** @typedef {{ name: string, element: HTMLElement, show?: () => void }} Tab `show`: it is seen now */

let made = 0;

/** @param {string} label @param {Tab[]} tabs */
export function tabs(label, tabs) {
  made += 1;
  const id = (/** @type {number} */ number) => `tab-${made}-${number}`;
  const buttons = tabs.map(({ name }, number) =>
    h('button', { type: 'button', role: 'tab', id: id(number), 'aria-controls': `${id(number)}-panel`, onclick: () => choose(number) }, name));
  const panels = tabs.map(({ element }, number) =>
    h('div', { role: 'tabpanel', id: `${id(number)}-panel`, 'aria-labelledby': id(number), class: 'tab-panel' }, element));
  let chosen = 0;

  /** @param {KeyboardEvent} event */
  function key(event) {
    const step = /** @type {Record<string, number>} */ ({ ArrowLeft: -1, ArrowRight: 1 })[event.key];
    if (!step) return;
    event.preventDefault();
    choose((chosen + step + tabs.length) % tabs.length);
    buttons[chosen].focus();
  }

  /** @param {number} number */
  function choose(number) {
    chosen = number;
    buttons.forEach((button, other) => {
      button.setAttribute('aria-selected', String(other === number));
      button.tabIndex = other === number ? 0 : -1;
      panels[other].hidden = other !== number;
    });
    tabs[number].show?.();
  }
  const element = h('div', { class: 'tabs' }, h('div', { role: 'tablist', 'aria-label': label, onkeydown: key }, buttons), panels);
  choose(0);
  return element;
}
