/** The models to choose from: what `models/index.json` lists, and what a person has opened. */

import { UnnoiseError, download, fetch_model } from "../pkg/index.js";

/**
 * @typedef {{id: string, files: Record<string, import("../pkg/index.js").FileFacts>}} Listed a folder and its files
 * @typedef {{en?: string, zh?: string}} Text
 * @typedef {{id: string, name: Text, description: Text, licence: string, defaults: Record<string, string | number>,
 *            kind: "text" | "classes" | "score", conditioning: "none" | "classes" | "text", prompts: Record<"en" | "zh", string[]>, vocabulary: string | null, pictures: string | null,
 *            thumbnail: string | null, readme: string | null, bytes: number, files: Listed["files"], classifier: Listed | null,
 *            opened?: boolean, learned?: boolean, full?: boolean, source?: import("../pkg/index.js").Source}} Model an opened one has a source as long as its files are at hand, and is learned once the engine knows it
 */

/** What was opened, or is asked for by a link, by id. @type {Map<string, Model>} */
export const opened = new Map();

/** The address of a file of the site, and how it is called. */
const at = (file) => new URL(file, document.baseURI);

/** A file of the site. @returns {Promise<Uint8Array>} */
export const get = (file, options) => download(at(file), { ...options, name: file });

/** The same as text. */
export const getText = async (file, options) => new TextDecoder().decode(await get(file, options));

/** @returns {Promise<Model[]>} */
export async function list() {
  const file = "models/index.json";
  const text = await getText(file, { cache: "no-cache" });
  try {
    const models = JSON.parse(text);
    if (Array.isArray(models) && models.length > 0) return [...models, ...opened.values()];
  } catch {
    // Not JSON: reported below, like an empty list.
  }
  throw new UnnoiseError("no-models", { file });
}

/** Downloads a model, from the cache or the network. @param {Model} model @returns {Promise<import("../pkg/index.js").Source>} */
export const fetchModel = async ({ id, files, source }, options) => source ?? fetch_model(at(`models/${id}/`), { ...options, files });

/** What the engine is to know of a model besides its files. @param {Model} model */
export const optionsOf = ({ id, classifier }) => ({ id, classifier: classifier && { source: at(`models/${classifier.id}/`), files: classifier.files } });
