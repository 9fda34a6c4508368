/** The samplers of the panes by name, and a list to choose from. */

import { el, knows, label, t } from "../strings.js";

/** A sampler's name: methods are called the same everywhere, ideas are not. */
export function named({ lab_samplers }, id) {
  const key = `lab.sampler.${id}`;
  return knows(key) ? () => t(key) : lab_samplers.find((sampler) => sampler.id === id).name;
}

/** The choices of a list, by families. @returns {HTMLOptGroupElement[]} */
export function choices(catalogue) {
  const groups = new Map();
  for (const { id, family } of catalogue.lab_samplers) {
    if (!groups.has(family)) groups.set(family, group(family));
    groups.get(family).append(el("option", "plain", { text: named(catalogue, id) }, { value: id }));
  }
  return [...groups.values()];
}

function group(family) {
  const element = document.createElement("optgroup");
  label(element, `samplers.${family}`);
  return element;
}
