/** Learning: a network is trained in the tab, while the page shows its loss and what has become of its field. */

import { $ } from "../dom.js";
import { get, getText } from "../models.js";
import { number, say, t } from "../strings.js";
import { Chart } from "./chart.js";
import { EXACT, OWN, defaultOf } from "./state.js";

/** Training ends by itself here: the most that a link can ask for. */
const MOST = 1_000_000;
/** The picture of what was learned is renewed this often (milliseconds). */
const RENEW = 350;
/** The curve keeps so many points; when there are more, every second one goes. */
const KEPT = 600;
/** What a network must have been trained with for its shipped weights to be it. */
const SHIPPED = ["objective", "depth", "width", "lr", "batch", "ema", "train-seed", "process"];

/** @type {import("./view.js").Lab} */
let lab;
/** @type {Chart} */
let chart;
/** Rows of step, loss and held-out loss. @type {number[][]} */
let rows = [];
let step = 0;
/** The step that the link asks for, while it is being trained to. */
let goal = 0;
/** Whether a training is under way, and whether it is asked to end. */
let busy = false;
let ending = false;
/** The training, until the link knows how far it came. */
let training = Promise.resolve();
/** Whether the network is the shipped one, which was trained elsewhere. */
let shipped = false;
/** Whether the network of the settings is still to be made. */
let missing = true;
/** Whether training is about to begin. */
let starting = false;
/** The progress of the classifier is said this often (steps), so that it can be read out. */
const SAID = 250;

export function listen(given) {
  lab = given;
  $("lab-train").addEventListener("click", () => (busy ? stop() : go(MOST)));
  $("lab-train-one").addEventListener("click", () => go(shipped ? 1 : step + 1));
  $("lab-train-reset").addEventListener("click", reset);
}

/** The network that is there is of no use any more. */
export function outdated() {
  missing = true;
}

/**
 * Makes the network that the link speaks of, if it is wanted and not there: the shipped one, or one trained here as many
 * steps as the link says, which takes a while.
 * @param {() => Promise<void>} wait shows something meanwhile
 */
export async function prepare(wait = async () => {}) {
  const { settings, engine, catalogue, live } = lab;
  const steps = Number(settings["train-steps"]);
  missing ||= steps !== step;
  const wanted = !EXACT.includes(settings.view) && (settings.model === "learned" || ["learned", "difference"].includes(settings.field));
  $("lab-learn").hidden = !wanted;
  if (!wanted || !missing) return;
  missing = false;
  await engine.reset();
  forget();
  if (steps > 0) {
    goal = steps;
    show();
    await wait();
    if (!live()) {
      missing = true;
      return;
    }
    lab.status("lab.training.to", { steps });
    return train(steps);
  }
  const plain = SHIPPED.every((key) => String(settings[key]) === String(defaultOf(catalogue, key)));
  if (!plain || settings.data === OWN) return;
  const failed = (thrown) => {
    missing = true; // it may come the next time, and can still be trained here
    lab.tell(thrown);
  };
  await ship(engine, settings.data).then(() => (shipped = true), failed);
  show();
}

/** Takes the network that ships for a data set. */
async function ship(engine, data) {
  const [config, weights] = await Promise.all([getText("models/lab/config.json"), get(`models/lab/${data}.safetensors`)]);
  await engine.use_weights(config, weights);
}

/** Trains the classifier that leads the samplers, if one is wanted and not there, and says how good it is. */
export async function classify() {
  const { settings } = lab;
  const words = $("lab-classifier");
  words.hidden = EXACT.includes(settings.view) || settings.guide !== "learned-classifier" || Number(settings.class) < 0;
  if (words.hidden) return;
  let said = -SAID;
  await lab.stream(lab.engine.classify(), ({ step, steps, done, held_out, exact }) => {
    if (!done && step - said < SAID) return;
    said = step;
    if (!done) lab.status("lab.classifying", { step, steps });
    else if (step === undefined) words.hidden = true; // there is but one class
    else say(words, "lab.classifier", { step, held: () => number(held_out, 4), exact: () => number(exact, 4) });
  });
}

/** Nothing is known of the network any more. */
function forget() {
  [rows, step, goal, shipped] = [[], 0, 0, false];
  show();
}

/** Trains because a person wants it; then the samplers show what was learned. */
async function go(until) {
  if (busy || starting) return;
  const { live } = lab;
  lab.status("lab.training");
  lab.halt();
  lab.clear();
  starting = true;
  try {
    if (shipped) {
      await lab.engine.reset();
      forget();
    }
  } finally {
    starting = false;
  }
  if (!live()) return; // something else was asked for meanwhile
  await train(until);
  if (live()) lab.perform();
}

/** Trains up to a step, or until it is stopped. */
function train(until) {
  training = slices(until);
  return training;
}

async function slices(until) {
  const { engine, stage } = lab;
  let [seen, since, from] = [performance.now(), performance.now(), step];
  [busy, ending] = [true, false];
  show();
  try {
    for await (const at of engine.train(until)) {
      step = at.step;
      rows.push([at.step, at.loss, at.held_out]);
      if (rows.length > KEPT) rows = rows.filter((_, i) => i % 2 === 0 || rows[i][2] !== null);
      if (ending) break;
      const now = performance.now();
      if (now - seen < RENEW) continue;
      say($("lab-train-pace"), "lab.train.pace", { pace: Math.round((1000 * (step - from)) / (now - since)) });
      [seen, since, from] = [now, now, step];
      show();
      if (["learned", "difference"].includes(lab.settings.field)) stage.clearField();
    }
  } catch (thrown) {
    lab.tell(thrown);
  }
  [busy, goal] = [false, 0];
  lab.trained(step);
  show();
}

/** Ends the training after the slice that it is at; the link keeps how far it came. */
export async function stop() {
  ending = true;
  await training;
}

async function reset() {
  lab.status("lab.working");
  lab.clear();
  lab.trained(0);
  missing = true;
  const { live } = lab;
  await prepare();
  if (live()) lab.perform();
}

/** Puts the state of the training on the page. */
function show() {
  say($("lab-train"), busy ? "lab.train.pause" : shipped ? "lab.train.anew" : step > 0 ? "lab.train.on" : "lab.train");
  $("lab-train").setAttribute("aria-pressed", String(busy));
  $("lab-train-state").setAttribute("aria-live", busy ? "off" : "polite"); // it would be read out without end
  $("lab-train-one").disabled = busy;
  $("lab-train-reset").disabled = busy || step === 0;
  const last = rows.at(-1);
  const held = rows.findLast((row) => row[2] !== null);
  const place = () => t(goal ? "lab.train.step.of" : "lab.train.step", { step, steps: goal });
  if (shipped) say($("lab-train-state"), "lab.train.shipped");
  else if (!last) say($("lab-train-state"), goal ? "lab.training.to" : "lab.train.untrained", { steps: goal });
  else say($("lab-train-state"), held ? "lab.train.state" : "lab.train.state.open", { place, loss: () => number(last[1], 4), held: () => number(held?.[2] ?? 0, 4) });
  $("lab-loss").hidden = rows.length < 2;
  if (rows.length < 2) return;
  chart ??= new Chart($("lab-loss"), { across: "lab.train.across", up: "lab.train.up" });
  const column = (i) => rows.map((row) => row[i]);
  chart.show([{ colour: "--signal", key: "lab.train.loss" }, { colour: "--noise", key: "lab.train.held" }], [column(0), column(1), column(2)]);
}
