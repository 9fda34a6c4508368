/** What a person may turn on the chosen sampler: a field for each knob of its row. */

import { el, say } from "./strings.js";
import { put } from "./typing.js";

/**
 * @typedef {{id: string, default: number | null, least: number | null, most: number | null, whole: boolean}} Knob null is without end
 * @typedef {{id: string, stochastic: boolean, knobs: Knob[]}} Method
 * @typedef {import("./state.js").Settings} Settings
 */

/** A slider has about this many places. More would be too fine to hit, and a knob that starts below its first few gets none. */
const PLACES = 100;
const FIRST_FEW = 10;

/** What each of these knobs needs to be above 0 to do anything, where the method has that too. */
const NEEDS = { "churn-min": ["churn"], "churn-max": ["churn"], "noise-scale": ["churn", "eta"] };

/** Where a knob stands. @param {Method} method @param {Settings} settings */
const value = ({ knobs }, settings, id) => settings[id] ?? knobs.find((knob) => knob.id === id)?.default;

/** Whether the method draws fresh noise as it is turned. @param {Method} method @param {Settings} settings */
export function draws(method, settings) {
  const source = ["eta", "churn"].find((id) => method.knobs.some((knob) => knob.id === id));
  return source ? value(method, settings, source) > 0 : method.stochastic;
}

/**
 * Puts the fields of a method's knobs into `box`.
 * @param {HTMLElement} box
 * @param {Method} method
 * @param {(id: string, value: number | null) => void} turned null puts the knob back
 */
export function build(box, { knobs }, turned) {
  box.replaceChildren(...knobs.map((knob) => field(knob, turned)));
}

/** Shows where the knobs stand. @param {HTMLElement} box @param {Method} method @param {Settings} settings */
export function show(box, method, settings) {
  for (const knob of method.knobs) {
    const now = value(method, settings, knob.id);
    const input = box.querySelector(`#knob-${knob.id}`);
    put(input, now === null ? "" : String(now));
    const missing = NEEDS[knob.id]?.find((id) => value(method, settings, id) === 0);
    input.parentElement.classList.toggle("idle", Boolean(missing));
    say(box.querySelector(`#knob-${knob.id}-hint`), missing ? `knob.idle.${missing}` : `knob.${knob.id}.hint`);
    const slider = box.querySelector(`#knob-${knob.id}-slider`);
    if (!slider) continue;
    slider.value = String(now);
    slider.style.setProperty("--filled", `${(100 * (slider.value - slider.min)) / (slider.max - slider.min)}%`);
  }
}

/** @param {Knob} knob */
function field(knob, turned) {
  const { id, least, most, whole, default: normal } = knob;
  const box = document.createElement("div");
  box.className = "field";
  const key = `knob-${id}`;
  // Back at its place it is no longer turned, and a link need not say so.
  const turn = (given) => turned(id, given === normal ? null : given);
  const input = el("input", "", {}, { type: "number", id: key, step: whole ? "1" : "any", min: least ?? "", max: most ?? "" });
  Object.assign(input, { inputMode: whole ? "numeric" : "decimal", placeholder: normal === null ? "∞" : "" });
  input.setAttribute("aria-describedby", `${key}-hint`);
  input.addEventListener("change", () => turn(legal(input.value, knob)));
  box.append(el("label", `knob.${id}`, {}, { htmlFor: key }));
  const pace = step(knob);
  if (pace) {
    const slider = el("input", "", {}, { type: "range", id: `${key}-slider`, min: Math.floor(least / pace) * pace, max: most, step: pace });
    slider.dataset.i18nLabel = `knob.${id}`;
    say(slider, "");
    slider.addEventListener("input", () => turn(legal(slider.value, knob)));
    box.append(slider);
  }
  box.append(input, el("p", `knob.${id}.hint`, {}, { id: `${key}-hint`, className: "hint" }));
  return box;
}

/** The step of a knob's slider, a round number; none where a slider would not do. @param {Knob} knob */
function step({ least, most, whole, default: normal }) {
  if (least === null || most === null || normal === null) return undefined;
  const width = most - least;
  if (whole) return width <= FIRST_FEW ? 1 : undefined;
  const pace = 10 ** Math.floor(Math.log10((2 * width) / PLACES));
  return width > 0 && width <= PLACES && (normal === least || normal >= FIRST_FEW * pace) ? pace : undefined;
}

/** What a person gave, within the knob's range; nothing puts the knob back, and so does what is no number. */
function legal(text, { least, most, whole }) {
  const given = Number(text);
  if (text.trim() === "" || Number.isNaN(given)) return null;
  return Math.min(Math.max(whole ? Math.round(given) : given, least ?? -Infinity), most ?? Infinity);
}
