/** The form: filled from the engine's catalogue and the loaded model, always showing the settings, always changing them. */

import { count, el, hush, number, say, t } from "./strings.js";

const $ = (id) => document.getElementById(id);

/** Where the steps slider stops: every step where one matters, round numbers where it does not. */
const STEP_STOPS = [
  ...Array.from({ length: 20 }, (_, i) => i + 1),
  ...[25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 125, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000],
];
/** A random seed has at most six digits, so that one can say it to a friend. */
const SEEDS = 1_000_000;
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
    for (const key of ["model", "sampler", "schedule", "class", "backend"]) {
      $(key).addEventListener("change", () => this.set(key, $(key).value));
    }
    for (const key of ["steps", "seed", "images", "guidance", "eta"]) {
      $(key).addEventListener("change", () => this.set(key, this.legal(key, $(key).value)));
    }
    $("steps-slider").addEventListener("input", () => this.set("steps", STEP_STOPS[Number($("steps-slider").value)]));
    for (const key of ["images", "guidance", "eta"]) {
      $(`${key}-slider`).addEventListener("input", () => this.set(key, Number($(`${key}-slider`).value)));
    }
    $("dice").addEventListener("click", () => this.set("seed", crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS));
  }

  set(key, value) {
    this.settings[key] = value;
    if (key === "sampler") this.settings.eta = null; // another method's noise share means nothing here
    this.changed(key);
  }

  /** What a person typed, as a number within the limits; what is no number leaves the setting as it was. */
  legal(key, text) {
    const [low, high] = this.catalogue.limits[key];
    const whole = key === "guidance" || key === "eta" ? Number(text) : Math.round(Number(text));
    return text.trim() === "" || Number.isNaN(whole) ? this.settings[key] : Math.min(Math.max(whole, low), high);
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
    const groups = new Map();
    for (const { id, name, stochastic, evaluations } of catalogue.samplers) {
      const kind = stochastic ? "stochastic" : evaluations > 1 ? "several" : "single";
      groups.set(kind, [...(groups.get(kind) ?? []), option(id, "plain", { text: name })]);
    }
    const titled = (kind) => {
      const group = document.createElement("optgroup");
      group.dataset.i18nLabel = `samplers.${kind}`;
      group.label = t(`samplers.${kind}`);
      group.append(...groups.get(kind));
      return group;
    };
    $("sampler").replaceChildren(...["single", "several", "stochastic"].filter((kind) => groups.has(kind)).map(titled));
    for (const [key, [low, high]] of Object.entries(catalogue.limits)) Object.assign($(key), { min: low, max: high });
    Object.assign($("steps-slider"), { min: 0, max: STEP_STOPS.length - 1, step: 1 });
    Object.assign($("images-slider"), { min: $("images").min, max: $("images").max, step: 1 });
    Object.assign($("guidance-slider"), { min: $("guidance").min, max: GUIDANCE_SLIDER, step: 0.1 });
    Object.assign($("eta-slider"), { min: $("eta").min, max: $("eta").max, step: 0.05 });
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
    $("class-field").hidden = about.classes.length === 0;
    $("guidance-field").hidden = about.classes.length === 0 || !unlabelled;
    this.show();
  }

  /** Puts the settings into the form, in the language of the moment. */
  show() {
    if (!this.catalogue) return;
    const { settings, method } = this;
    for (const key of ["model", "sampler", "schedule", "class", "backend", "steps", "seed", "images", "guidance"]) {
      $(key).value = String(settings[key]);
    }
    const off = (stop) => Math.abs(stop - settings.steps);
    this.slide("steps", STEP_STOPS.indexOf(STEP_STOPS.reduce((best, stop) => (off(stop) < off(best) ? stop : best))), settings.steps);
    this.slide("images", settings.images, settings.images);
    this.slide("guidance", settings.guidance, settings.guidance);
    const eta = settings.eta ?? method.eta;
    $("eta-field").hidden = method.eta === null;
    $("eta").value = String(eta ?? "");
    this.slide("eta", eta ?? 0, eta ?? 0);
    $("guidance-field").classList.toggle("idle", settings.class === "none");
    say($("schedule-hint"), `schedule.${settings.schedule}.hint`);
    this.explain(method);
    this.outline();
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
