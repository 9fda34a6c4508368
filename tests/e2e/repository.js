/** Folders as diffusers saves them, of the self-test's network. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { root } from "./browser.js";

/** The files of a folder, by their paths. @returns {Record<string, Buffer>} */
export function repository() {
  const names = ["model_index.json", "unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"];
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(root, "models/selftest", name))]));
}
