/** The views beside the stage, each loaded when it is first opened. */

import { read_link } from "../pkg/index.js";
import { $ } from "./dom.js";
import * as levels from "./levels.js";
import { fetchModel, optionsOf } from "./models.js";
import * as viewer from "./viewer.js";

/**
 * @typedef {object} Page what a view has of the page
 * @property {import("./controls.js").Controls} controls
 * @property {() => import("../pkg/index.js").Model | undefined} model the one on the device
 * @property {(id: string, signal: AbortSignal, engine?: import("../pkg/index.js").Engine) => Promise<import("../pkg/index.js").Model>} load puts another there, or on another engine
 * @property {() => import("../pkg/index.js").Engine} engine
 * @property {() => void} reload puts that of the settings back
 * @property {() => object} given what a run begins with besides noise
 * @property {(settings: import("../pkg/index.js").Settings) => void} run draws these on the stage
 * @property {() => number | undefined} pace milliseconds of an evaluation of one picture
 * @property {(thrown: unknown) => Promise<void>} failed a view failed: one that lost its device has a model on another when this is over
 */

/** What opens each, and the keys of a link that ask for it. */
const VIEWS = {
  compare: { load: () => import("./compare.js"), keys: ["x", "y"] },
  race: { load: () => import("./race.js"), keys: ["race"] },
  walk: { load: () => import("./walk.js"), keys: ["walk"] },
  bench: { load: () => import("./bench.js"), keys: ["bench"] },
};

/** @type {Page & {broken: (thrown: unknown) => void, reopen: (thrown: unknown) => boolean, stop: () => void}} */
let page;
/** Views whose device was lost, until there is a model again. @type {(() => void)[]} */
let waiting = [];

/** The view that the settings ask for. */
const named = () => Object.keys(VIEWS).find((name) => VIEWS[name].keys.some((key) => page.controls.settings[key]));

/** Whether the link asks for one. */
export const asked = () => Boolean(named());

/** Whether a link that draws nothing opens a view. @param {string} link */
export const opens = (link) => Boolean(read_link(link, []).settings.bench);

/** Another link is opened: a view that it does not ask for is closed. */
export function leave() {
  if (asked()) return;
  for (const dialog of document.querySelectorAll("dialog.view[open]")) dialog.close();
}

async function show(name, how) {
  try {
    const view = await VIEWS[name].load();
    page.stop();
    await view[how](page);
  } catch (thrown) {
    page.broken(thrown);
  }
}

/** Draws what the link asks for. */
export const begin = () => show(named(), "begin");

/** @param {object} given as a view has it, and what it is made of */
export function listen(given) {
  const load = async (id, signal, engine = given.engine()) => {
    const model = given.controls.models.find((model) => model.id === id);
    return engine.load(await fetchModel(model, { signal, progress: () => {} }), { ...optionsOf(model), signal });
  };
  page = { ...given, load, pace, failed };
  levels.listen(given);
  for (const name of Object.keys(VIEWS)) $(name).addEventListener("click", () => show(name, "open"));
}

/** A model is on the device, or is not any more. */
export function enable(there) {
  for (const name of Object.keys(VIEWS)) $(name).disabled = !there;
  if (!there) return;
  for (const go of waiting) go();
  waiting = [];
}

async function failed(thrown) {
  if (page.reopen(thrown)) await new Promise((there) => waiting.push(there));
}

function pace() {
  const { newest } = viewer.timeline;
  return newest?.evaluations ? newest.total_ms / (newest.evaluations * newest.images) : undefined;
}
