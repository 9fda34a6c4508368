/** How a start picture of another shape is brought to the model's size: cut, with margins, or stretched. */

import { $ } from "./dom.js";
import { say } from "./strings.js";

/** @type {{controls: import("./controls.js").Controls, refit: () => void} | undefined} */
let page;

/** The setting. */
export const chosen = () => page?.controls.settings.placing;

/** Shows the controls for a picture of a file, whose shape is another; where it is cut can be moved along the side that is too long. */
export function show(original, size) {
  // Above 0 it is too wide for the model's shape, below 0 too high.
  const wide = original ? original.width * size.height - original.height * size.width : 0;
  $("start-placing").hidden = !wide;
  if (!wide) return;
  const [kind, place = "0.5,0.5"] = (chosen() ?? "crop").split(":");
  const [across, down] = place.split(",");
  $("placing").value = kind;
  $("placing-along-field").hidden = kind !== "crop";
  $("placing-along").value = wide > 0 ? across : down;
  $("placing-along").dataset.side = wide > 0 ? "across" : "down";
  say($("placing-along-name"), `placing.${$("placing-along").dataset.side}`);
}

/** The setting as the controls have it. */
function written() {
  const { value, dataset } = $("placing-along");
  if ($("placing").value !== "crop") return $("placing").value;
  return dataset.side === "across" ? `crop:${value},0.5` : `crop:0.5,${value}`;
}

function set() {
  page.controls.set("placing", written());
  page.refit();
}

/** @param {typeof page} given `refit` brings the picture to its size anew */
export function listen(given) {
  page = given;
  $("placing").addEventListener("change", set);
  $("placing-along").addEventListener("change", set);
}
