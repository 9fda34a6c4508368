/** The run on show: what Share, Python and Save speak of, and the mark on the stage as soon as the settings are others. */

import { write_link } from "../pkg/index.js";
import { $ } from "./dom.js";
import { hush, say } from "./strings.js";

/**
 * @typedef {{picture?: Uint8Array, mask?: Uint8Array}} Begun what a run begins with besides noise
 * @typedef {{settings: import("../pkg/index.js").Settings, begun: Begun, model: import("./models.js").Model,
 *            script?: Promise<{text?: string, why?: string}>, over?: boolean}} Shown a kept run has no script yet
 */

/** The run that was begun last; nothing is on show of it before its first frame. @type {Shown | undefined} */
let next;
/** @type {Shown | undefined} */
let shown;

/** @param {Shown} run */
export function begin(run) {
  next = run;
}

/** The first frame of the run is there. */
export function arrived() {
  shown = next;
}

/** A run that was kept is on show, at its end. @param {Shown} run */
export function restore(run) {
  shown = next = { ...run, over: true };
}

/** The run on show is at its end, or was stopped on purpose. */
export function finish() {
  if (shown) shown.over = true;
}

export const run = () => shown;

/** The link of what decides the pictures, and of nothing of the page's own. @param {import("../pkg/index.js").Settings} settings */
export const drawn = (settings) => write_link(settings, { run: true });

/** Whether these make the pictures of the run on show. A picture that no link carries is compared as it is. */
function same(settings, { picture, mask }) {
  if (drawn(settings) !== drawn(shown.settings)) return false;
  return settings.start !== "asked" || (picture === shown.begun.picture && mask === shown.begun.mask);
}

/**
 * Marks pictures that are not those of the settings, or not at their end, because the engine was changed.
 * @param {import("../pkg/index.js").Settings} settings @param {Begun} begun @param {boolean} running
 */
export function mark(settings, begun, running) {
  const other = Boolean(shown) && !same(settings, begun);
  const cut = Boolean(shown) && !shown.over && !running;
  $("sheets").classList.toggle("old", other || cut);
  $("run").classList.toggle("due", other || cut);
  const key = other ? (settings.model === shown.settings.model ? "changed" : "changed.model") : cut ? "changed.cut" : "";
  if (key === ($("changed").dataset.i18n ?? "")) return; // said already: nobody wants to hear it at each move of a slider
  if (key) say($("changed"), key, { name: shown.model.name });
  else hush($("changed"));
}
