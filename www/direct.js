/** Steps that the graphics card draws on the stage itself, on canvases over the two sheets, and that are not read back. */

import { $ } from "./dom.js";
import { embedded } from "./embed.js";
import { GAP } from "./paint.js";
import { el } from "./strings.js";
import { remember, remembered } from "./theme.js";

const KEY = "direct";
/** The canvases, and what the engine draws on: made for the first run of an engine that wants them, and lost with it. */
let layers = [];
let canvases = [];

$("direct").checked = remembered(KEY) === "on";
$("direct").addEventListener("change", () => remember(KEY, $("direct").checked ? "on" : "off"));

/** There is another engine. @param {string} backend */
export function offer(backend) {
  for (const layer of layers) layer.remove();
  layers = canvases = [];
  $("direct-field").hidden = backend !== "webgpu" || !HTMLCanvasElement.prototype.transferControlToOffscreen;
}

/** What a run that begins now is drawn on; nothing where that is not wanted. @returns {import("../pkg/index.js").Presented | undefined} */
export function begin() {
  if ($("direct-field").hidden || !$("direct").checked || embedded()) return undefined;
  if (!layers.length) {
    layers = ["noisy", "guess"].map((id) => {
      const layer = el("canvas", "", {}, { className: "direct", ariaHidden: "true" });
      $(id).before(layer);
      return layer;
    });
    canvases = layers.map((layer) => layer.transferControlToOffscreen());
  }
  const [x, denoised] = canvases;
  return { x, denoised, gap: GAP };
}

/** Shows the sheets as the card draws them, or as the page does. @param {boolean} on */
export function show(on) {
  for (const layer of layers) layer.classList.toggle("on", on);
}

/** Steps are read back from now on. */
export function off() {
  $("direct").checked = false;
  remember(KEY, "off");
}
