/** One axis of a grid: a setting, its values as they are typed, and a list to pick values from. */

import { el, hush, knows, label, say } from "./strings.js";
import { named, worded } from "./worded.js";

/** Values that an axis begins with. */
const FIRST = { steps: "5,10,20,40", guidance: "1-4", seed: "1-4", sampler: "ddim,dpmpp-2m,heun", eta: "0-1 [3]", variation: "0-1 [5]" };
/** Settings that come first in the list. */
const USUAL = ["steps", "sampler", "schedule", "guidance", "seed", "class", "prompt", "model"];

export class Axis {
  /** @param {"x" | "y"} key @param {(key: string, value: string) => import("../pkg/index.js").Problem | undefined} take */
  constructor(key, take) {
    Object.assign(this, { key, take });
    const id = `compare-${key}`;
    this.box = el("div", "", {}, { className: "axis" });
    this.setting = el("select", "", {}, { id: `${id}-key` });
    this.values = el("input", "", {}, { id: `${id}-values`, type: "text", autocomplete: "off", spellcheck: false });
    this.picker = el("select", "", {}, { id: `${id}-pick` });
    this.refusal = el("p", "", {}, { className: "hint bad", id: `${id}-refused`, role: "alert" });
    label(this.values, `compare.${key}.values`);
    label(this.picker, `compare.${key}.pick`);
    this.values.setAttribute("aria-describedby", `${id}-refused`);
    this.setting.addEventListener("change", () => this.turn());
    this.values.addEventListener("change", () => this.give());
    this.picker.addEventListener("change", () => this.pick());
    this.box.append(el("label", `compare.${key}`, {}, { htmlFor: this.setting.id }), this.setting, this.values, this.picker, this.refusal);
  }

  /** @param {import("./controls.js").Controls} controls */
  show(controls) {
    this.controls = controls;
    const fits = (key) => {
      const row = controls.catalogue.settings.find((row) => row.key === key);
      return row ? controls.has(row.needs) : true;
    };
    const keys = controls.catalogue.axes.filter(fits);
    const first = USUAL.filter((key) => keys.includes(key));
    const rest = keys.filter((key) => !USUAL.includes(key));
    const option = (key) => el("option", named(key), {}, { value: key });
    this.setting.replaceChildren(el("option", "compare.none", {}, { value: "" }), ...[...first, ...rest].map(option));
    const [, key = "", values = ""] = /^([^:]*):([\s\S]*)$/.exec(controls.settings[this.key] ?? "") ?? [];
    this.setting.value = key;
    this.values.value = values;
    this.accept();
    this.list();
  }

  /** An axis to begin with, where there is none. */
  suggest() {
    if (this.controls.settings[this.key]) return;
    this.setting.value = this.controls.has("grid") ? "steps" : "seed";
    this.turn();
  }

  /** Another setting: values that it may begin with. */
  turn() {
    const key = this.setting.value;
    this.list();
    const picks = [...this.picker.options].slice(1, 4).map(({ value }) => value);
    this.values.value = FIRST[key] ?? (picks.length ? picks.join(",") : quoted(String(this.controls.settings[key] ?? this.default(key))));
    this.give();
  }

  default(key) {
    const rows = [...this.controls.catalogue.settings, ...this.controls.catalogue.samplers.flatMap(({ knobs }) => knobs)];
    return rows.find((row) => row.key === key)?.default ?? "";
  }

  /** What there is to pick for the setting. */
  list() {
    const key = this.setting.value;
    const { catalogue, about, models } = this.controls;
    const lists = {
      sampler: () => catalogue.samplers.filter(({ compat }) => !compat).map(({ id }) => id),
      schedule: () => catalogue.schedules.filter(({ list }) => !list).map(({ id }) => id),
      class: () => ["all", ...(about && about.null_class !== null ? ["none"] : []), ...(about?.classes ?? []).map((_, i) => String(i))],
      model: () => [this.controls.settings.model, ...models.map(({ id }) => id).filter((id) => id !== this.controls.settings.model)],
    };
    const values = lists[key]?.() ?? catalogue.settings.find((row) => row.key === key)?.options ?? [];
    const option = (value) => el("option", "plain", { text: worded(key, value, this.controls) }, { value });
    this.picker.replaceChildren(el("option", "compare.pick", {}, { value: "" }), ...values.map(option));
    this.picker.hidden = values.length === 0;
    this.values.hidden = key === "";
  }

  pick() {
    if (!this.picker.value) return;
    this.values.value = [this.values.value.trim(), this.picker.value].filter(Boolean).join(",");
    this.picker.value = "";
    this.give();
  }

  give() {
    const key = this.setting.value;
    const refused = this.take(this.key, key && `${key}:${this.values.value}`);
    this.accept();
    if (!refused) return;
    this.values.setAttribute("aria-invalid", "true");
    const known = `compare.refused.${refused.code}`;
    if (knows(known)) say(this.refusal, known, { ...refused, from: String(refused.from ?? ""), to: String(refused.to ?? "") });
    else say(this.refusal, "compare.refused.other", { message: refused.message });
  }

  accept() {
    this.values.removeAttribute("aria-invalid");
    hush(this.refusal);
  }
}

/** A text with commas of its own, as one value. */
const quoted = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
