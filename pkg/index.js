/** unnoise: diffusion models and samplers in the browser. The types, and what everything means, are in `index.d.ts`. */

export { download } from "./download.js";
export { Engine, facts } from "./engine.js";
export { UnnoiseError } from "./error.js";
export { Lab } from "./lab.js";
export { fetch_model } from "./source.js";
export { catalogue, change, fit, fit_mask, fit_picture, init, is_run, read_link, read_start, size_of, write_link, write_start } from "./settings.js";
