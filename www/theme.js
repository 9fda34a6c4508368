/** Light or dark, the reader's language, and remembering both where the browser lets us. */

import { $ } from "./dom.js";

const DARK = matchMedia("(prefers-color-scheme: dark)");

export const remembered = (key) => {
  try {
    return localStorage.getItem(`unnoise.${key}`);
  } catch {
    return null; // storage is forbidden: the choice lasts as long as the page
  }
};

export const remember = (key, value) => {
  try {
    localStorage.setItem(`unnoise.${key}`, value);
  } catch {
    // As above.
  }
};

const worn = () => document.documentElement.dataset.theme ?? (DARK.matches ? "dark" : "light");

/** Says on the button which theme is worn. */
const tell = () => $("theme").setAttribute("aria-pressed", String(worn() === "dark"));

/** Wears the remembered theme; without one, the style sheet follows the system. */
export function dress() {
  const theme = remembered("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  DARK.addEventListener("change", tell);
  tell();
}

/** Changes to the other theme. */
export function flip() {
  document.documentElement.dataset.theme = worn() === "dark" ? "light" : "dark";
  remember("theme", worn());
  tell();
}
