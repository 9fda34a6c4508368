/**
 * Which backend is the faster for a model, where there are both: a step of each is timed once, after a run that WebGPU has drawn and when
 * nothing else is done, and remembered by graphics card, model and number of images.
 */

import { Engine, adapter } from "../pkg/index.js";
import { fetchModel, optionsOf } from "./models.js";
import { remember, remembered } from "./theme.js";

const KEY = "pace";
/** Bytes of a model beyond which it is not loaded a second time for this. */
const LARGE = 64e6;
/** The card, which does not change while the page is open. @type {{name: string, software: boolean} | undefined} */
let card;
/** What ends the timing that is under way. */
let timing = new AbortController();

/** Milliseconds a step. @typedef {{cpu: number, webgpu: number}} Paces */

/** What was timed, by card and model. @returns {Record<string, Paces>} */
function all() {
  try {
    return JSON.parse(remembered(KEY) ?? "{}") ?? {};
  } catch {
    return {}; // not ours: it is written anew
  }
}

/** On a CPU the time of a step grows with the images, on a graphics card hardly. */
const name = ({ model, images }) => `${card?.name} ${model} × ${images}`;

/** Finds the card. Until then nothing is known. */
export async function begin() {
  card ??= await adapter();
}

/** What is known of runs of these settings on this card. @param {import("../pkg/index.js").Settings} settings @returns {(Paces & {adapter: string}) | undefined} */
export function known(settings) {
  const { cpu, webgpu } = all()[name(settings)] ?? {};
  return card && !card.software && cpu > 0 && webgpu > 0 ? { cpu, webgpu, adapter: card.name } : undefined;
}

/** What to open for these settings. @param {import("../pkg/index.js").Settings} settings @returns {"auto" | "cpu" | "webgpu"} */
export function device(settings) {
  const paces = known(settings);
  return settings.backend ?? (paces && paces.cpu < paces.webgpu ? "cpu" : "auto");
}

/**
 * Times a step on both. Whoever needs the machine ends it by `abort`.
 * @param {{engine: Engine, held: import("../pkg/index.js").Model, model: import("./models.js").Model, settings: import("../pkg/index.js").Settings}} drawn
 * @returns {Promise<boolean>} whether more is known than before
 */
export async function compare({ engine, held, model, settings }) {
  abort();
  const choice = engine.backend === "webgpu" && engine.reason.code === "adapter" && !(model.bytes > LARGE);
  if (!choice || known(settings)) return false;
  const { signal } = (timing = new AbortController());
  const run = { model: model.id, images: settings.images, prompt: settings.prompt, seed: 0 };
  try {
    const webgpu = await held.pace(run, { signal });
    const cpu = await onCpu(model, run, signal);
    remember(KEY, JSON.stringify({ ...all(), [name(settings)]: { cpu, webgpu } }));
    return true;
  } catch {
    return false; // another time
  }
}

async function onCpu(model, run, signal) {
  const other = await Engine.open({ device: "cpu", signal });
  try {
    const held = await other.load(await fetchModel(model, { signal }), { ...optionsOf(model), signal });
    return await held.pace(run, { signal });
  } finally {
    other.close();
  }
}

export const abort = () => timing.abort();
