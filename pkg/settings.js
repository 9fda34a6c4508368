/** Links, catalogue and rules: a small WebAssembly module that answers at once, on whichever thread it is. */

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
  const api = await import("./unnoise_settings.js").catch(() => {
    throw new UnnoiseError(globalThis.navigator?.onLine === false ? "offline" : "engine-missing", { file: "pkg/unnoise_settings.js" });
  });
  await api.default().catch((thrown) => {
    throw UnnoiseError.from(thrown, "engine-wasm");
  });
  module = api;
}

function ready() {
  if (!module) throw new UnnoiseError("not-ready");
  return module;
}

/** Calls a function of the module; its errors become those of this package. */
const call = (name) => (...given) => {
  try {
    return ready()[name](...given);
  } catch (thrown) {
    throw UnnoiseError.from(thrown);
  }
};

export const catalogue = call("catalogue");
export const read_link = call("read_link");
export const write_link = call("write_link");
export const is_run = call("is_run");
export const change = call("change");
export const fit = call("fit");
export const fit_picture = call("fit_picture");
export const fit_mask = call("fit_mask");
export const lab_csv = call("lab_csv");
export const lab_image = call("lab_image");
export const lab_pack = call("lab_pack");
