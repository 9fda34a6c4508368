/** Cooling: particles wander on the landscape of the energy U = -log p while the temperature falls, slowly and fast. */

import { $ } from "../dom.js";
import { el, number } from "../strings.js";
import { CurveEditor } from "./curve.js";

/** Powers of ten that a temperature may have. */
export const RANGE = [-2, 2];
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
  stage.layout(["slow", "fast"].map((kind) => ({ seen: `lab.see.${kind}`, words, head: el("h3", `lab.head.${kind}`), tail: TAIL })), settings, "landscape");
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

/** The cooling curve and its steps. */
function tools(lab) {
  change = (key, value) => lab.change({ [key]: value });
  editor ??= new CurveEditor($("lab-cooling"), { range: RANGE, name: "lab.cooling.handle", word: (value) => number(10 ** value, 3), changed: (values) => change("cooling", values.map((value) => value.toFixed(2)).join("_")) });
  editor.show(temperatures(lab.settings));
  const parts = lab.settings.temperature.split("_");
  const steps = $("lab-cooling-steps");
  steps.value = parts[2];
  steps.onchange = () => {
    const wanted = Math.min(Math.max(Math.round(Number(steps.value)) || Number(parts[2]), 10), MOST);
    change("temperature", [...parts.slice(0, 2), wanted].join("_"));
  };
  $("lab-cooling-straight").onclick = () => change("cooling", null);
}
