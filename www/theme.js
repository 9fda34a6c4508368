/** Light or dark, the reader's language, and remembering both where the browser lets us. */

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

/** Wears the remembered theme; without one, the style sheet follows the system. */
export function dress() {
  const theme = remembered("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}

/** Changes to the other theme. */
export function flip() {
  const now = document.documentElement.dataset.theme ?? (DARK.matches ? "dark" : "light");
  document.documentElement.dataset.theme = now === "dark" ? "light" : "dark";
  remember("theme", document.documentElement.dataset.theme);
}
