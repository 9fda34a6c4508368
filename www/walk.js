/** Walk: pictures on the way from one seed, prompt or class to the next, drawn one by one and played as an animation. */

import { UnnoiseError, walk, write_link, write_walk } from "../pkg/index.js";
import { Dialog } from "./dialog.js";
import { FilmForm } from "./film.js";
import { Clock } from "./lab/clock.js";
import { Sheet } from "./paint.js";
import { share } from "./share.js";
import { el, hush, label, number, say, t } from "./strings.js";
import { explain } from "./unfit.js";
import { worded } from "./worded.js";

/** @typedef {import("./beyond.js").Page} Page */

/** Stops that a walk begins with; classes and seeds are numbers, prompts those that the model suggests. */
const FIRST = { seed: "1-4", class: "0-3" };

/** @type {Page} */
let page;
/** @type {Dialog | undefined} */
let dialog;
/** The frames of the settings. @type {import("../pkg/index.js").Walk} */
let plan;
/** The end of each frame's run, as far as it is drawn. @type {import("./timeline.js").Frame[]} */
let drawn = [];
/** The frame on show. */
let shown = -1;
/** @type {AbortController | undefined} */
let running;
/** @type {Clock} */
let clock;
/** @type {FilmForm} */
let film;

const fields = {
  key: el("select", "", {}, { id: "walk-key" }),
  stops: el("input", "", {}, { id: "walk-stops", type: "text", autocomplete: "off", spellcheck: false }),
  steps: el("input", "", {}, { id: "walk-steps", type: "number", step: "1" }),
};
const refusal = el("p", "", {}, { className: "hint bad", id: "walk-refused", role: "alert" });
const said = el("p", "", {}, { className: "hint", id: "walk-said", role: "status" });
const caption = el("p", "", {}, { className: "figures", id: "walk-caption" });
const canvas = el("canvas", "", {}, { width: 8, height: 8, id: "walk-picture", role: "img" });
const sheet = new Sheet(canvas);
/** @type {Record<string, HTMLButtonElement>} */
let buttons;
/** @type {HTMLProgressElement} */
let bar;

/** @param {Page} given */
export function open(given) {
  page = given;
  if (!dialog) build();
  const { catalogue } = page.controls;
  const has = (key) => page.controls.has(catalogue.settings.find((row) => row.key === key).needs);
  fields.key.replaceChildren(...catalogue.walk_keys.filter(has).map((key) => el("option", key, {}, { value: key })));
  [fields.steps.min, fields.steps.max] = catalogue.walk_steps;
  const { key, typed, steps } = walk(page.controls.settings, page.controls.models, page.controls.facts);
  fields.key.value = key ?? "seed";
  fields.stops.value = key ? typed : first(fields.key.value);
  fields.steps.value = steps;
  dialog.show();
  set();
}

/** Draws the walk of a link. @param {Page} given */
export function begin(given) {
  open(given);
  return run();
}

/** Stops to begin with. */
function first(key) {
  const { controls } = page;
  if (key === "prompt") return (Object.values(controls.model.prompts ?? {})[0] ?? []).slice(0, 3).join(",") || "a,b";
  if (key === "class") return controls.about.classes.length > 3 ? FIRST.class : "0-1";
  return FIRST.seed;
}

function build() {
  dialog = new Dialog("walk", { closed });
  const acts = Object.entries({ run, stop, open: take, share: give });
  let row;
  ({ buttons, row, bar } = dialog.actions(Object.fromEntries(acts.map(([key, act]) => [key, { text: `walk.${key}`, act }]))));
  const field = (key) => {
    const box = el("div");
    box.append(el("label", `walk.${key}`, {}, { htmlFor: `walk-${key}` }), fields[key]);
    return box;
  };
  for (const key of ["stops", "steps"]) fields[key].setAttribute("aria-describedby", "walk-refused");
  const slider = el("input", "", {}, { type: "range", min: "0", max: "1", step: "any", value: "0", id: "walk-clock" });
  const play = el("button", "walk.play", {}, { type: "button", id: "walk-play" });
  play.setAttribute("aria-pressed", "false");
  label(slider, "walk.clock");
  label(canvas, "walk.picture");
  clock = new Clock({ slider, play }, { moved: paint, rested: () => {} });
  const time = el("div", "", {}, { className: "clock" });
  time.append(play, slider);
  film = new FilmForm("walk-film", filmed);
  const asked = el("div", "", {}, { className: "walk" });
  asked.append(...Object.keys(fields).map(field));
  fields.key.addEventListener("change", () => {
    fields.stops.value = first(fields.key.value);
    set();
  });
  for (const key of ["stops", "steps"]) fields[key].addEventListener("change", set);
  dialog.fill(asked, refusal, said, row, dialog.shared("walk-"), bar, canvas, time, caption, film.box);
}

/** Takes the walk of the form. */
function set() {
  stop();
  const refused = page.controls.set("walk", write_walk(fields.key.value, fields.stops.value, fields.steps.value));
  if (!refused) plan = walk(page.controls.settings, page.controls.models, page.controls.facts);
  const problem = refused ?? plan.problem;
  fields.stops.setAttribute("aria-invalid", String(Boolean(problem)));
  if (refused) say(refusal, refused.code === "frames" ? "walk.refused.frames" : "walk.refused", { value: refused.value, most: refused.most ?? 0 });
  else if (problem) explain(refusal, problem);
  else hush(refusal);
  if (problem) plan = { ...plan, frames: [] };
  clear();
  if (!problem) say(said, "walk.frames", { frames: plan.frames.length, images: Number(page.controls.settings.images) });
}

/** No frame is drawn yet. */
function clear() {
  [drawn, shown] = [[], -1];
  clock.pause();
  clock.place = 0;
  clock.slider.value = "0";
  hush(caption);
  idle();
}

async function run() {
  stop();
  if (!plan.frames.length) return;
  clear();
  const mine = new AbortController();
  running = mine;
  idle();
  buttons.stop.focus();
  try {
    for (const [i, frame] of plan.frames.entries()) {
      await draw(frame, i, mine);
      if (running !== mine) return;
      bar.value = (i + 1) / plan.frames.length;
      say(said, "walk.drawing", { frame: i + 1, frames: plan.frames.length });
    }
    say(said, "walk.done", { frames: plan.frames.length });
    running = undefined;
    clock.begin();
  } catch (thrown) {
    const { code, message } = UnnoiseError.from(thrown);
    if (code === "aborted") return;
    say(said, "walk.failed", { message });
    await page.failed(thrown);
  } finally {
    if (running === mine) running = undefined;
    idle();
  }
}

/** Draws a frame: the run comes to its end before the eyes of whoever watches. */
async function draw({ settings }, i, mine) {
  for await (const frame of page.model().run(settings, { ...page.given(), signal: mine.signal })) {
    if (running !== mine) return;
    if (frame.done === 1) drawn[i] = frame;
    if (frame.step === 0 && i === 0) sheet.layout(frame);
    show(i, frame);
  }
  clock.slider.value = String(i / Math.max(plan.frames.length - 1, 1));
}

/** Shows a step of a frame's run, and says where on the way it is. */
function show(i, frame) {
  shown = i;
  sheet.draw(frame.x);
  const { stop, share } = plan.frames[i];
  const words = (at) => worded(plan.key, plan.stops[at], page.controls);
  const text = (at) => () => (typeof words(at) === "object" ? t("plain", { text: words(at) }) : words(at));
  const values = { frame: i + 1, frames: plan.frames.length, stop: text(stop), next: text(Math.min(stop + 1, plan.stops.length - 1)), percent: number(100 * share, 0) };
  say(caption, share ? "walk.between" : "walk.at", values);
}

/** Shows the frame that the clock has come to, of those that are drawn. */
function paint(place) {
  if (running || !drawn.length) return;
  const i = Math.min(Math.round(place * (plan.frames.length - 1)), drawn.length - 1);
  show(i, drawn[i]);
  buttons.open.disabled = false;
}

function stop() {
  if (!running) return;
  running.abort();
  running = undefined;
  say(said, "walk.stopped", { frames: drawn.length });
  idle();
}

function idle() {
  buttons.run.disabled = Boolean(running) || !plan?.frames.length;
  buttons.stop.disabled = !running;
  buttons.open.disabled = Boolean(running) || !drawn[shown];
  clock.slider.disabled = clock.play.disabled = Boolean(running) || drawn.length < 2;
  if (!running) bar.value = 0;
  film.box.hidden = Boolean(running) || drawn.length < 2;
  if (!film.box.hidden) film.show();
}

/** What an animation of the walk is made of. */
function filmed() {
  const { settings, model } = page.controls;
  return { frames: drawn.map((frame, step) => ({ ...frame, step, of: plan.frames[step].settings })), run: { settings, model }, image: null, shows: ["x"] };
}

/** The frame on show becomes the run of the page. */
function take() {
  const { settings } = plan.frames[shown];
  dialog.close();
  page.run(settings);
}

/** The settings without the walk, which is closed. */
function closed() {
  stop();
  film.cancel();
  clock.pause();
  page.controls.drop("walk");
}

const give = () => share(write_link(page.controls.settings, { share: true }), { prefix: "walk-" });
