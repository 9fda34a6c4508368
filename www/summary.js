/** A run in a few words, in the language of the page. */

import { catalogue } from "../pkg/index.js";
import { language, t } from "./strings.js";

/** A name in the language of the page. */
export const named = (name) => name[language()] ?? name.en ?? name.zh ?? "";

/**
 * @param {import("../pkg/index.js").Settings} settings @param {import("./models.js").Text} name of the model
 * @param {import("./models.js").Text[]} [classes] of the model, where they are known
 */
export function summary(settings, name, classes = []) {
  const { sampler, steps, seed, images, prompt } = settings;
  const method = catalogue().samplers.find(({ id, aliases }) => id === sampler || aliases.includes(sampler));
  const drawn = prompt ? t("summary.prompt", { prompt }) : classes[settings.class] ? t("summary.class", { name: classes[settings.class] }) : "";
  return t("summary", { name: named(name), drawn, sampler: method?.name ?? sampler, steps: Number(steps), seed: String(seed), images: Number(images) });
}
