/** Runs that wait for the one under way, in their order. */

import { $ } from "../dom.js";
import { el, label, say } from "../strings.js";
import { summary } from "../summary.js";

/** @typedef {{settings: import("../../pkg/index.js").Settings, given: import("../shown.js").Begun, model: import("../models.js").Model}} Waiting */

/** @type {Waiting[]} */
let waiting = [];
/** Whether a run is under way. */
let busy = false;
/** How many were last said to wait. */
let told = 0;
/** @type {{current: () => Waiting, draw: (run: Waiting) => void, notice: (key: string, values?: object) => void}} */
let page;

/** @param {typeof page} given the run that the settings make, and what draws one on the model of this id that is on the device */
export function listen(given) {
  page = given;
  $("later").addEventListener("click", () => {
    waiting.push(page.current());
    show();
  });
  $("queue-go").addEventListener("click", next);
  $("queue-clear").addEventListener("click", () => {
    waiting = [];
    show();
    $("run").focus(); // the button is gone
  });
}

/** A model is on the device, or is not any more. @param {boolean} there */
export function enable(there) {
  $("queue-go").disabled = !there;
}

/** The run that is next, if there is one, begins. */
export function next() {
  const run = waiting.shift();
  show();
  if (run) page.draw(run);
}

/** A run is under way, or none. @param {boolean} is */
export function running(is) {
  busy = is;
  $("later").disabled = !is;
  show();
}

/** Another model is chosen: what waits for the one before cannot be drawn any more. @param {string} model */
export function fit(model) {
  const gone = waiting.filter((run) => run.model.id !== model);
  if (!gone.length) return;
  waiting = waiting.filter((run) => run.model.id === model);
  show();
  page.notice("queue.dropped", { count: gone.length, name: gone[0].model.name });
}

function show() {
  $("queue").hidden = !waiting.length;
  $("queue-go").hidden = busy;
  if (told !== waiting.length) say($("queue-text"), "queue.next", { count: (told = waiting.length) }); // it is heard
  $("queue-list").replaceChildren(...waiting.map(line));
}

function line(run) {
  const text = () => summary(run.settings, run.model.name);
  const button = el("button", "plain", { text: "×" }, { type: "button", className: "icon" });
  button.addEventListener("click", () => {
    waiting = waiting.filter((other) => other !== run);
    show();
    ($("queue-list").querySelector("button") ?? $("run")).focus();
  });
  label(button, "queue.remove", { run: text });
  const box = el("li");
  box.append(el("span", "plain", { text }), button);
  return box;
}
