/** What a run begins with: the settings and the start picture kept in agreement, and a picture asked for that a link does not carry. */

import { $ } from "./dom.js";
import * as picture from "./start.js";

/** @type {{controls: import("./controls.js").Controls, ask: Function, run: () => void}} */
let page;

/** @param {typeof page} given `ask` puts a question on the stage, `run` begins a run */
export function join(given) {
  page = given;
}

/** Whether the settings are those of a run that begins with a picture. */
const strong = () => page.controls.settings.strength !== page.controls.default("strength");

/** The picture to start from, or the part of it that stays, is another. */
export function changed() {
  const { controls } = page;
  const start = picture.written();
  const first = start && controls.settings.start === "noise";
  // Without a picture there is nothing to forget, and a new one would be forgotten at full strength.
  if (!start && strong()) controls.set("strength", null);
  if (!start && controls.settings.placing !== controls.default("placing")) controls.set("placing", null);
  controls.set("start", start);
  if (first && !strong()) controls.set("strength", controls.catalogue.start_strength);
}

/** Another model is on the device: a picture of another size has to be chosen anew. @param {import("../pkg/index.js").About} about */
export function fit(about) {
  if (picture.fit(about)) page.controls.set("start", "asked");
}

/** Whether the run begins with a picture, and there is none. */
export const missing = () => page.controls.settings.start === "asked" && !picture.given().picture;

/** Asks for it on the stage. */
export function ask() {
  const plain = () => {
    picture.remove();
    page.run();
  };
  page.ask("start.missing", {}, { "start.file": () => $("start-file").click(), "start.noise": plain });
}
