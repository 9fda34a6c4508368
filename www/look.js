/** What is looked at beside the stage, which links carry: a picture of the run, large, or the forward process on the start picture. */

import { read_show, write_show } from "../pkg/index.js";
import * as branch from "./branch.js";
import { $ } from "./dom.js";
import * as forward from "./forward.js";
import * as large from "./large.js";
import * as noised from "./noised.js";
import * as placing from "./placing.js";
import * as shelf from "./shelf.js";
import * as picture from "./start.js";
import { language } from "./strings.js";
import * as viewer from "./viewer.js";

/** Browsers limit how often an address may change, so it waits for a pause of as many milliseconds. */
const PAUSE = 250;

/** @type {{controls: import("./controls.js").Controls, model: () => import("../pkg/index.js").Model, run: () => void, failed: (thrown: unknown) => void, changed: () => void}} */
let page;
let waiting = 0;

const begins = () => Boolean(picture.given().picture);

/** Opens what the link says of a run that is on the stage. */
export function restore() {
  const look = asked();
  if (look?.view !== "large") return;
  const { timeline } = viewer;
  if (look.step !== null) timeline.seek(timeline.place(Math.min(look.step, timeline.newest.step)));
  open(look.image - 1);
}

/** Opens what the link says of the start picture, for which no run is wanted. @returns {boolean} whether it does */
export function ahead() {
  const look = asked();
  if (look?.view !== "forward" || !begins()) return false;
  noise(look.step);
  return true;
}

const asked = () => read_show(page.controls.settings.show ?? "");

/** Keeps what is looked at, or nothing. */
function remember(look) {
  const { settings } = page.controls;
  if (look) settings.show = write_show(look);
  else delete settings.show;
  page.changed();
}

function looked(look) {
  clearTimeout(waiting);
  if (look) waiting = setTimeout(remember, PAUSE, look);
  else remember();
}

function open(image) {
  $("large-latent").hidden = !page.model().about.latent;
  large.open(image);
}

/** Opens the forward process. @param {number | null} [step] */
function noise(step = null) {
  $("forward-latent").hidden = !page.model().about.latent;
  $("forward-take").disabled = $("start-take").disabled;
  forward.open(step);
  shelf.fill($("forward-shelf"), page.controls.model.pictures, { name: subject, take, size: picture.wanted() }).catch(page.failed);
}

/** What a test picture shows, in words. */
function subject({ class: label, prompt = "" }) {
  const { classes } = page.model().about;
  return classes[label]?.[language()] ?? prompt;
}

/** Takes a test picture to start from, and asks the model for what it shows. */
function take(bytes, { class: label, prompt }) {
  const { controls } = page;
  const { classes, conditioning } = page.model().about;
  if (conditioning === "classes" && label < classes.length) controls.set("class", String(label));
  if (conditioning === "text" && prompt) controls.set("prompt", prompt);
  picture.take(bytes);
}

/** The settings, the start picture or the state of the engine are others. @param {boolean} running */
export function marked(running) {
  branch.stepped();
  noised.changed(running);
}

/** The start picture is another. */
export const begun = () => forward.begun();

/** @param {typeof page} given `changed` hears that the setting is another */
export function listen(given) {
  page = given;
  const { controls } = page;
  placing.listen({ controls, refit: picture.refit });
  noised.listen({ controls, model: () => page.model(), given: picture.given });
  large.listen({ timeline: viewer.timeline, pick: viewer.pick, name: viewer.nameOf, changed: (at) => looked(at && { view: "large", ...at }) });
  forward.listen({
    any: begins,
    levels: (signal) => page.model().forward(controls.settings, { picture: picture.given().picture, signal }),
    back(strength) {
      controls.set("from", ""); // a run of its own
      controls.set("strength", strength);
      page.run();
    },
    failed: page.failed,
    changed: (at) => looked(at && { view: "forward", ...at }),
  });
  viewer.listen({
    open,
    shown() {
      large.show();
      branch.stepped();
    },
  });
  $("large-start").addEventListener("click", () => {
    large.close();
    $("start-take").click(); // the picture that was looked at
    noise();
  });
  $("start-forward").addEventListener("click", () => noise());
}
