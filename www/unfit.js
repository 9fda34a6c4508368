/** Why settings cannot be run, in the language of the page: of a cell of a grid, of a race. */

import { named } from "./worded.js";
import { knows, say, t } from "./strings.js";

/** @param {HTMLElement} element @param {import("../pkg/index.js").Problem} problem */
export function explain(element, { key, code, message, known, ...more }) {
  const text = (value) => (typeof value === "object" && value !== null ? String(value) : value);
  const values = { ...Object.fromEntries(Object.entries(more).map(([name, value]) => [name, text(value)])), name: () => t(named(key)) };
  if (knows(`unfit.${code}`)) say(element, `unfit.${code}`, values);
  else say(element, "plain", { text: message });
}
