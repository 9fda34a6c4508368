/** The parameters of the chosen sampler: a field for each row of its catalogue entry. */

import { Field } from "./field.js";

/** Where a knob stands. */
export const standing = ({ knobs }, settings, key) => settings[key] ?? knobs.find((knob) => knob.key === key)?.default;

/** Whether the method draws fresh noise as it is tuned. */
export const draws = (method, settings) => (method.noise ? standing(method, settings, method.noise) > 0 : method.stochastic);

export class Knobs {
  /** @param {HTMLElement} box @param {(key: string, value: import("./field.js").Value) => void} take */
  constructor(box, take) {
    Object.assign(this, { box, take, sampler: "", fields: [] });
  }

  /** Shows where the knobs of a method stand. */
  show(method, settings) {
    if (this.sampler !== method.id) {
      this.sampler = method.id;
      this.fields = method.knobs.map((row) => new Field(row, { take: this.take, prefix: "knob-", texts: "knob." }));
      this.box.replaceChildren(...this.fields.map(({ box }) => box));
    }
    for (const field of this.fields) {
      const { key, needs } = field.row;
      const missing = needs && standing(method, settings, needs) === 0;
      field.show(standing(method, settings, key));
      field.idle(missing);
      field.explain(missing ? `knob.idle.${needs}` : undefined);
    }
  }

  field = (key) => this.fields.find((field) => field.row.key === key);
}
