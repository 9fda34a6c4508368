/** The run that is under way: its frames on the stage, and how it ended. */

import { write_link } from "../pkg/index.js";
import * as branch from "./branch.js";
import * as direct from "./direct.js";
import { $ } from "./dom.js";
import * as embed from "./embed.js";
import * as past from "./history/past.js";
import * as queue from "./history/queue.js";
import * as unfinished from "./history/unfinished.js";
import * as look from "./look.js";
import * as lost from "./lost.js";
import * as phases from "./phases.js";
import * as shown from "./shown.js";
import * as beginning from "./start.js";
import * as viewer from "./viewer.js";
import * as words from "./words.js";

/** @typedef {import("./history/queue.js").Waiting} Run */

export const { offer } = direct;

/** What ends the run under way. @type {AbortController | undefined} */
let running;
/** That run. @type {Run | undefined} */
let current;
/** What it is drawn on, where the graphics card draws it. @type {import("../pkg/index.js").Presented | undefined} */
let present;
/** Whether the stage has a frame of it. */
let arrived = false;
/** Whether the view was left in the middle of a run. */
let left = false;
/**
 * @type {{model: () => import("../pkg/index.js").Model, script: (settings: import("../pkg/index.js").Settings) => Promise<{text?: string, why?: string}>,
 *         begins: () => void, mark: () => void, offer: () => void, ready: () => void, rested: () => void, failed: (during: "run", thrown: unknown) => void,
 *         notice: (key: string, values?: object) => void, forget: (name: string) => void}}
 */
let page;

/** @param {typeof page} given */
export function listen(given) {
  page = given;
}

/** Whether a run is under way. */
export const going = () => Boolean(running);

/** The run under way, to go on with on another engine. @param {string} backend of this one @returns {import("./lost.js").Cut | undefined} */
export function cut(backend) {
  if (!running) return undefined;
  if (!present) return { run: current, last: arrived ? viewer.timeline.newest : undefined, backend };
  // The drawing may be what the device was lost by, and of what was drawn the page has nothing.
  direct.off();
  page.notice("direct.off");
  return { run: current, backend };
}

/** Ends the run under way, of which the stage says so. */
export const abort = () => running?.abort();

/** The same when the view is left. */
export function leave() {
  left = going();
  abort();
}

/** Draws a run on the model that is on the device. @param {Run} run @param {import("./timeline.js").Frame} [last] the stage has it up to here, from before its device was lost */
export async function draw(run, last) {
  const { settings, given, model } = run;
  const held = page.model();
  if (held?.listed.id !== model.id) return;
  abort();
  const mine = new AbortController();
  running = mine;
  current = run;
  arrived = Boolean(last);
  look.marked(true);
  left = false;
  page.begins();
  if (!last) page.forget("thinned");
  present = direct.begin();
  viewer.begin(settings, held.about.classes, Boolean(present));
  shown.begin({ settings, begun: given, model, script: page.script(settings) });
  if (last) shown.arrived();
  const attention = words.begin(held, settings);
  phases.begin(settings.images);
  // What a reload interrupts is asked about; that of a frame is the business of the page around it.
  if (!embed.embedded()) {
    unfinished.begin(() => {
      const { step = 0, steps = null } = (arrived && viewer.timeline.newest) || {};
      return { link: shown.drawn(settings), step, steps };
    });
  }
  queue.running(true);
  $("stop").disabled = false;
  if (!embed.embedded()) viewer.reveal(); // it would scroll the page around
  try {
    const frames = held.run(settings, { ...given, attention, details: !present, present, signal: mine.signal });
    for await (const frame of last ? lost.after(last, frames) : frames) {
      if (running !== mine) return;
      arrived = true;
      show(frame);
    }
    ended("done");
    past.keep({ settings, given: { ...given, ...beginning.wanted() }, model, frame: viewer.timeline.newest, seconds: viewer.seconds() });
    words.took(viewer.seconds());
    look.restore();
    queue.next();
    if (!running) page.rested();
  } catch (thrown) {
    if (running !== mine) return;
    if (!mine.signal.aborted) page.failed("run", thrown);
    else if (arrived) ended("stopped");
    else page.ready(); // stopped before there was anything
  }
}

function show(frame) {
  phases.stepped();
  if (frame.step === 0) shown.arrived();
  const every = viewer.add(frame);
  if (frame.step === 0) branch.arrived(shown.run().settings, frame.steps);
  if (frame.step === 0) page.mark();
  if (frame.step === 0 && every > 1 && !present) page.notice("thinned", { every });
  page.offer();
  embed.tell("step", { step: frame.step, steps: frame.steps, done: frame.done });
}

function ended(how) {
  shown.finish();
  idle();
  viewer.end();
  const { newest } = viewer.timeline;
  const open = how === "stopped" && newest.steps === null ? ".open" : "";
  embed.tell("done", { how, link: write_link(shown.run().settings, { share: true }), seconds: viewer.seconds() });
  phases.ended(`${how}${left ? ".left" : ""}${open}`, newest, viewer.seconds());
}

/** Nothing runs and nothing loads any more. */
export function idle() {
  running = undefined;
  unfinished.end();
  queue.running(false);
  phases.over();
  page.mark();
  $("progress").value = 0;
  $("cancel").hidden = $("stop").disabled = true;
}

/** Puts the pictures of a kept run on the stage. @param {import("./history/past.js").Whole} kept @param {import("./models.js").Model} model */
export function recall({ settings, begun, frame }, model) {
  abort();
  idle();
  const held = page.model();
  viewer.restore(frame, settings, held?.listed.id === model.id ? held.about.classes : []);
  shown.restore({ settings, begun, model });
  branch.arrived(settings, frame.steps);
  page.mark();
}
