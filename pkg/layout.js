/** The files that a model's folder has where no list says so: a server tells nobody what a folder holds. */

import { UnnoiseError } from "./error.js";

/** What a model's folder says of itself. */
export const CARD = "unnoise.json";

/** Whether a file, or a folder that it lies in, is hidden. @param {string} path */
export const hidden = (path) => path.split("/").some((part) => part.startsWith("."));

const INDEX = "model_index.json";
const SCHEDULER = ["scheduler/scheduler_config.json", "scheduler_config.json"];
const TOKENIZER = ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json"];
/** Where the network lies in a folder without an index. */
const NETWORKS = ["unet", "transformer", ""];
/** Parts that draw nothing. */
const IDLE = ["scheduler", "feature_extractor", "safety_checker", "image_encoder"];

/**
 * Finds the files of a folder by the names that diffusers gives them.
 * @param {(path: string) => Promise<Uint8Array>} read
 * @returns {Promise<string[]>}
 */
export async function guess(read) {
  const found = [];
  const text = async (path) => {
    try {
      const data = await read(path);
      found.push(path);
      return new TextDecoder().decode(data);
    } catch (thrown) {
      if (thrown?.code === "missing" || thrown?.code === "not-listed") return undefined;
      throw thrown;
    }
  };
  const json = async (path) => parse(await text(path));
  const [card, index] = [await json(CARD), await json(INDEX)];
  const shared = card?.parts ?? {};
  const folders = index ? Object.keys(index).filter((key) => Array.isArray(index[key]) && index[key][1]) : [];
  const place = (folder) => (folder in shared ? `../${shared[folder]}/${folder}` : folder);
  /** A network's configuration, and its weights by the name that its library gives them. */
  const network = async (folder) => {
    const at = folder && `${place(folder)}/`;
    const config = await json(`${at}config.json`);
    if (config) found.push(`${at}${config.architectures ? "model" : "diffusion_pytorch_model"}.safetensors`);
    return Boolean(config);
  };
  let draws = false;
  for (const folder of NETWORKS) draws ||= await network(folder);
  if (!draws) throw new UnnoiseError("missing", { file: "unet/config.json", status: "404" });
  const parts = [...folders, ...Object.keys(shared)].filter((folder) => ![...NETWORKS, ...IDLE].includes(folder));
  for (const folder of new Set(parts)) {
    if (folder.startsWith("tokenizer")) await Promise.all(TOKENIZER.map((file) => text(`${place(folder)}/${file}`)));
    else await network(folder);
  }
  for (const path of SCHEDULER) if ((await text(path)) !== undefined) break;
  return found;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // what is wrong with it the engine says
  }
}
