/** The form: filled from the engine's catalogue and the loaded model, always showing the settings, always changing them. */

import * as knobs from "./knobs.js";
import { count, el, hush, number, say, t } from "./strings.js";

const $ = (id) => document.getElementById(id);

/** Where the steps slider stops: every step where one matters, round numbers where it does not. */
const STEP_STOPS = [
  ...Array.from({ length: 20 }, (_, i) => i + 1),
  ...[25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 125, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000],
];
/** A random seed has at most six digits, so that one can say it to a friend. */
const SEEDS = 1_000_000;
/** Choices and numbers of the form, besides the knobs of the sampler. */
const CHOICES = ["model", "sampler", "class", "backend", "guide", "clip", "noise"];
const NUMBERS = ["steps", "seed", "images", "guidance", "rescale", "strength", "guidance-min", "guidance-max"];
const WHOLE = ["steps", "seed", "images"];
const SLIDERS = ["images", "guidance", "rescale", "strength"];
/** The sampler table's families, in the order that a person meets them. */
const FAMILIES = ["ode", "multistep", "singlestep", "adaptive", "ancestral", "sde", "langevin", "few_step"];
/** A guidance scale above this is allowed but never looks good, so the slider ends here. */
const GUIDANCE_SLIDER = 8;

export class Controls {
  /** @param {(key: string) => void} changed called after a person changed `settings[key]` */
  constructor(changed) {
    /** @type {import("./state.js").Settings} */
    this.settings = {};
    this.catalogue = undefined;
    this.models = [];
    this.about = undefined;
    this.changed = (key) => {
      this.show();
      changed(key);
    };
    for (const key of CHOICES) $(key).addEventListener("change", () => this.set(key, $(key).value));
    $("schedule").addEventListener("change", () => this.set("schedule", $("schedule").value));
    $("schedule-values").addEventListener("change", () => this.set("schedule", `${$("schedule").value}:${$("schedule-values").value.replace(/\s+/g, "")}`));
    for (const key of NUMBERS) {
      $(key).addEventListener("change", () => this.set(key, this.legal(key, $(key).value)));
    }
    $("steps-slider").addEventListener("input", () => this.set("steps", STEP_STOPS[Number($("steps-slider").value)]));
    for (const key of SLIDERS) {
      $(`${key}-slider`).addEventListener("input", () => this.set(key, Number($(`${key}-slider`).value)));
    }
    $("dice").addEventListener("click", () => this.set("seed", crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS));
  }

  set(key, value) {
    // What was turned on another method means nothing here.
    if (key === "sampler") for (const { id } of this.method.knobs) delete this.settings[id];
    if (value === null) delete this.settings[key];
    else this.settings[key] = value;
    this.changed(key);
  }

  /** What a person typed, as a number within the limits; what is no number leaves the setting as it was. */
  legal(key, text) {
    const [low, high] = this.catalogue.limits[key];
    const value = WHOLE.includes(key) ? Math.round(Number(text)) : Number(text);
    const none = text.trim() === "" || Number.isNaN(value);
    if (none) return high === null ? this.catalogue.defaults[key] : this.settings[key];
    return Math.min(Math.max(value, low), high ?? Infinity);
  }

  get method() {
    return this.catalogue.samplers.find(({ id }) => id === this.settings.sampler);
  }

  get model() {
    return this.models.find(({ id }) => id === this.settings.model);
  }

  /** Fills the lists of choices. */
  fill(catalogue, models) {
    Object.assign(this, { catalogue, models });
    const option = (value, key, values) => el("option", key, values, { value });
    $("model").replaceChildren(...models.map(({ id, name }) => option(id, "plain", { text: name })));
    $("class").replaceChildren(option("all", "class.all")); // the model will know more
    $("schedule").replaceChildren(...catalogue.schedules.map(({ id }) => option(id, `schedule.${id}`)));
    $("clip").replaceChildren(...catalogue.clips.map((id) => option(id, `clip.${id}`)));
    $("noise").replaceChildren(...catalogue.noises.map((id) => option(id, `noise.${id}`)));
    const groups = new Map();
    for (const { id, name, family } of catalogue.samplers) {
      groups.set(family, [...(groups.get(family) ?? []), option(id, "plain", { text: name })]);
    }
    const titled = (family) => {
      const group = document.createElement("optgroup");
      group.dataset.i18nLabel = `samplers.${family}`;
      group.label = t(`samplers.${family}`);
      group.append(...groups.get(family));
      return group;
    };
    $("sampler").replaceChildren(...FAMILIES.filter((family) => groups.has(family)).map(titled));
    for (const [key, [low, high]] of Object.entries(catalogue.limits)) Object.assign($(key), { min: low, max: high ?? "" });
    Object.assign($("steps-slider"), { min: 0, max: STEP_STOPS.length - 1, step: 1 });
    Object.assign($("images-slider"), { min: $("images").min, max: $("images").max, step: 1 });
    Object.assign($("guidance-slider"), { min: $("guidance").min, max: GUIDANCE_SLIDER, step: 0.1 });
    for (const key of ["rescale", "strength"]) Object.assign($(`${key}-slider`), { min: $(key).min, max: $(key).max, step: 0.05 });
    $("fields").disabled = false;
  }

  /** Takes in what the engine says about the loaded model. @param {{classes: {en: string, zh: string}[]}} about */
  describe(about) {
    this.about = about;
    const unlabelled = about.null_class !== null;
    $("class").replaceChildren(
      el("option", "class.all", {}, { value: "all" }),
      ...(unlabelled ? [el("option", "class.none", {}, { value: "none" })] : []),
      ...about.classes.map((name, i) => el("option", "plain", { text: name }, { value: String(i) })),
    );
    $("guide").replaceChildren(
      ...["cfg", "cfgpp"].map((id) => el("option", `guide.${id}`, {}, { value: id })),
      ...about.classes.map((name, i) => el("option", "guide.perp", { text: name }, { value: `perp-${i}` })),
    );
    $("class-field").hidden = about.classes.length === 0;
    $("guidance-field").hidden = $("guide-fields").hidden = about.classes.length === 0 || !unlabelled;
    this.show();
  }

  /** Puts the settings into the form, in the language of the moment. */
  show() {
    if (!this.catalogue) return;
    const { settings, method } = this;
    for (const key of [...CHOICES, ...NUMBERS]) $(key).value = String(settings[key]);
    const off = (stop) => Math.abs(stop - settings.steps);
    this.slide("steps", STEP_STOPS.indexOf(STEP_STOPS.reduce((best, stop) => (off(stop) < off(best) ? stop : best))), settings.steps);
    for (const key of SLIDERS) this.slide(key, settings[key], settings[key]);
    $("guidance-field").classList.toggle("idle", settings.class === "none");
    $("steps-field").hidden = method.adaptive;
    $("noise-field").hidden = !method.stochastic;
    this.showSchedule();
    if ($("knobs").dataset.sampler !== method.id) {
      $("knobs").dataset.sampler = method.id;
      knobs.build($("knobs"), method, (id, value) => this.set(id, value));
    }
    knobs.show($("knobs"), method, settings);
    this.explain(method);
    this.outline();
  }

  /** The row of the catalogue for a schedule, with or without its parameters. */
  spacing(text) {
    return this.catalogue.schedules.find(({ id }) => id === text.split(":")[0]);
  }

  /** The schedule, and the numbers that some of them take. */
  showSchedule() {
    const { id, values, list } = this.spacing(this.settings.schedule);
    const [, given = values] = this.settings.schedule.split(":");
    $("schedule").value = id;
    say($("schedule-hint"), `schedule.${id}.hint`);
    $("schedule-values-field").hidden = given === null;
    $("schedule-values").value = given ?? "";
    if (given !== null) say($("schedule-values-label"), `schedule.${id}.values`);
    $("steps").disabled = $("steps-slider").disabled = list;
  }

  slide(key, place, value) {
    const slider = $(`${key}-slider`);
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", number(value));
    slider.style.setProperty("--filled", `${(100 * (slider.value - slider.min)) / (slider.max - slider.min)}%`);
  }

  outline() {
    const { about, model } = this;
    if (!about || !model) return hush($("model-hint"));
    const { parameters, height, width } = about;
    say($("model-hint"), "model.hint", { description: model.description, size: `${width}×${height}`, parameters: count(parameters) });
  }

  explain({ id, order, evaluations, stochastic, comfyui, k_diffusion, diffusers, paper }) {
    say($("sampler-hint"), `sampler.${id}`);
    $("sampler-facts").replaceChildren(
      ...(order > 0 ? [el("li", "sampler.order", { order })] : []),
      el("li", "sampler.evaluations", { evaluations }),
      el("li", stochastic ? "sampler.noisy" : "sampler.exact"),
    );
    const rows = [["ComfyUI", comfyui], ["k-diffusion", k_diffusion], ["diffusers", diffusers]];
    const terms = rows.flatMap(([where, name]) => {
      const value = document.createElement("dd");
      value.append(name ? el("code", "plain", { text: name }) : el("span", "absent"));
      return [el("dt", "plain", { text: where }), value];
    });
    $("sampler-names").replaceChildren(...terms, el("dt", "paper"), cite(paper));
  }
}

/** A paper's line with its arXiv number made a link. */
function cite(paper) {
  const line = document.createElement("dd");
  const [before, id, after] = paper.split(/(?:arXiv )(\d{4}\.\d{4,5})/);
  line.append(before);
  if (id) line.append(el("a", "plain", { text: `arXiv ${id}` }, { href: `https://arxiv.org/abs/${id}`, target: "_blank", rel: "noopener" }), after);
  return line;
}
