/** Links, catalogue and rules: a small WebAssembly module that answers at once, on whichever thread it is. */

import { request } from "./download.js";
import { UnnoiseError } from "./error.js";

/** @type {typeof import("./unnoise_settings.js") | undefined} */
let module;
/** @type {Promise<void> | undefined} */
let starting;

/** Fetches and starts the module. Once is enough; after a failure it is tried anew. */
export function init() {
  starting ??= start().catch((thrown) => {
    starting = undefined;
    throw thrown;
  });
  return starting;
}

async function start() {
  if (typeof WebAssembly !== "object") throw new UnnoiseError("no-wasm");
  const name = "pkg/unnoise_settings";
  const [api, answer] = await Promise.all([
    import("./unnoise_settings.js").catch(() => {
      throw new UnnoiseError(globalThis.navigator?.onLine === false ? "offline" : "engine-missing", { file: `${name}.js` });
    }),
    request(new URL("./unnoise_settings_bg.wasm", import.meta.url), {}, `${name}_bg.wasm`),
  ]);
  await api.default({ module_or_path: answer }).catch((thrown) => {
    throw new UnnoiseError("engine-wasm", { message: String(thrown?.message ?? thrown), file: `${name}_bg.wasm` });
  });
  module = api;
}

/** Whether these are the lab's settings: a run has no data set. */
const isLab = (settings) => "data" in settings;

/** Calls a function of the module; its errors become those of this package. */
function call(name, ...given) {
  if (!module) throw new UnnoiseError("not-ready");
  try {
    return module[name](...given);
  } catch (thrown) {
    throw UnnoiseError.from(thrown);
  }
}

export const catalogue = () => call("catalogue");
export const read_link = (link, models = []) => call("read_link", link, models);
export const write_link = (settings, options) => call("write_link", settings, options);
export const is_run = (link) => call("is_run", link);
export const change = (settings, key, value, models = [], facts = undefined) =>
  isLab(settings) ? call("change_lab", settings, key, value) : call("change", settings, key, value, models, facts);
export const fit = (settings, models = [], facts = undefined) => call("fit", settings, models, facts);
export const size_of = (settings, size) => call("size_of", settings, size);
export const branch = (settings, run, step) => call("branch", settings, run, step);
export const read_legs = (settings) => call("read_legs", settings);
export const grid = (settings, models = [], facts = undefined) => call("grid", settings, models, facts);
export const write_walk = (key, stops, steps) => call("write_walk", key, stops, String(steps));
export const walk = (settings, models = [], facts = undefined) => call("walk", settings, models, facts);
export const grid_csv = (settings, cells) => call("grid_csv", settings, cells);
export const schedule_parts = (schedule) => call("schedule_parts", schedule);
export const race = (settings, facts = undefined) => call("race", settings, facts) ?? undefined;
export const race_table = (settings, points) => call("race_table", settings, points);
export const picture_difference = (one, other) => call("picture_difference", one, other);
export const picture_rms = (one, other) => call("picture_rms", one, other) ?? undefined;
export const write_start = (picture, mask, size) => call("write_start", picture, mask, size);
export const read_start = (start) => call("read_start", start) ?? undefined;
export const write_made = (png, settings, part = {}) => call("write_made", png, settings, part);
export const read_made = (png) => call("read_made", png) ?? undefined;
export const made_texts = (settings, part = {}) => call("made_texts", settings, part);
export const other_weights = (made, here) => call("other_weights", made, here);
export const read_show = (show) => call("read_show", show) ?? undefined;
export const write_show = (look) => call("write_show", look);
export const fit_picture = (rgba, width, height, size, placing) => call("fit_picture", rgba, width, height, size, placing);
export const fit_mask = (rgba, width, height, size, placing) => call("fit_mask", rgba, width, height, size, placing);
export const model_origin = (model) => call("model_origin", model);
export const read_repository = (text) => call("read_repository", text) ?? undefined;
export const own_model = (folder) => call("own_model", folder);
