/** The lab's form, made from the catalogue's rows: it always shows the settings, and changes them one at a time. */

import { Field, dice } from "../field.js";
import { el } from "../strings.js";
import { SDE } from "./samplers.js";
import { EXACT, OWN, panes } from "./state.js";

const $ = (id) => document.getElementById(`lab-${id}`);
/** Fields whose hint is that of the choice. */
const EXPLAINED = ["data", "process", "model", "objective"];
/** Keys with tools of their own. */
const ELSEWHERE = ["train-steps", "view", "clock"];

export class Form {
  /** @param {(key: string, value: import("../field.js").Value) => void} take hears what a person has typed or chosen */
  constructor(take) {
    this.take = take;
    /** @type {Record<string, Field>} */
    this.fields = {};
    this.own = 1;
  }

  /** Builds the fields, once. @param {object} catalogue */
  build(catalogue) {
    if (this.catalogue) return;
    this.catalogue = catalogue;
    for (const row of catalogue.lab) {
      const part = document.querySelector(`[data-part="${row.section}"]`);
      if (!part || row.shown === "own" || ELSEWHERE.includes(row.key)) continue;
      const shown = row.key === "class" ? "select" : row.shown; // by name
      const field = new Field({ ...row, shown }, { take: (key, value) => this.take(key, value), prefix: "lab-", texts: "lab.", type: "text", slide: "change" });
      this.fields[row.key] = field;
      part.append(field.box);
    }
    $("seed").after(dice(el("button", "lab.dice", {}, { type: "button", className: "quiet" }), (seed) => this.take("seed", seed)));
  }

  /** Says why something typed cannot be had. @param {import("../field.js").Problem} problem */
  refuse(problem, settings) {
    this.fields[problem.key]?.refuse(problem, settings[problem.key]);
  }

  /** Nothing waits to be mended any more. */
  accept() {
    for (const field of Object.values(this.fields)) field.accept();
  }

  /** Opens the parts of the form that a link has set something in. */
  unfold(settings) {
    const set = (part) => Object.values(this.fields).some(({ row }) => row.section === part && String(settings[row.key]) !== String(row.default));
    if (settings.data === OWN) $("own").open = true;
    if (set("guidance")) $("part-guidance").open = true;
    if (set("network")) $("network").open = true;
  }

  /** Puts the settings into the fields. @param {number} [own] how many components data of one's own have, once it is known */
  show(settings, own = this.own) {
    this.own = own;
    const { fields } = this;
    const sets = this.catalogue.lab_data.map(({ id }) => id);
    fields.data.choices(settings.data === OWN ? [...sets, OWN] : sets);
    fields.class.choices(this.classes(settings));
    for (const field of Object.values(fields)) field.show(settings[field.row.key]);
    $("part-guidance").hidden = fields.class.control.options.length < 3;
    $("network").hidden = settings.model !== "learned";
    for (const key of ["guide", "guidance"]) fields[key].idle(Number(settings.class) < 0);
    fields.field.box.hidden = EXACT.includes(settings.view);
    for (const key of ["particles", "heat"]) fields[key].box.hidden = settings.view === "discrete"; // there is no plane
    fields.eta.idle(!panes(settings).some(({ sampler }) => sampler === SDE));
    for (const key of EXPLAINED) fields[key].explain(`lab.${key}.${settings[key]}.hint`);
  }

  /** No component, or one of those that the data has. */
  classes({ data }) {
    const components = this.catalogue.lab_data.find(({ id }) => id === data)?.components ?? this.own;
    const one = (_, i) => ({ id: String(i), key: "lab.class.one", values: { index: i + 1 } });
    return [{ id: "-1", key: "lab.class.-1" }, ...Array.from({ length: components }, one)];
  }
}
