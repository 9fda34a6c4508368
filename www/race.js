/** Race: how far samplers end from their limit, by evaluations of the model, while they run. */

import { UnnoiseError, race, write_link } from "../pkg/index.js";
import { duration } from "./cost.js";
import { Dialog } from "./dialog.js";
import { Board } from "./race-board.js";
import { csv, png } from "./race-files.js";
import { save, signed } from "./saved.js";
import { share } from "./share.js";
import { el, hush, label, say, t } from "./strings.js";
import { explain } from "./unfit.js";

/** A race to begin with. */
const FIRST = "ddim,heun,dpmpp-2m";
/** Steps of the reference that are offered; a link may have any number. */
const REFERENCES = ["100", "300", "1000", "3000", "dopri5"];

/** @type {import("./beyond.js").Page} */
let page;
/** @type {Dialog} */
let dialog;
/** @type {Board} */
let board;
/** The race that was shown last, as a link has it. */
let last = FIRST;
/** What the settings make of the race. @type {import("../pkg/index.js").RacePlan} */
let plan;
/** @type {AbortController | undefined} */
let running;
/** Milliseconds of an evaluation of one picture, as soon as one is known. */
let pace = NaN;

/** @type {Record<string, HTMLButtonElement>} */
let buttons;
/** @type {HTMLProgressElement} */
let bar;
const fields = {};
const said = el("p", "", {}, { className: "hint", role: "status", id: "race-said" });
const refusal = el("p", "", {}, { className: "hint bad", role: "alert", id: "race-refused" });
const note = el("p", "", {}, { className: "hint", id: "race-note" });

/** @param {import("./beyond.js").Page} given */
export function open(given) {
  page = given;
  if (!dialog) build();
  pace = page.pace() ?? pace;
  dialog.show();
  if (page.controls.settings.race) planned();
  else take(last);
}

/** Runs the race of a link. @param {import("./beyond.js").Page} given */
export function begin(given) {
  open(given);
  return run();
}

function build() {
  dialog = new Dialog("race", { closed });
  board = new Board();
  const field = (key, element) => {
    fields[key] = Object.assign(element, { id: `race-${key}` });
    const box = el("div");
    box.append(el("label", `race.${key}`, {}, { htmlFor: element.id }), element);
    return box;
  };
  const typed = () => el("input", "", {}, { type: "text", autocomplete: "off", spellcheck: false, onchange: give });
  const samplers = field("samplers", typed());
  fields.pick = el("select", "", {}, { id: "race-pick", onchange: pick });
  label(fields.pick, "race.pick.label");
  samplers.append(fields.pick);
  const option = ({ id, name }) => el("option", "plain", { text: name }, { value: id });
  fields.pick.append(el("option", "compare.pick", {}, { value: "" }), ...page.controls.catalogue.samplers.filter(({ limit, compat }) => limit && !compat).map(option));
  const form = el("div", "", {}, { className: "entry" });
  form.append(samplers, field("counts", typed()), field("reference", el("select", "", {}, { onchange: give })));
  for (const key of ["samplers", "counts"]) fields[key].setAttribute("aria-describedby", "race-refused");
  const common = (key, act) => ({ text: `compare.${key}`, act });
  let row;
  ({ buttons, row, bar } = dialog.actions({ run: { text: "race.run", act: run }, stop: common("stop", stop), png: common("png", picture), csv: common("csv", table), share: common("share", link) }));
  dialog.fill(form, refusal, said, note, row, dialog.shared("race-"), bar, board.box);
}

/** Takes what is typed. */
const give = () => take([fields.samplers, fields.counts, fields.reference].map(({ value }) => value.replace(/[;，；、]/g, ",")).join(":"));

function pick() {
  fields.samplers.value = [fields.samplers.value.trim(), fields.pick.value].filter(Boolean).join(",");
  fields.pick.value = "";
  give();
}

/** Takes a race, or says why it cannot be had. @param {string} text as a link has it */
function take(text) {
  stop();
  const refused = page.controls.set("race", text);
  for (const key of ["samplers", "counts"]) fields[key].setAttribute("aria-invalid", String(Boolean(refused)));
  if (!refused) {
    last = page.controls.settings.race;
    return planned();
  }
  if (refused.code === "one-of") say(refusal, "race.refused.sampler", { known: refused.known.join(", ") });
  else say(refusal, "race.refused");
}

/** What the settings make of the race, and what it costs. */
function planned() {
  const { settings, facts, catalogue } = page.controls;
  plan = race(settings, facts);
  hush(refusal);
  fields.samplers.value = plan.samplers.join(",");
  fields.counts.value = plan.evaluations.join(",");
  const references = REFERENCES.includes(plan.reference) ? REFERENCES : [plan.reference, ...REFERENCES];
  const option = (value) => el("option", value === "dopri5" ? "race.dopri5" : "race.steps", { steps: Number(value) }, { value });
  fields.reference.replaceChildren(...references.map(option));
  fields.reference.value = plan.reference;
  if (plan.problem?.key === "schedule") say(refusal, "race.no-limit");
  else if (plan.problem) explain(refusal, plan.problem);
  const left = () => plan.left_out.map((key) => t(key)).join(t("race.and"));
  if (plan.left_out.length) say(note, "race.left-out", { left });
  else hush(note);
  const names = Object.fromEntries(catalogue.samplers.map(({ id, name }) => [id, name]));
  board.plan(plan, names, settings);
  idle();
  cost(plan.cost);
}

/** Says what is left to do. @param {number} evaluations */
function cost(evaluations) {
  if (plan.problem) return hush(said);
  const images = Number(page.controls.settings.images);
  const time = () => duration(evaluations * images * pace);
  say(said, plan.guessed ? "race.cost.guessed" : "race.cost", { evaluations, images, time, spacing: plan.spacing });
}

async function run() {
  stop();
  if (plan.problem) return;
  const mine = new AbortController();
  running = mine;
  board.clear();
  idle();
  buttons.stop.focus();
  const begun = performance.now();
  const { settings } = page.controls;
  try {
    for await (const news of page.model().race(settings, { signal: mine.signal })) {
      if (running !== mine) return;
      bar.value = Math.min(news.evaluations / news.total, 1);
      pace = (performance.now() - begun) / (news.evaluations * news.images || 1);
      if (!news.limit && news.most === null) continue;
      board.add(news);
      cost(Math.max(news.total - news.evaluations, 0));
      idle();
    }
    say(said, "race.done");
  } catch (thrown) {
    const { code, message } = UnnoiseError.from(thrown);
    if (code === "aborted") return;
    say(said, "race.failed", { message });
    await page.failed(thrown);
  } finally {
    if (running === mine) running = undefined;
    idle();
  }
}

function stop() {
  if (!running) return;
  running.abort();
  running = undefined;
  say(said, "race.stopped");
  idle();
}

function idle() {
  buttons.run.disabled = Boolean(running || plan.problem);
  buttons.stop.disabled = !running;
  for (const key of ["png", "csv"]) buttons[key].disabled = !board.points.length;
  if (!running) bar.value = 0;
}

/** The settings without the race, which is closed. */
function closed() {
  stop();
  page.controls.drop("race");
}

async function picture() {
  const { settings, model } = page.controls;
  save(await signed(await png(board), { settings, model }, { shows: "race" }), "unnoise-race.png");
}

function table() {
  save(csv(board), "unnoise-race.csv");
}

const link = () => share(write_link(page.controls.settings, { share: true }), { prefix: "race-" });
