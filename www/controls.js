/** The form: made from the catalogue's rows and the loaded model, always showing the settings, always changing them. */

import { catalogue as readCatalogue, change, facts, fit, read_link } from "../pkg/index.js";
import { $ } from "./dom.js";
import { Field, dice } from "./field.js";
import * as gallery from "./gallery.js";
import { Knobs, draws } from "./knobs.js";
import * as levels from "./levels.js";
import * as prompt from "./prompt.js";
import * as schedule from "./schedule.js";
import * as tokens from "./tokens.js";
import { el, label, number, say, t } from "./strings.js";

/** Where the steps slider stops: every step where one matters, round numbers where it does not. */
const STEP_STOPS = [
  ...Array.from({ length: 20 }, (_, i) => i + 1),
  ...[25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 125, 150, 200, 250, 300, 400, 500, 600, 700, 800, 900, 1000],
];
/** The order of the first rows on the form; whatever else there is follows, as the table has it. */
const FIRST = ["negative", "sampler", "steps", "schedule", "class", "guidance", "images", "seed"];
/** Controls of the page's own: a row of these is there already, and is only put in its place. */
const OWN = ["sampler", "schedule", "guidance-min"];
/** Keys of a run that the page shows elsewhere: in the gallery, above the pictures, beside the row before, as a picture. */
const ELSEWHERE = ["model", "prompt", "guidance-max", "start", "from", "placing"];
/** The one key of the page's own that has a row on the form. */
const ON_FORM = "backend";
/** Knobs that change a method's order or its evaluations. */
const COUNTING = ["order", "langevin-steps", "restarts", "resamples"];

export class Controls {
  /** @param {{changed: (key: string) => void, adjusted: (problems: import("./field.js").Problem[]) => void}} page hears that a person changed a setting, and what else had to change with it */
  constructor(page) {
    this.page = page;
    /** @type {import("../pkg/index.js").Settings} */
    this.settings = {};
    /** @type {import("./models.js").Model[]} */
    this.models = [];
    /** @type {Record<string, Field>} */
    this.fields = {};
    this.about = undefined;
    this.take = (key, value) => this.set(key, value);
  }

  /** Builds the form. @param {import("./models.js").Model[]} models */
  fill(models) {
    this.models = models;
    gallery.fill(models, (id) => this.set("model", id));
    if (this.catalogue) return;
    this.catalogue = readCatalogue();
    const place = ({ key }) => (FIRST.includes(key) ? FIRST.indexOf(key) : FIRST.length);
    for (const row of this.catalogue.settings.toSorted((a, b) => place(a) - place(b))) this.place(row);
    $("steps-field").append($("steps-listed"));
    $("steps-field").after($("steps-chosen"));
    const count = el("p", "", {}, { className: "hint", id: "negative-tokens" });
    $("negative-field").append(count);
    tokens.of([[$("prompt"), $("prompt-tokens")], [$("negative"), count]]);
    $("seed").after(dice($("dice"), (seed) => this.set("seed", seed)));
    this.knobs = new Knobs($("knobs"), this.take);
    schedule.fill(this.catalogue.schedules);
    levels.fill(this.catalogue.schedules);
    $("schedule").replaceChildren(...this.catalogue.schedules.map(({ id }) => el("option", `schedule.${id}`, {}, { value: id })));
    schedule.listen((text) => this.set("schedule", text), () => this.show());
    $("sampler").addEventListener("change", () => this.set("sampler", $("sampler").value));
    for (const key of ["guidance-min", "guidance-max"]) this.pair(key);
    $("fields").disabled = false;
  }

  /** Puts a row where its section is. */
  place(row) {
    if (ELSEWHERE.includes(row.key) || (row.of_page && row.key !== ON_FORM)) return;
    const section = document.querySelector(`[data-section="${row.section}"]`);
    if (OWN.includes(row.key)) return section.append($(`${row.key}-field`));
    const field = new Field(row, { take: this.take, stops: row.key === "steps" ? STEP_STOPS : undefined });
    this.fields[row.key] = field;
    section.append(field.box);
  }

  /** The two ends of the range of guidance share a line. */
  pair(key) {
    const row = this.catalogue.settings.find((row) => row.key === key);
    const field = new Field(row, { take: this.take });
    const { control } = field;
    control.setAttribute("aria-describedby", `guidance-min-hint ${key}-refused`);
    if (key === "guidance-max") label(control, key);
    $(`${key}-place`).replaceWith(control);
    $("guidance-min-field").append(field.refusal);
    field.box = $("guidance-min-field");
    field.explain = () => {};
    this.fields[key] = field;
  }

  /** Takes what a person wants of a setting. @returns {import("./field.js").Problem | undefined} why it cannot be had */
  set(key, value) {
    const { settings, problems } = change(this.settings, key, value, this.models, this.facts);
    const refused = problems.find((problem) => problem.key === key);
    if (refused) {
      const field = this.field(key);
      field?.refuse(refused, this.settings[key] ?? field.row.default);
      return refused;
    }
    if (key === "model") this.about = undefined; // what the engine knows of the one before is over
    this.settings = settings;
    // Back at its default, a parameter of the sampler is not tuned any more, and a link need not say it.
    if (this.knobs.field(key)?.row.default === settings[key]) delete settings[key];
    this.field(key)?.accept();
    this.show();
    // That another sampler has other parameters goes without saying.
    this.page.adjusted(problems.filter(({ code }) => code !== "no-knob"));
    this.page.changed(key);
    return undefined;
  }

  /** Takes keys of the page back, together. */
  drop(...keys) {
    for (const key of keys) delete this.settings[key];
    this.page.changed(keys[0]);
  }

  field = (key) => this.fields[key] ?? this.knobs.field(key);

  /** Makes the settings fit the loaded model. @returns what had to be changed */
  fit() {
    const { settings, problems } = fit(this.settings, this.models, this.facts);
    this.settings = settings;
    return problems;
  }

  get facts() {
    return this.about && facts(this.about);
  }

  get method() {
    return this.catalogue.samplers.find(({ id, aliases }) => id === this.settings.sampler || aliases.includes(this.settings.sampler));
  }

  get model() {
    return this.models.find(({ id }) => id === this.settings.model);
  }

  default = (key) => this.catalogue.settings.find((row) => row.key === key).default;

  /** Takes in what the engine says about the loaded model. */
  describe(about) {
    this.about = about;
    this.show();
  }

  /** Opens the parts of the form that a link has set something in. */
  unfold() {
    const preset = read_link(`#model=${this.settings.model}`, this.models).settings;
    const set = (key) => String(this.settings[key]) !== String(preset[key]);
    if (this.method.knobs.some(({ key }) => set(key))) $("tuning").open = true;
    for (const { key, section } of this.catalogue.settings) {
      const part = document.querySelector(`[data-section="${section}"]`)?.closest("details");
      if (part && set(key)) part.open = true;
    }
  }

  /** Puts the settings into the form, in the language of the moment. */
  show() {
    if (!this.catalogue || !this.settings.sampler) return;
    const { settings, method, about } = this;
    this.choices();
    for (const field of Object.values(this.fields)) field.show(settings[field.row.key] ?? field.row.default);
    schedule.show(settings.schedule, about);
    levels.show();
    const listed = schedule.listed(settings.schedule);
    $("steps").disabled = $("steps-slider").disabled = listed;
    $("steps-listed").hidden = !listed;
    this.hide();
    $("steps-chosen").hidden = !method.adaptive;
    this.showGuidance();
    this.tune();
    this.explain(method);
    prompt.show(this.model, settings.prompt ?? "");
    tokens.show(`${settings.model} ${settings.weighting}`);
    gallery.show(settings.model);
    gallery.describe(this.model, about);
  }

  /** The lists whose choices are the model's and the sampler's. */
  choices() {
    const classes = this.about?.classes ?? [];
    const named = (start, key = "plain") => classes.map((text, i) => ({ id: `${start}${i}`, key, values: { text } }));
    const unlabelled = this.about && this.about.null_class !== null;
    this.fields.class.choices(["all", ...(unlabelled ? ["none"] : []), ...named("")]);
    const negative = this.about?.conditioning === "text" ? [{ id: "perp", key: "guide.negative" }] : [];
    this.fields.guide.choices(["cfg", "cfgpp", ...negative, ...named("perp-", "guide.perp")]);
    $("guide").querySelector("[value=cfgpp]").disabled = !this.method.cfg_pp;
    // What only replays another library's quirk is not offered, but a link may have asked for it.
    const offered = this.catalogue.samplers.filter((row) => !row.compat || row.id === this.method.id);
    const ids = offered.map(({ id }) => id).join();
    if ($("sampler").dataset.ids !== ids) {
      $("sampler").dataset.ids = ids;
      const families = Object.groupBy(offered, ({ family }) => family);
      $("sampler").replaceChildren(...Object.entries(families).map(([family, rows]) => titled(family, rows)));
    }
    $("sampler").value = this.method.id;
  }

  /** Hides what the sampler or the model has no use for. */
  hide() {
    for (const { row, box } of Object.values(this.fields)) if (row.needs) box.hidden = !this.has(row.needs);
  }

  /** Whether the sampler and the model have what a row needs. @param {string | null} needs */
  has(needs) {
    const { about, model, method } = this;
    const text = about ? about.conditioning === "text" : model.conditioning === "text";
    const has = {
      grid: !method.adaptive,
      classes: !about || about.classes.length > 0,
      guidance: !about || text || (about.classes.length > 0 && about.null_class !== null),
      text,
      latent: !about || about.latent,
      sizes: !about || about.sizes !== null,
      classifier: Boolean(model.classifier),
      stochastic: draws(method, this.settings),
    };
    return has[needs] ?? true;
  }

  /** Guidance needs a class to push towards, and a push. */
  showGuidance() {
    const { class: wanted, guidance, guide } = this.settings;
    const labelled = wanted !== "none" || this.about?.conditioning === "text";
    const [kind] = guide.split("-");
    // A guidance of 1 is the plain model, but not with the noise of CFG++ nor away from a second class.
    const acts = labelled && (guidance !== 1 || kind !== "cfg");
    const pushes = acts && guidance !== 0;
    const idle = { guidance: !labelled, classifier: !labelled, guide: !labelled, rescale: !pushes, "perp-weight": !pushes || kind !== "perp", "guidance-min": !acts };
    for (const [key, quiet] of Object.entries(idle)) this.fields[key].idle(quiet);
    this.fields.guidance.reach(kind === "cfgpp" ? this.catalogue.cfgpp_end : this.fields.guidance.row.end);
    this.fields.guidance.show(guidance); // on the slider as it is now
    this.fields.classifier.explain(labelled ? undefined : "guidance.idle");
    this.fields.guidance.explain(!labelled ? "guidance.idle" : kind === "cfgpp" ? "guidance.cfgpp" : undefined);
    if (!labelled) return this.fields.guide.explain("guidance.idle");
    if (guidance === 0) return this.fields.guide.explain("guide.unconditional");
    if (!acts) return this.fields.guide.explain("guide.idle");
    const plain = kind === "cfg" && !this.method.cfg_pp;
    const apart = this.catalogue.samplers.filter(({ cfg_pp, compat }) => cfg_pp && !compat).map(({ name }) => name).join(", ");
    return this.fields.guide.explain(plain ? "guide.cfg.only" : `guide.${kind}.hint`, { apart });
  }

  /** The sampler's knobs. */
  tune() {
    const { settings, method } = this;
    $("tuning").hidden = method.knobs.length === 0;
    this.knobs.show(method, settings);
    const turned = method.knobs.filter(({ key }) => key in settings);
    const list = () => turned.map(({ key }) => `${t(`knob.${key}`)} ${number(settings[key])}`).join(" · ");
    say($("tuning-title"), turned.length ? "tuning.turned" : "tuning", { turned: list });
  }

  explain(method) {
    const { id, order, evaluations, adaptive, comfyui, k_diffusion, diffusers, paper } = method;
    say($("sampler-hint"), `sampler.${id}`);
    // The catalogue states these for the knobs' defaults.
    const facts = COUNTING.some((knob) => knob in this.settings)
      ? []
      : [el("li", "sampler.order", { order }), el("li", adaptive ? "sampler.attempts" : "sampler.evaluations", { evaluations })];
    $("sampler-facts").replaceChildren(...facts, el("li", draws(method, this.settings) ? "sampler.noisy" : "sampler.exact"));
    const rows = [["ComfyUI", comfyui], ["k-diffusion", k_diffusion], ["diffusers", diffusers]];
    const terms = rows.flatMap(([where, name]) => {
      const value = document.createElement("dd");
      value.append(name ? el("code", "plain", { text: name }) : el("span", "absent"));
      return [el("dt", "plain", { text: where }), value];
    });
    $("sampler-names").replaceChildren(...terms, el("dt", "paper"), cite(paper));
  }
}

/** The samplers of a family under its title. */
function titled(family, rows) {
  const group = document.createElement("optgroup");
  group.dataset.i18nLabel = `samplers.${family}`;
  group.label = t(`samplers.${family}`);
  group.append(...rows.map(({ id, name }) => el("option", "plain", { text: name }, { value: id })));
  return group;
}

/** A paper's line with its arXiv number made a link. */
function cite(paper) {
  const line = document.createElement("dd");
  const [before, id, after] = paper.split(/(?:arXiv )(\d{4}\.\d{4,5})/);
  line.append(before);
  if (id) line.append(el("a", "plain", { text: `arXiv ${id}` }, { href: `https://arxiv.org/abs/${id}`, target: "_blank", rel: "noopener" }), after);
  return line;
}
