/** What a person may turn on the chosen sampler: a field for each knob of its row. */

import { el, say } from "./strings.js";

/** @typedef {{id: string, default: number | null, least: number | null, most: number | null, whole: boolean}} Knob null is without end */

/** A slider over more than this would be too coarse to hit anything with. */
const WIDEST_SLIDER = 100;

/**
 * Puts the fields of a method's knobs into `box`.
 * @param {HTMLElement} box
 * @param {{knobs: Knob[]}} method
 * @param {(id: string, value: number | null) => void} turned null puts the knob back
 */
export function build(box, { knobs }, turned) {
  box.replaceChildren(...knobs.map((knob) => field(knob, turned)));
}

/** Shows where the knobs stand. @param {import("./state.js").Settings} settings */
export function show(box, { knobs }, settings) {
  for (const knob of knobs) {
    const value = settings[knob.id] ?? knob.default;
    box.querySelector(`#${knob.id}`).value = value === null ? "" : String(value);
    const slider = box.querySelector(`#${knob.id}-slider`);
    if (!slider) continue;
    slider.value = String(value);
    slider.style.setProperty("--filled", `${(100 * (slider.value - knob.least)) / (knob.most - knob.least)}%`);
  }
}

function field({ id, least, most, whole, default: normal }, turned) {
  const box = document.createElement("div");
  box.className = "field";
  box.append(el("label", `knob.${id}`, {}, { htmlFor: id }));
  const step = whole ? "1" : "any";
  const input = el("input", "", {}, { type: "number", id, step, inputMode: whole ? "numeric" : "decimal", placeholder: normal === null ? "∞" : "" });
  if (least !== null && most !== null && most - least <= WIDEST_SLIDER) {
    const slider = el("input", "", {}, { type: "range", id: `${id}-slider`, min: least, max: most, step: whole ? 1 : (most - least) / 100 });
    slider.dataset.i18nLabel = `knob.${id}`;
    say(slider, "");
    slider.addEventListener("input", () => turned(id, Number(slider.value)));
    box.append(slider);
  }
  input.setAttribute("aria-describedby", `${id}-hint`);
  input.addEventListener("change", () => turned(id, legal(input.value, { least, most, whole })));
  box.append(input, el("p", `knob.${id}.hint`, {}, { id: `${id}-hint`, className: "hint" }));
  return box;
}

/** What a person typed, within the knob's range; nothing puts the knob back, and so does what is no number. */
function legal(text, { least, most, whole }) {
  const value = Number(text);
  if (text.trim() === "" || Number.isNaN(value)) return null;
  return Math.min(Math.max(whole ? Math.round(value) : value, least ?? -Infinity), most ?? Infinity);
}
