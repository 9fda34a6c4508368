/** The form: filled from the engine's catalogue and the loaded model, always showing the settings, always changing them. */

import * as gallery from "./gallery.js";
import * as knobs from "./knobs.js";
import * as schedule from "./schedule.js";
import { cfgpp, fitClassifier, fitSampler, moved } from "./state.js";
import { el, number, say, t } from "./strings.js";
import { put } from "./typing.js";

const $ = (id) => document.getElementById(id);

/** Where the steps slider stops: every step where one matters, round numbers where it does not. */
const STEP_STOPS = [
  ...Array.from({ length: 20 }, (_, i) => i + 1),
  ...[25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 125, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000],
];
/** A random seed has at most six digits, so that one can say it to a friend. */
const SEEDS = 1_000_000;
/** Choices and numbers of the form, besides the knobs of the sampler. */
const CHOICES = ["sampler", "class", "backend", "guide", "clip", "noise"];
const NUMBERS = ["steps", "seed", "images", "guidance", "rescale", "strength", "guidance-min", "guidance-max", "classifier"];
const WHOLE = ["steps", "seed", "images"];
const SLIDERS = ["images", "guidance", "rescale", "strength", "classifier"];
/** What the part "More" of the form has; a link that sets one of these opens it. */
const MORE = ["guide", "rescale", "guidance-min", "guidance-max", "classifier", "clip", "noise"];
/** Knobs that change a method's order or its evaluations. */
const COUNTING = ["order", "inner"];
/** A guidance scale above this is allowed but never looks good, so the slider ends here. */
const GUIDANCE_SLIDER = 8;

export class Controls {
  /**
   * @param {(key: string) => void} changed called after a person changed `settings[key]`
   * @param {(settings: import("./state.js").Settings) => void} judge has the engine judge settings; `judged` hears its verdict
   */
  constructor(changed, judge) {
    /** @type {import("./state.js").Settings} */
    this.settings = {};
    this.catalogue = undefined;
    this.models = [];
    /** What each model starts with. @type {Record<string, import("./state.js").Settings>} */
    this.presets = {};
    this.about = undefined;
    this.changed = (key) => {
      this.show();
      changed(key);
    };
    for (const key of CHOICES) $(key).addEventListener("change", () => this.set(key, $(key).value));
    schedule.listen(
      (text, steps) => this.space(text, steps),
      (text) => judge({ ...this.settings, schedule: text }),
    );
    for (const key of NUMBERS) {
      $(key).addEventListener("change", () => this.set(key, this.legal(key, $(key).value)));
    }
    $("steps-slider").addEventListener("input", () => this.set("steps", STEP_STOPS[Number($("steps-slider").value)]));
    for (const key of SLIDERS) {
      $(`${key}-slider`).addEventListener("input", () => this.set(key, Number($(`${key}-slider`).value)));
    }
    $("dice").addEventListener("click", () => this.set("seed", crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS));
  }

  /** Takes another model. What the engine knows of the one before is over. @param {string} id */
  pick(id) {
    const { model } = this.settings;
    this.settings = moved(this.settings, this.presets[model], this.presets[id], this.catalogue);
    fitSampler(this.settings, this.catalogue);
    fitClassifier(this.settings, this.model);
    this.about = undefined;
    this.changed("model");
  }

  set(key, value) {
    // What was turned on another method means nothing here.
    if (key === "sampler") for (const { id } of this.method.knobs) delete this.settings[id];
    if (value === null) delete this.settings[key];
    else this.settings[key] = value;
    if (key === "sampler") fitSampler(this.settings, this.catalogue);
    this.changed(key);
  }

  /** Takes a schedule that is good, and its number of steps where it has its own. */
  space(text, steps = this.settings.steps) {
    this.settings.steps = steps;
    this.set("schedule", text);
  }

  /** The engine's verdict on what was typed. @param {{settings: object, problems: object[]}} verdict */
  judged(verdict) {
    const good = schedule.judged(verdict);
    if (good) this.space(good.schedule, good.steps);
    else this.show();
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
  fill(catalogue, models, presets) {
    Object.assign(this, { catalogue, models, presets });
    const option = (value, key, values) => el("option", key, values, { value });
    gallery.fill(models, (id) => this.pick(id));
    $("class").replaceChildren(option("all", "class.all")); // the model will know more of these two
    $("guide").replaceChildren(...["cfg", "cfgpp"].map((id) => option(id, `guide.${id}`)));
    schedule.fill(catalogue.schedules);
    $("schedule").replaceChildren(...catalogue.schedules.map(({ id }) => option(id, `schedule.${id}`)));
    $("clip").replaceChildren(...catalogue.clips.map((id) => option(id, `clip.${id}`)));
    $("noise").replaceChildren(...catalogue.noises.map((id) => option(id, `noise.${id}`)));
    const groups = new Map();
    for (const { id, name, family } of catalogue.samplers) {
      groups.set(family, [...(groups.get(family) ?? []), option(id, "plain", { text: name })]);
    }
    const titled = ([family, options]) => {
      const group = document.createElement("optgroup");
      group.dataset.i18nLabel = `samplers.${family}`;
      group.label = t(`samplers.${family}`);
      group.append(...options);
      return group;
    };
    $("sampler").replaceChildren(...[...groups].map(titled));
    for (const [key, [low, high]] of Object.entries(catalogue.limits)) Object.assign($(key), { min: low, max: high ?? "" });
    Object.assign($("steps-slider"), { min: 0, max: STEP_STOPS.length - 1, step: 1 });
    Object.assign($("images-slider"), { min: $("images").min, max: $("images").max, step: 1 });
    for (const key of ["guidance", "classifier"]) Object.assign($(`${key}-slider`), { min: $(key).min, max: GUIDANCE_SLIDER, step: 0.1 });
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
    for (const other of $("guide").querySelectorAll("[value^=perp-]")) other.remove();
    $("guide").append(...about.classes.map((name, i) => el("option", "guide.perp", { text: name }, { value: `perp-${i}` })));
    $("class-field").hidden = about.classes.length === 0;
    $("guidance-field").hidden = $("guide-fields").hidden = about.classes.length === 0 || !unlabelled;
    this.show();
  }

  /** Opens the parts of the form that a link has set something in. */
  unfold() {
    const { settings, method } = this;
    const preset = this.presets[settings.model];
    const set = (key) => String(settings[key]) !== String(preset[key]);
    if (method.knobs.some(({ id }) => set(id))) $("tuning").open = true;
    if (MORE.some(set)) $("more").open = true;
    if (set("strength")) $("start").open = true;
  }

  /** Puts the settings into the form, in the language of the moment. */
  show() {
    if (!this.catalogue) return;
    const { settings, method } = this;
    for (const key of CHOICES) $(key).value = String(settings[key]);
    for (const key of NUMBERS) put($(key), Number.isFinite(Number(settings[key])) ? String(settings[key]) : ""); // "inf": no end
    const off = (stop) => Math.abs(stop - settings.steps);
    this.slide("steps", STEP_STOPS.indexOf(STEP_STOPS.reduce((best, stop) => (off(stop) < off(best) ? stop : best))), settings.steps);
    for (const key of SLIDERS) this.slide(key, settings[key], settings[key]);
    const listed = schedule.listed(settings.schedule);
    schedule.show(settings.schedule, this.about);
    $("steps").disabled = $("steps-slider").disabled = listed;
    $("steps-listed").hidden = !listed;
    $("steps-field").hidden = method.adaptive;
    $("steps-chosen").hidden = !method.adaptive;
    this.showGuidance();
    this.showClassifier();
    $("noise-field").hidden = !knobs.draws(method, settings);
    this.tune();
    this.explain(method);
    gallery.show(settings.model);
    gallery.describe(this.model, this.about);
  }

  /** Guidance needs a class to push towards, and a push. */
  showGuidance() {
    const { class: label, guidance, guide } = this.settings;
    const labelled = label !== "none";
    const pushes = labelled && guidance !== 0 && (guidance !== 1 || guide !== "cfg");
    $("guidance-field").classList.toggle("idle", !labelled);
    say($("guidance-hint"), labelled ? "guidance.hint" : "guidance.idle");
    for (const field of $("guide-fields").children) field.classList.toggle("idle", !pushes);
    $("guide").querySelector("[value=cfgpp]").disabled = !this.method.cfg_pp;
    if (!pushes) return say($("guide-hint"), labelled ? "guide.idle" : "guidance.idle");
    const [kind] = guide.split("-");
    const plain = kind === "cfg" && !this.method.cfg_pp;
    say($("guide-hint"), plain ? "guide.cfg.only" : `guide.${kind}.hint`, { apart: cfgpp(this.catalogue) });
  }

  /** A classifier leads towards a class, and not every model has one. */
  showClassifier() {
    const labelled = this.settings.class !== "none";
    $("classifier-field").hidden = !this.model.classifier;
    $("classifier-field").classList.toggle("idle", !labelled);
    say($("classifier-hint"), labelled ? "classifier.hint" : "guidance.idle");
  }

  /** The sampler's knobs. */
  tune() {
    const { settings, method } = this;
    $("tuning").hidden = method.knobs.length === 0;
    if ($("knobs").dataset.sampler !== method.id) {
      $("knobs").dataset.sampler = method.id;
      knobs.build($("knobs"), method, (id, value) => this.set(id, value));
    }
    knobs.show($("knobs"), method, settings);
    const turned = method.knobs.filter(({ id }) => id in settings);
    const list = () => turned.map(({ id }) => `${t(`knob.${id}`)} ${number(settings[id])}`).join(" · ");
    say($("tuning-title"), turned.length ? "tuning.turned" : "tuning", { turned: list });
  }

  slide(key, place, value) {
    const slider = $(`${key}-slider`);
    slider.value = String(place);
    slider.setAttribute("aria-valuetext", number(value));
    slider.style.setProperty("--filled", `${(100 * (slider.value - slider.min)) / (slider.max - slider.min)}%`);
  }

  explain(method) {
    const { id, order, evaluations, adaptive, comfyui, k_diffusion, diffusers, paper } = method;
    say($("sampler-hint"), `sampler.${id}`);
    // The engine states these for the knobs' own places.
    const facts = COUNTING.some((knob) => knob in this.settings)
      ? []
      : [el("li", "sampler.order", { order }), el("li", adaptive ? "sampler.attempts" : "sampler.evaluations", { evaluations })];
    $("sampler-facts").replaceChildren(...facts, el("li", knobs.draws(method, this.settings) ? "sampler.noisy" : "sampler.exact"));
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
