/** The lab's form, built from the table of keys: it always shows the settings, and changes them one at a time. */

import { el, hush, knows, label, number, say } from "../strings.js";
import { put } from "../typing.js";
import { KEYS, OWN } from "./state.js";

const ROWS = KEYS.filter(({ part }) => part);

export class Form {
  /** @param {(key: string, value: string | number) => void} change hears what a person has chosen */
  constructor(change) {
    this.change = change;
    this.built = false;
    this.own = 1;
  }

  /** Builds the fields. @param {object} catalogue the engine's */
  build(catalogue) {
    this.catalogue = catalogue;
    if (this.built) return;
    this.built = true;
    for (const row of ROWS) document.querySelector(`[data-part="${row.part}"]`).append(this.field(row));
  }

  field({ key, kind, step }) {
    const id = `lab-${key}`;
    const box = el("div", "", {}, { className: "field", id: `${id}-field` });
    box.append(el("label", `lab.${key}`, {}, { htmlFor: id }));
    const control = kind === "choice" ? el("select", "", {}, { id }) : el("input", "", {}, { id, type: "text", inputMode: kind === "whole" ? "numeric" : "decimal", className: "short", autocomplete: "off" });
    control.setAttribute("aria-describedby", `${id}-hint ${id}-refused`);
    control.addEventListener("change", () => this.take(key, control.value));
    if (kind === "slider") {
      const [min, max] = this.catalogue.limits[key];
      const slider = el("input", "", {}, { type: "range", id: `${id}-slider`, min, max, step });
      label(slider, `lab.${key}`);
      slider.addEventListener("change", () => this.take(key, slider.value));
      box.append(slider);
    }
    box.append(control);
    if (key === "seed") box.append(this.dice());
    box.append(el("p", knows(`lab.${key}.hint`) ? `lab.${key}.hint` : "", {}, { className: "hint", id: `${id}-hint` }));
    box.append(el("p", "", {}, { className: "hint bad", id: `${id}-refused`, role: "alert" }));
    return box;
  }

  dice() {
    const button = el("button", "lab.dice", {}, { type: "button", className: "quiet" });
    button.addEventListener("click", () => this.change("seed", crypto.getRandomValues(new Uint32Array(1))[0] % 1_000_000));
    return button;
  }

  /** Takes what was typed or chosen, or says why not. */
  take(key, text) {
    const { kind } = ROWS.find((row) => row.key === key);
    if (kind === "choice") return this.change(key, key === "class" ? Number(text) : text);
    const [from, to] = this.catalogue.limits[key];
    const value = text.trim() === "" ? NaN : Number(text);
    const good = value >= from && value <= to && (kind !== "whole" || Number.isInteger(value));
    if (good) return this.change(key, value);
    const refused = document.getElementById(`lab-${key}-refused`);
    say(refused, kind === "whole" ? "lab.refused.whole" : "lab.refused", { value: text, name: this.name(key), from: String(from), to: String(to) });
    document.getElementById(`lab-${key}`).setAttribute("aria-invalid", "true");
  }

  name = (key) => () => document.querySelector(`label[for="lab-${key}"]`).textContent;

  /** Opens the parts of the form that a link has set something in. */
  unfold(settings) {
    const { defaults } = this.catalogue;
    const set = (part) => ROWS.some((row) => row.part === part && String(settings[row.key]) !== String(defaults[row.key]));
    if (settings.data === OWN) document.getElementById("lab-own").open = true;
    if (set("guidance")) document.getElementById("lab-part-guidance").open = true;
    if (set("network")) document.getElementById("lab-network").open = true;
  }

  /** Puts the settings into the fields. @param {number} [own] how many components data of one's own have, once it is known */
  show(settings, own = this.own) {
    this.own = own;
    const { limits } = this.catalogue;
    for (const { key, kind, options } of ROWS) {
      const control = document.getElementById(`lab-${key}`);
      if (kind === "choice") this.choices(control, key, options(this.catalogue, settings, own));
      put(control, String(settings[key]));
      control.removeAttribute("aria-invalid");
      hush(document.getElementById(`lab-${key}-refused`));
      if (kind !== "slider") continue;
      const slider = document.getElementById(`lab-${key}-slider`);
      const [from, to] = limits[key];
      slider.value = String(settings[key]);
      slider.setAttribute("aria-valuetext", number(settings[key]));
      slider.style.setProperty("--filled", `${(100 * (settings[key] - from)) / (to - from)}%`);
    }
    document.getElementById("lab-part-guidance").hidden = document.getElementById("lab-class").options.length < 3;
    document.getElementById("lab-network").hidden = settings.model !== "learned";
    for (const key of ["guide", "guidance"]) document.getElementById(`lab-${key}-field`).classList.toggle("idle", Number(settings.class) < 0);
    say(document.getElementById("lab-data-hint"), `lab.data.${settings.data}.hint`);
    say(document.getElementById("lab-process-hint"), `lab.process.${settings.process}.hint`);
    say(document.getElementById("lab-model-hint"), `lab.model.${settings.model}.hint`);
    say(document.getElementById("lab-objective-hint"), `lab.objective.${settings.objective}.hint`);
  }

  /** Fills a list of choices, unless it has them already. */
  choices(select, key, ids) {
    if ([...select.options].map(({ value }) => value).join() === ids.join()) return;
    const option = (id) => (key === "class" && id !== "-1" ? el("option", "lab.class.one", { index: Number(id) + 1 }, { value: id }) : el("option", `lab.${key}.${id}`, {}, { value: id }));
    select.replaceChildren(...ids.map(option));
  }
}
