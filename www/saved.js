/** Files that a person takes along. Pictures among them say how they were made, as long as the person wants that. */

import { write_made, write_show } from "../pkg/index.js";
import { el } from "./strings.js";
import { remember, remembered } from "./theme.js";

/** Whether pictures say how they were made. */
let told = remembered("metadata") !== "off";

export const tells = () => told;

/** @param {boolean} on */
export function tell(on) {
  told = on;
  remember("metadata", on ? "on" : "off");
}

/** Hands a file to the person. @param {Blob} blob */
export function save(blob, download) {
  const url = URL.createObjectURL(blob);
  el("a", "", {}, { href: url, download }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** @typedef {{settings: import("../pkg/index.js").Settings, model: import("./models.js").Model}} Run */
/** @typedef {{step?: number, image?: number, shows?: string}} Part which part of the run a picture shows; the image from 1 on */

/** What a run and a part of it are written as: the settings, with the picture that is looked at, and what is known of the weights. @param {Run} run @param {Part} [part] */
export function made({ settings, model }, part = {}) {
  const show = part.image && write_show({ view: "large", image: part.image, step: part.step ?? null });
  return [show ? { ...settings, show } : settings, { ...part, weights: weights(model, settings) }];
}

/** A PNG that says how it was made, or one that does not. @param {Blob} png @param {Run} run @param {Part} [part] @returns {Promise<Blob>} */
export async function signed(png, run, part) {
  if (!told) return png;
  return new Blob([write_made(new Uint8Array(await png.arrayBuffer()), ...made(run, part))], { type: "image/png" });
}

/** SHA-256 of the weights that decide a run, by their place in the model's folder, as far as they are known. */
export function weights({ files, classifier }, settings) {
  const beside = Number(settings.classifier) > 0 && classifier ? Object.entries(classifier.files).map(([path, facts]) => [`../${classifier.id}/${path}`, facts]) : [];
  const known = [...Object.entries(files), ...beside].filter(([path]) => path.endsWith(".safetensors"));
  return Object.fromEntries(known.map(([path, { sha256 }]) => [path, sha256]));
}

/** Puts a picture on the clipboard. @param {Promise<Blob>} png a promise, as browsers want to be asked within the click @returns {Promise<boolean>} whether it is there */
export const copy = (png) =>
  Promise.resolve()
    .then(() => navigator.clipboard.write([new ClipboardItem({ "image/png": png })]))
    .then(
      () => true,
      () => false,
    );

/** A name for a file of a run. @param {import("../pkg/index.js").Settings} settings @param {string} rest */
export const named = ({ model, sampler, seed }, rest) => `unnoise-${model.replace(/[:/@]/g, "-")}-${sampler}-seed-${seed}${rest}`;
