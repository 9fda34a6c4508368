/** Settings and their values in the words of the page. */

import { knows, t } from "./strings.js";

/** The key of a setting's name: a parameter of a sampler has one of its own. */
export const named = (key) => (knows(key) ? key : `knob.${key}`);

/** A value in the words of the page. @param {import("./controls.js").Controls} controls */
export function worded(key, value, { catalogue, about, models }) {
  if (key === "sampler") return catalogue.samplers.find(({ id, aliases }) => id === value || aliases.includes(value))?.name ?? value;
  if (key === "class") return about?.classes[value] ?? (knows(`class.${value}`) ? t(`class.${value}`) : value);
  if (key === "model") return t("plain", { text: models.find(({ id }) => id === value)?.name ?? value });
  return knows(`${key}.${value}`) ? t(`${key}.${value}`) : value;
}

/** A setting with its value. @param {{key: string, value: import("../pkg/index.js").Value}} change @param {import("./controls.js").Controls} controls */
export function changed({ key, value }, controls) {
  const text = worded(key, value, controls);
  return `${t(named(key))} ${typeof text === "object" ? t("plain", { text }) : text}`;
}
