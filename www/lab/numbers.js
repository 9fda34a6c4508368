/** Numbers: what the pictures show, measured. Likelihood, variational bound, distance to the data, round trips. */

import { $ } from "../dom.js";
import { el, hush, number, say } from "../strings.js";
import { DOTS } from "../colours.js";
import { Chart } from "./chart.js";
import { draws, named } from "./samplers.js";
import { panes } from "./state.js";

/** Steps of the chain whose variational bound is shown. */
const TERMS = 40;

/** The ends of the race (evaluations), between which the band lies from the beginning. */
const ENDS = [5, 100];

/** The charts, made when they are first needed. @type {Record<string, Chart>} */
const charts = {};

/** Where the likelihood is asked for (units of the data). @returns {number[][]} */
function asked({ places }) {
  const all = places.split("_").map(Number);
  return Array.from({ length: all.length / 2 }, (_, i) => all.slice(2 * i, 2 * i + 2));
}

/** @param {import("./view.js").Lab} lab */
export async function open(lab) {
  await wait(lab);
  const { stage, live } = lab;
  stage.panes[0].plane.front.onclick = (event) => add(lab, stage.panes[0].plane.under(event));
  $("lab-ask").onclick = () => add(lab, ["lab-ask-x", "lab-ask-y"].map((id) => $(id).valueAsNumber));
  for (const measure of [likelihood, bound, inversion, race]) {
    if (live()) await measure(lab).catch((thrown) => live() && lab.tell(thrown));
  }
}

/** What needs no model: the data. @param {import("./view.js").Lab} lab */
export async function wait({ engine, stage, settings }) {
  stage.layout([{ seen: "lab.see.data", words: () => ["lab.at.data", {}], head: el("h2", "lab.density") }], { ...settings, field: "none" });
  const [pane] = stage.panes;
  stage.marked = asked(settings);
  const data = await engine.data(settings.particles);
  pane.labels = data.label;
  stage.add(pane, { step: 0, steps: 0, clock: 0, x: data.x });
}

async function add(lab, place) {
  const { catalogue, stage } = lab;
  const [from, to] = catalogue.lab_limits.place;
  if (!place.every((value) => value >= from && value <= to)) return say($("lab-ask-refused"), "lab.ask.refused", { from, to });
  hush($("lab-ask-refused"));
  lab.asked([...asked(lab.settings), place.map((value) => Number(value.toFixed(3)))].slice(-catalogue.lab_limits.places[1]));
  stage.marked = asked(lab.settings);
  stage.paint();
  await likelihood(lab).catch(lab.tell);
}

export const cell = (value, digits) => el("td", "plain", { text: value.toFixed(digits) });
const power = (value) => el("td", "plain", { text: value.toExponential(1) });

/** A table with a head of texts and rows of numbers. */
export function table(box, head, rows) {
  const top = document.createElement("tr");
  top.append(...head.map((key) => el("th", key, {}, { scope: "col" })));
  box.replaceChildren(top, ...rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells);
    return row;
  }));
}

async function likelihood({ engine, settings, live }) {
  const rows = await engine.likelihood(Float32Array.from(asked(settings).flat()));
  if (!live()) return;
  const head = ["lab.point", "lab.ode", "lab.analytic", "lab.off", "lab.nfe.short"];
  table($("lab-likelihood"), head, rows.map(({ x, y, ode, analytic, nfe }, i) => [el("th", "lab.point.at", { index: i + 1, x: x.toFixed(2), y: y.toFixed(2) }, { scope: "row" }), cell(ode, 4), cell(analytic, 4), power(Math.abs(ode - analytic)), cell(nfe, 0)]));
}

async function bound({ engine, live }) {
  const { terms, total, error, entropy } = await engine.bound(TERMS);
  if (!live()) return;
  charts.bound ??= new Chart($("lab-bound"), { bars: true, across: "lab.bound.across", up: "lab.nats" });
  charts.bound.show([{ colour: "--noise", key: "lab.bound.term" }], [terms.map((_, i) => i), terms]);
  say($("lab-bound-sum"), "lab.bound.sum", { total: total.toFixed(3), error: error.toFixed(3), entropy: entropy.toFixed(3) });
}

async function inversion({ engine, settings, catalogue, live }) {
  const all = panes(settings);
  const back = all.map(({ sampler }, i) => (draws(catalogue, sampler, settings) ? 0 : i + 1)).filter(Boolean);
  const trips = back.length > 0 ? await engine.inversion(Uint32Array.from(back)) : [];
  if (!live()) return;
  const rows = all.map(({ sampler, steps }, i) => {
    const title = el("th", "lab.trajectory", { name: named(catalogue, sampler), steps }, { scope: "row" });
    const trip = trips[back.indexOf(i + 1)];
    if (!trip) return [title, el("td", "lab.inversion.none", {}, { colSpan: 3 })];
    return [title, power(trip.error_mean), power(trip.error_max), cell(trip.nfe, 0)];
  });
  table($("lab-inversion"), ["lab.pane.sampler", "lab.inversion.mean", "lab.inversion.max", "lab.nfe.short"], rows);
}

/** Each sampler of the panes, at growing numbers of evaluations, above the band of data from data: rows arrive one by one. */
async function race(lab) {
  const { catalogue, engine, live } = lab;
  const rows = [];
  const style = { logX: true, logY: true, across: "lab.nfe" };
  charts.sliced ??= new Chart($("lab-sliced"), { ...style, up: "lab.race.sliced" });
  charts.energy ??= new Chart($("lab-energy"), { ...style, up: "lab.race.energy" });
  const floor = await engine.floor();
  if (!live()) return;
  say($("lab-race-state"), "lab.race.floor", { points: floor.points, seeds: floor.seeds });
  const draw = () => {
    const samplers = [...new Set(rows.map(({ sampler }) => sampler))];
    const counts = [...new Set([...ENDS, ...rows.map(({ nfe }) => nfe)])].sort((a, b) => a - b);
    const series = samplers.map((id, i) => ({ colour: DOTS[i], key: "plain", id, values: { text: named(catalogue, id) } }));
    // A logarithm has no place for zero, nor for what is not there yet.
    const value = (id, nfe, what) => Math.max(rows.find((row) => row.sampler === id && row.nfe === nfe)?.[what] ?? NaN, 1e-6) || null;
    for (const [chart, what] of [[charts.sliced, "sliced_wasserstein"], [charts.energy, "energy"]]) {
      const [from, to] = floor[what];
      chart.show(series, [counts, ...samplers.map((id) => counts.map((nfe) => value(id, nfe, what)))], { colour: "--soft", key: "lab.race.band", from, to });
    }
  };
  draw();
  await lab.stream(engine.race(), (row) => {
    rows.push(row);
    draw();
    say($("lab-race-row"), "lab.race.row", { name: named(catalogue, row.sampler), nfe: row.nfe, sliced: () => number(row.sliced_wasserstein, 4), energy: () => number(row.energy, 4) });
  });
}
