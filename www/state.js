/**
 * What a share link carries: which control, which key, what it is when the link is silent.
 *
 * Most keys are the engine's: `check_link` in the wasm module reads and judges them (the command line uses the same
 * code), and its catalogue says which are always written and what the others are by default. The page's own keys are the
 * rows of `TABLE`, and are judged here. Unknown keys are ignored, and dropped when the page next writes the address.
 */

import { LANGUAGES } from "./strings.js";

/**
 * @typedef {Record<string, string | number | null>} Settings by key: the engine's, then the page's own
 * @typedef {{key: string, value: string, code: string, used: string | number | null, [more: string]: unknown}} Problem
 * @typedef {{always: string[], defaults: Settings}} Keys the engine's
 */

/**
 * `oneOf`: the values that the page knows. `fallback`: the value when a link has none; not written. `own`: written to this
 * address but not shared, since the reader may prefer another.
 */
export const TABLE = [
  { key: "backend", oneOf: ["auto", "cpu", "webgpu"], fallback: "auto" },
  { key: "lang", oneOf: LANGUAGES, fallback: null, own: true },
];

/** The page's own part of a link, by the rows of a table. @returns {{settings: Settings, problems: Problem[]}} */
export function pageSettings(hash, table = TABLE) {
  const given = new Map(new URLSearchParams(hash.replace(/^#/, "")));
  const settings = {};
  const problems = [];
  for (const { key, oneOf, fallback } of table) {
    const value = given.get(key);
    const good = value !== undefined && oneOf.includes(value);
    settings[key] = good ? value : fallback;
    if (value !== undefined && !good) problems.push({ key, value, code: "one-of", known: oneOf, used: fallback });
  }
  return { settings, problems };
}

/**
 * Settings as the hash of a link: the keys that every link has, the seed among them, and whatever is not at its default.
 * @param {Settings} settings
 * @param {Keys} engine
 */
export function toHash(settings, { always, defaults }, { share = false, table = TABLE } = {}) {
  const own = new Map(table.map((row) => [row.key, row]));
  const given = (key) => settings[key] !== null && settings[key] !== undefined;
  const changed = (key) => given(key) && String(settings[key]) !== String(defaults[key]);
  const rest = Object.keys(settings).filter((key) => !own.has(key) && !always.includes(key) && changed(key));
  const mine = table.filter(({ key, fallback, own }) => settings[key] !== fallback && !(share && own)).map(({ key }) => key);
  // Commas and colons may stand in a hash as they are, and a list of noise levels is full of them.
  const written = (key) => encodeURIComponent(settings[key]).replace(/%2C/g, ",").replace(/%3A/g, ":");
  return "#" + [...always, ...rest, ...mine].map((key) => `${key}=${written(key)}`).join("&");
}

/** Whether a hash is a share link, and not only a choice of language or backend. */
export const isRun = (hash) => {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  return ["model", "sampler", "steps", "schedule", "seed", "images", "class", "guidance"].some((key) => given.has(key));
};

/** A hash with one value changed. */
export function amend(hash, key, value) {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  given.set(key, value);
  return `#${given}`;
}

/**
 * Makes settings fit the models there are.
 * @param {Settings} settings changed in place
 * @param {{id: string}[]} models
 * @param {string} preferred the default model's id
 * @returns {Problem[]}
 */
export function fitModels(settings, models, preferred) {
  if (models.some(({ id }) => id === settings.model)) return [];
  const value = String(settings.model);
  settings.model = (models.find(({ id }) => id === preferred) ?? models[0]).id;
  return value === preferred ? [] : [{ key: "model", value, code: "one-of", known: models.map(({ id }) => id), used: settings.model }];
}

/** Settings that speak of classes, which are each model's own. */
const CLASSES = ["class", "guide"];

/**
 * Makes settings fit a model that may have no classifier to be led by.
 * @param {Settings} settings changed in place
 * @param {{classifier: object | null}} model
 * @returns {Problem[]}
 */
export function fitClassifier(settings, { classifier }) {
  const value = String(settings.classifier);
  if (classifier || Number(value) === 0) return [];
  settings.classifier = 0;
  return [{ key: "classifier", value, code: "no-classifier", used: 0 }];
}

/**
 * Settings taken to another model: what stands as the one before has it will be as the other has it, and what a person
 * or a link has set stays.
 * @param {Settings} settings
 * @param {Settings} from what the model before starts with
 * @param {Settings} to what the other starts with
 * @param {Catalogue} catalogue
 * @returns {Settings}
 */
export function moved(settings, from, to, { defaults }) {
  const next = { ...settings };
  const untouched = (key) => String(settings[key]) === String(from[key]);
  for (const key of Object.keys(defaults)) if (CLASSES.includes(key) || untouched(key)) next[key] = to[key];
  // A knob means something to its own sampler only.
  const knobs = (all) => Object.keys(all).filter((key) => !(key in defaults) && !TABLE.some((row) => row.key === key));
  for (const key of knobs(next)) if (next.sampler !== settings.sampler || untouched(key)) delete next[key];
  if (next.sampler === to.sampler) for (const key of knobs(to)) next[key] ??= to[key];
  return next;
}

/** The names of the samplers that tell CFG++ from plain guidance. @param {Catalogue} catalogue */
export const cfgpp = ({ samplers }) => samplers.filter(({ cfg_pp }) => cfg_pp).map(({ name }) => name).join(", ");

/**
 * Makes settings fit the sampler: leaves out knobs that it does not have, and guidance that it cannot follow.
 * @typedef {{defaults: Settings, samplers: {id: string, name: string, cfg_pp: boolean, knobs: {id: string}[]}[]}} Catalogue
 * @param {Settings} settings changed in place
 * @param {Catalogue} catalogue
 * @returns {Problem[]}
 */
export function fitSampler(settings, catalogue) {
  const { defaults, samplers } = catalogue;
  const { name, knobs, cfg_pp } = samplers.find(({ id }) => id === settings.sampler);
  const known = [...Object.keys(defaults), ...TABLE.map(({ key }) => key), ...knobs.map(({ id }) => id)];
  const left = Object.keys(settings).filter((key) => !known.includes(key));
  const problems = left.map((key) => {
    const value = String(settings[key]);
    delete settings[key];
    return { key, value, code: "no-knob", used: null, sampler: name };
  });
  if (settings.guide === "cfgpp" && !cfg_pp) {
    settings.guide = defaults.guide;
    problems.push({ key: "guide", value: "cfgpp", code: "no-cfgpp", used: defaults.guide, sampler: name, apart: cfgpp(catalogue) });
  }
  return problems;
}

/**
 * Makes settings fit a loaded model: its number of classes, and whether it was trained without labels too.
 * @param {Settings} settings changed in place
 * @param {{classes: object[], null_class: number | null}} about
 * @returns {Problem[]}
 */
export function fitClasses(settings, { classes, null_class }) {
  const count = classes.length;
  const unlabelled = count === 0 || null_class !== null;
  const problems = [];
  const use = (key, used, problem) => {
    problems.push({ key, value: String(settings[key]), used, ...problem });
    settings[key] = used;
  };
  const named = /^\d+$/.test(String(settings.class));
  if ((named && Number(settings.class) >= count) || (settings.class === "none" && !unlabelled)) {
    use("class", "all", { code: "class", count });
  }
  if (!unlabelled && settings.guidance !== 1) use("guidance", 1, { code: "no-guidance" });
  const other = /^perp-(\d+)$/.exec(settings.guide)?.[1];
  if (other !== undefined && Number(other) >= count) use("guide", "cfg", { code: "class", count });
  return problems;
}
