/** Cooling: particles wander on the landscape of the energy U = -log p while the temperature falls, slowly and fast. */

import { $ } from "../dom.js";
import { el, number } from "../strings.js";
import { CurveEditor } from "./curve.js";

/** Powers of ten that a temperature may have, and those that are marked. */
export const RANGE = [-3, 3];
const MARKS = [-3, -2, -1, 0, 1, 2, 3];
/** Handles of a curve that nobody has edited yet. */
const HANDLES = 6;
/** Steps of the slow cooling, at most. */
const MOST = 10_000;
/** Steps that trails go back: all of them would be a tangle. */
const TAIL = 12;

const words = ({ frame }) => [
  "lab.at.cool",
  { step: frame.step, steps: frame.steps, temperature: () => number(frame.temperature, 3), energy: () => number(frame.energy_mean, 2), share: () => number(100 * frame.at_minimum, 0) },
];

let editor;
let change = () => {};

/** @param {import("./view.js").Lab} lab */
export async function open(lab) {
  const { engine, stage, settings } = lab;
  tools(lab);
  stage.layout(["slow", "fast"].map((kind) => ({ seen: `lab.see.${kind}`, words, head: el("h2", `lab.head.${kind}`), tail: TAIL })), settings, "landscape");
  stage.territories(await engine.data(settings.particles));
  if (!lab.live()) return;
  lab.begin();
  for (const [i, which] of ["slow", "fast"].entries()) {
    if (!lab.live()) return;
    await lab.stream(engine.anneal(which === "fast"), (frame) => stage.add(stage.panes[i], { clock: 0, ...frame }));
  }
}

/** The temperatures of a link as powers of ten: the edited ones, or a straight line from hot to cold. */
export function temperatures({ temperature, cooling }) {
  if (cooling) return String(cooling).split("_").map(Number);
  const [hot, cold] = temperature.split("_").map((text) => Math.log10(Number(text)));
  return Array.from({ length: HANDLES }, (_, i) => hot + ((cold - hot) * i) / (HANDLES - 1));
}

/** How high the temperature stands on its scale, at a place of the clock. @returns {(place: number) => number} */
export function heat(settings) {
  const powers = temperatures(settings);
  const [low, high] = RANGE;
  return (clock) => {
    const place = (powers.length - 1) * clock;
    const before = Math.min(Math.floor(place), powers.length - 2);
    const power = powers[before] + (powers[before + 1] - powers[before]) * (place - before);
    return Math.min(Math.max((power - low) / (high - low), 0), 1);
  };
}

/** The cooling curve and its steps. */
function tools(lab) {
  change = (key, value) => lab.change({ [key]: value });
  editor ??= new CurveEditor($("lab-cooling"), { range: RANGE, marks: MARKS, name: "lab.cooling.handle", word: (value) => number(10 ** value, 3), changed: (values) => change("cooling", values.map((value) => value.toFixed(2)).join("_")) });
  const parts = lab.settings.temperature.split("_");
  editor.show(temperatures(lab.settings), { ends: ["1", parts[2]] });
  const steps = $("lab-cooling-steps");
  steps.value = parts[2];
  steps.onchange = () => {
    const wanted = Math.min(Math.max(Math.round(Number(steps.value)) || Number(parts[2]), 10), MOST);
    change("temperature", [...parts.slice(0, 2), wanted].join("_"));
  };
  $("lab-cooling-straight").onclick = () => change("cooling", null);
}
