/** The samplers of the panes by name, and a list to choose from. */

import { el, knows, label, t } from "../strings.js";

/** What the catalogue says of a sampler; the theory has its own names for some. @returns {{id: string, name: string, family: string, stochastic: boolean}} */
export function rowOf({ samplers, lab_theory }, id) {
  const theory = lab_theory.find((row) => row.id === id);
  return theory ? { ...theory, family: "theory" } : samplers.find((row) => row.id === id);
}

/** The solver of the SDE whose noise the settings set. */
export const SDE = "reverse-sde";

/** Whether a sampler draws noise with these settings. */
export const draws = (catalogue, sampler, { eta }) => rowOf(catalogue, sampler).stochastic && !(sampler === SDE && Number(eta) === 0);

/** A sampler's name: methods are called the same everywhere, ideas are not. */
export function named(catalogue, id) {
  const key = `lab.sampler.${id}`;
  return knows(key) ? () => t(key) : rowOf(catalogue, id).name;
}

/** The choices of a list, by families. @returns {HTMLOptGroupElement[]} */
export function choices(catalogue) {
  const groups = new Map();
  for (const id of catalogue.lab_samplers) {
    const { family } = rowOf(catalogue, id);
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
