/** One field of a form, made from a row of the catalogue: its texts are `KEY`, `KEY.hint` and `KEY.OPTION`. */

import { el, hush, knows, label, number, say } from "./strings.js";
import { put } from "./typing.js";

/** @typedef {import("../pkg/index.js").Row} Row @typedef {import("../pkg/index.js").Problem} Problem @typedef {string | number | null} Value */

export class Field {
  /**
   * @param {Row} row
   * @param {object} form
   * @param {(key: string, value: Value) => void} form.take hears what a person has typed, chosen or slid; null is the default
   * @param {string} [form.prefix] of the ids
   * @param {string} [form.texts] of the keys of the texts
   * @param {"text" | "number"} [form.type] of inputs for numbers: a number's has steps, a text's keeps whatever was typed
   * @param {"input" | "change"} [form.slide] when a slider is heard
   * @param {number[]} [form.stops] where the slider stops, if not in equal steps
   */
  constructor(row, { take, prefix = "", texts = "", type = "number", slide = "input", stops }) {
    Object.assign(this, { row, texts: `${texts}${row.key}`, stops });
    const id = `${prefix}${row.key}`;
    this.take = (value) => take(row.key, value);
    this.box = el("div", "", {}, { className: "field", id: `${id}-field` });
    this.box.append(el("label", this.texts, {}, { htmlFor: id }));
    if (row.shown === "slider") this.slider = this.slide(`${id}-slider`, slide);
    this.control = row.shown === "select" ? el("select", "", {}, { id }) : this.input(id, type);
    this.control.setAttribute("aria-describedby", `${id}-hint ${id}-refused`);
    this.control.addEventListener("change", () => this.take(this.given()));
    this.hint = el("p", "", {}, { className: "hint", id: `${id}-hint` });
    this.refusal = el("p", "", {}, { className: "hint bad", id: `${id}-refused`, role: "alert" });
    this.box.append(...[this.slider, this.control, this.hint, this.refusal].filter(Boolean));
    this.explain();
    if (row.options) this.choices(row.options);
  }

  input(id, type) {
    const { kind, min, max } = this.row;
    if (kind === "text") return el("input", "", {}, { type: "text", id, autocomplete: "off" });
    const input = el("input", "", {}, { type, id, autocomplete: "off", className: type === "text" ? "short" : "" });
    input.inputMode = kind === "whole" ? "numeric" : "decimal";
    if (type === "number") Object.assign(input, { step: kind === "whole" ? "1" : "any", min: min ?? "", max: max ?? "" });
    if (max === null || max === undefined) input.placeholder = "∞";
    return input;
  }

  slide(id, heard) {
    const { min, max, step, end } = this.row;
    const range = this.stops ? { min: 0, max: this.stops.length - 1, step: 1 } : { min: Math.floor(min / step) * step, max: end ?? max, step };
    const slider = el("input", "", {}, { type: "range", id, ...range });
    label(slider, this.texts);
    slider.addEventListener(heard, () => this.take(this.stops ? this.stops[Number(slider.value)] : Number(slider.value)));
    return slider;
  }

  /** What was typed or chosen, as a number where it is one. An empty field puts back what has no end. */
  given() {
    const text = this.control.value.trim();
    const numeric = this.row.kind === "whole" || this.row.kind === "number";
    if (!numeric) return this.control.value;
    if (text === "") return this.control.placeholder && !this.control.validity.badInput ? null : "";
    return Number.isFinite(Number(text)) ? Number(text) : text;
  }

  /** Fills a list, unless it has these choices already. @param {(string | {id: string, key: string, values?: object})[]} options */
  choices(options) {
    const all = options.map((option) => (typeof option === "string" ? { id: option, key: `${this.texts}.${option}` } : option));
    const listed = JSON.stringify(all);
    if (listed === this.listed) return;
    this.listed = listed;
    this.control.replaceChildren(...all.map(({ id, key, values }) => el("option", key, values, { value: id })));
  }

  /** Shows a value, unless something that was refused waits to be mended. @param {Value} value */
  show(value) {
    if (this.refused !== undefined && this.refused === value) return;
    this.accept();
    const shown = value === "inf" || value === undefined || value === null ? "" : String(value);
    put(this.control, shown);
    if (!this.slider) return;
    const place = this.stops ? this.stops.indexOf(this.stops.reduce((best, stop) => (Math.abs(stop - value) < Math.abs(best - value) ? stop : best))) : value;
    const { slider } = this;
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", number(value));
    slider.style.setProperty("--filled", `${(100 * (slider.value - slider.min)) / (slider.max - slider.min)}%`);
  }

  /** Says what the field takes, and leaves what was typed to be mended. @param {Problem} problem @param {Value} standing what stays */
  refuse(problem, standing) {
    const { code, from, to, value } = problem;
    this.refused = standing;
    this.control.setAttribute("aria-invalid", "true");
    const used = () => (standing === "inf" ? "∞" : String(standing));
    const values = { value: String(value), from: String(from), to: String(to), used };
    const kind = this.row.kind === "whole" ? "refused.whole" : to === "inf" ? "refused.least" : "refused";
    if (knows(`refused.${code}`) && code !== "whole") say(this.refusal, `refused.${code}`, { ...problem, ...values });
    else if (code !== "range" && code !== "whole") say(this.refusal, "refused.other", values);
    else if (String(value) === "") say(this.refusal, to === "inf" ? "refused.none.least" : "refused.none", values);
    else say(this.refusal, kind, values);
  }

  /** Nothing waits to be mended any more. */
  accept() {
    this.refused = undefined;
    this.control.removeAttribute("aria-invalid");
    hush(this.refusal);
  }

  /** Explains the field by a text, or by its own. */
  explain(key = knows(`${this.texts}.hint`) ? `${this.texts}.hint` : "", values = {}) {
    if (key) say(this.hint, key, values);
    else hush(this.hint);
  }

  /** Moves the end of the slider. @param {number} end */
  reach(end) {
    const { min, step } = this.row;
    Object.assign(this.slider, { max: String(end), step: String(Math.min(step, (end - min) / 20)) });
  }

  /** Marks a field that nothing comes of as things stand. */
  idle(idle) {
    this.box.classList.toggle("idle", idle);
  }
}

/** A button that throws dice for a seed. @param {(seed: number) => void} take */
export function dice(button, take) {
  // At most six digits, so that one can say it to a friend.
  button.addEventListener("click", () => take(crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000));
  return button;
}
