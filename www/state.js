/**
 * The one table of what a share link carries: which control, which key, what it is when the link is silent.
 *
 * Rows without `oneOf` are the engine's: `check_link` in the wasm module reads and judges them (the command line uses
 * the same code) and its catalogue holds their defaults. Rows with `oneOf` are the page's own and are judged here.
 * Unknown keys are ignored, and dropped when the page next writes the address.
 */

import { LANGUAGES } from "./strings.js";

/**
 * @typedef {Record<string, string | number | null>} Settings one entry a row, by key
 * @typedef {{key: string, value: string, code: string, used: string | number | null, [more: string]: unknown}} Problem
 */

/**
 * `oneOf`: the values that the page knows. `fallback`: the value when a link has none. `quiet`: not written while it
 * has its fallback. `own`: written to this address but not shared, since the reader may prefer another.
 */
export const TABLE = [
  { key: "model" },
  { key: "sampler" },
  { key: "steps" },
  { key: "schedule" },
  { key: "seed" },
  { key: "images" },
  { key: "class" },
  { key: "guidance" },
  { key: "eta", fallback: null, quiet: true },
  { key: "backend", oneOf: ["auto", "cpu", "webgpu"], fallback: "auto", quiet: true },
  { key: "lang", oneOf: LANGUAGES, fallback: null, quiet: true, own: true },
];

/** The page's own part of a link. @returns {{settings: Settings, problems: Problem[]}} */
export function pageSettings(hash) {
  const given = new Map(new URLSearchParams(hash.replace(/^#/, "")));
  const settings = {};
  const problems = [];
  for (const { key, oneOf, fallback } of TABLE.filter((row) => row.oneOf)) {
    const value = given.get(key);
    const good = value !== undefined && oneOf.includes(value);
    settings[key] = good ? value : fallback;
    if (value !== undefined && !good) problems.push({ key, value, code: "one-of", known: oneOf, used: fallback });
  }
  return { settings, problems };
}

/**
 * Settings as the hash of a link. Every key is written, the seed above all, except what is quiet.
 * @param {Settings} settings
 */
export function toHash(settings, { share = false } = {}) {
  const written = TABLE.filter(({ key, quiet, fallback, own }) => !(quiet && settings[key] === fallback) && !(share && own));
  return "#" + written.map(({ key }) => `${key}=${encodeURIComponent(settings[key])}`).join("&");
}

/** Whether a hash is a share link, and not only a choice of language or backend. */
export const isRun = (hash) => {
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  return TABLE.some(({ key, oneOf }) => !oneOf && given.has(key));
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
  return problems;
}
