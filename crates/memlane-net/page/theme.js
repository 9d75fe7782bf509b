// @ts-check
// Light, dark, or as the system has it.

const KEY = 'memlane-theme';
const THEMES = /** @type {const} */ (['system', 'light', 'dark']);

/** @typedef {typeof THEMES[number]} Theme */

/** @returns {Theme} */
export function theme() {
  return THEMES.find((name) => name === localStorage.getItem(KEY)) ?? 'system';
}

export function nextTheme() {
  localStorage.setItem(KEY, THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length] ?? 'system');
  apply();
}

function apply() {
  const chosen = theme();
  if (chosen === 'system') document.documentElement.removeAttribute('data-theme');
  else document.documentElement.dataset.theme = chosen;
}

apply();
