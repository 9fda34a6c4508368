/** The noise levels of a run as a graph over its steps, those of another schedule over them, and the curve that is drawn by hand. */

import { schedule_parts } from "../pkg/index.js";
import { $ } from "./dom.js";
import { figure } from "./figures.js";
import { CurveEditor } from "./lab/curve.js";
import { Plot } from "./plot.js";
import { el, hush, label, number, say } from "./strings.js";

/** How far each handle of a drawn curve is below the one before. */
const APART = 0.01;
/** The rows of levels that the engine answers: t, alpha, sigma, log-SNR. */
const COLUMNS = 4;

/** @type {{controls: import("./controls.js").Controls, model: () => import("../pkg/index.js").Model | undefined}} */
let page;
/** What the graph shows: of which settings. */
let shown = "";
/** @type {CurveEditor | undefined} */
let editor;
let drawing;

const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
svg.setAttribute("class", "plot levels");
svg.setAttribute("role", "img");
const plot = new Plot(svg);
const beside = el("select", "", {}, { id: "beside" });
const legend = el("p", "", {}, { className: "hint", id: "levels-legend" });
const range = el("p", "", {}, { className: "hint", id: "levels-range" });
const box = el("div", "", {}, { id: "levels" });
const hand = el("div", "", {}, { className: "bend", id: "drawn", hidden: true });

/** σ/α of each level; pure noise and the clean end have no place on a logarithmic scale. @param {Float64Array} rows */
const ratios = (rows) => Array.from({ length: rows.length / COLUMNS }, (_, i) => rows[COLUMNS * i + 2] / rows[COLUMNS * i + 1] || null);

/** Draws the levels of the settings, as soon as there is a model that has any. */
export function show() {
  if (!page) return;
  const { settings, about } = page.controls;
  beside.value = settings.beside ?? "";
  const [id, heights] = settings.schedule.split(":");
  hand.hidden = id !== "drawn";
  if (!hand.hidden) draw(heights ?? page.controls.catalogue.schedules.find((kind) => kind.id === id).values);
  box.hidden = !about;
  const { model, sampler, steps, schedule } = settings;
  const now = JSON.stringify([model, sampler, steps, schedule, settings.beside]);
  if (!about || !page.model() || now === shown) return;
  shown = now;
  levels(now).catch((thrown) => shown === now && refuse(thrown));
}

async function levels(now) {
  const { settings } = page.controls;
  const of = async (schedule) => ratios(await page.model().levels({ ...settings, schedule }));
  const own = await of(settings.schedule);
  // Beside a blend stand the two that it is of.
  const others = [...schedule_parts(settings.schedule), ...(settings.beside ? [settings.beside] : [])];
  const under = [];
  for (const schedule of others) under.push(await of(schedule));
  if (shown !== now) return;
  const steps = Math.max(own.length, ...under.map(({ length }) => length)) - 1;
  const curves = [...under.map((values, i) => ({ name: `under under-${i}`, values })), { name: "own", values: own }];
  const [ends] = plot.show([{ curves, log: true }], { steps, at: 0 });
  if (ends) say(range, "levels.range", { low: figure(ends[0]), high: figure(ends[1]) });
  const name = { schedule: settings.schedule, others: others.join(", ") };
  say(legend, others.length ? "levels.over" : "levels.alone", name);
  label(svg, others.length ? "levels.over" : "levels.alone", name);
}

/** Levels that there are none of, such as a list that does not fit the model: the run says why. */
function refuse() {
  svg.replaceChildren();
  hush(range);
  say(legend, "levels.none");
}

/** The editor of a drawn curve. @param {string} heights */
function draw(heights) {
  const changed = (values) => page.controls.set("schedule", `drawn:${values.map((value) => Number(value.toFixed(3))).join(",")}`);
  editor ??= new CurveEditor(hand, { range: [0, 1], marks: [0, 0.5, 1], apart: -APART, name: "levels.handle", word: (value) => number(value, 3), changed });
  if (drawing === heights) return;
  drawing = heights;
  editor.show(heights.split(",").map(Number), { ends: [number(0), "1"] });
}

/** @param {typeof page} given */
export function listen(given) {
  page = given;
  const which = el("div", "", {}, { className: "which row" });
  which.append(el("label", "levels.beside", {}, { htmlFor: "beside" }), beside);
  box.append(svg, legend, range, which);
  $("schedule-field").append(hand, box);
  beside.addEventListener("change", () => page.controls.set("beside", beside.value || null));
}

/** @param {{id: string, list: boolean}[]} kinds the catalogue's */
export function fill(kinds) {
  beside.replaceChildren(el("option", "compare.none", {}, { value: "" }), ...kinds.map(({ id }) => el("option", `schedule.${id}`, {}, { value: id })));
}
