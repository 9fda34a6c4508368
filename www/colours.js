/** The colours of the theme on show, as canvases want them. */

const probe = document.createElement("span");
probe.hidden = true;

/** Components are told apart by these, which stay distinct to colour-blind eyes (after Okabe and Ito); more repeat them. */
export const DOTS = Array.from({ length: 8 }, (_, i) => `--dot-${i}`);

/** @type {Map<string, number[]>} by the name of a custom property: red, green, blue */
const known = new Map();
const listeners = new Set();

/** A custom property of the style sheet as red, green and blue. */
export function rgb(property) {
  if (!known.has(property)) {
    document.body.append(probe);
    probe.style.color = `var(${property})`;
    known.set(property, getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number));
  }
  return known.get(property);
}

/** The same for `fillStyle` and its like. */
export const css = (property, opacity = 1) => `rgb(${rgb(property).join(" ")} / ${opacity})`;

/** Calls `listener` whenever the theme changes. */
export function onTheme(listener) {
  listeners.add(listener);
}

function changed() {
  known.clear();
  for (const listener of listeners) listener();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
new MutationObserver(changed).observe(document.documentElement, { attributeFilter: ["data-theme"] });
