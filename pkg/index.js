/** unnoise: diffusion models and samplers in the browser. The types, and what everything means, are in `index.d.ts`. */

export { adapter } from "./adapter.js";
export { download } from "./download.js";
export { Engine, facts } from "./engine.js";
export { UnnoiseError } from "./error.js";
export { film, film_sizes } from "./film.js";
export { HUB, hub, kept_hub } from "./hub.js";
export { forget, kept } from "./kept.js";
export { Lab } from "./lab.js";
export { own_files } from "./local.js";
export { fetch_model } from "./source.js";
export { branch, catalogue, change, fit, fit_mask, fit_picture, grid, grid_csv, init, is_run, made_texts, model_origin, other_weights, own_model, picture_difference, picture_rms, race, race_table, read_legs, read_link, read_made, read_repository, read_show, read_start, schedule_parts, size_of, walk, write_link, write_made, write_show, write_start, write_walk } from "./settings.js";
export { script_url } from "./trusted.js";
