/** Where the files of a model come from: a folder on a server, or anything that can read a path. */

import { absolute, download, prune } from "./download.js";
import { UnnoiseError } from "./error.js";

/**
 * @typedef {import("./index.js").Source} Source
 * @typedef {import("./index.js").LoadOptions} LoadOptions
 */

/** The files of a model's folder by the names that the engine calls them. */
const MODEL = {
  unet_config: "unet/config.json",
  weights: "unet/diffusion_pytorch_model.safetensors",
  scheduler_config: "scheduler/scheduler_config.json",
  card: "unnoise.json",
};
/** The files of a classifier's folder. */
const CLASSIFIER = { config: "config.json", weights: "diffusion_pytorch_model.safetensors" };
/** What a folder may lack. */
const OPTIONAL = ["card"];

/** All files of a model. @param {Source} source @param {LoadOptions} options */
export const readModel = (source, options) => readFolder(source, MODEL, options);

/**
 * Downloads a model before there is an engine to load it: the answer is a source that has its files at hand.
 * @param {Source} source @param {LoadOptions} [options] @returns {Promise<Source>}
 */
export async function fetch_model(source, options = {}) {
  const files = await readModel(source, options);
  const held = Object.fromEntries(Object.entries(MODEL).map(([part, path]) => [path, files[part]]));
  const elsewhere = readerOf(source, {});
  return { read: (path) => (path in held ? held[path] : elsewhere(path, () => {})) };
}

/** All files of a classifier. @param {Source} source @param {LoadOptions} options */
export const readClassifier = (source, options) => readFolder(source, CLASSIFIER, options);

/** The address of a folder, with the slash that relative paths need. */
export const folderOf = (url) => absolute(String(url).replace(/\/?$/, "/"));

/** Whether a source reads by itself. */
export const reads = (source) => typeof source?.read === "function";

const readerOf = (source, { signal, files }) => (reads(source) ? reader(source, signal) : fetcher(folderOf(source), files, signal));

async function readFolder(source, parts, { signal, progress = () => {}, files }) {
  const read = readerOf(source, { signal, files });
  if (files && !reads(source)) prune(folderOf(source), files).catch(() => {}); // the cache is a convenience
  const loaded = {};
  const totals = {};
  const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
  const known = files && Object.values(parts).reduce((total, path) => total + (files[path]?.bytes ?? 0), 0);
  const entries = Object.entries(parts).map(async ([part, path]) => {
    const report = (count, total) => {
      loaded[part] = count;
      if (total !== undefined) totals[part] = total;
      progress({ loaded: sum(loaded), total: known ?? (part in totals ? sum(totals) : undefined), file: path });
    };
    const data = await read(path, report).catch((thrown) => {
      if (OPTIONAL.includes(part) && (thrown.code === "not-listed" || thrown.values?.status === "404")) return undefined;
      throw thrown;
    });
    return [part, part === "weights" || !data ? data : new TextDecoder().decode(data)];
  });
  return Object.fromEntries(await Promise.all(entries));
}

/** Reads from a server. */
function fetcher(folder, files, signal) {
  const name = (path) => shorten(new URL(path, folder));
  return async (path, progress) => {
    const facts = files?.[path];
    if (files && !facts) throw new UnnoiseError("not-listed", { file: name(path) });
    return download(new URL(path, folder), { signal, progress, facts, name: name(path) });
  };
}

/** Reads from an object of the caller's, which answers bytes in any of their forms, or undefined for what is not there. */
function reader(source, signal) {
  return async (path, progress) => {
    const given = await source.read(path, { signal });
    if (signal?.aborted) throw new UnnoiseError("aborted");
    if (given === undefined || given === null) throw new UnnoiseError("missing", { file: path, status: "404" });
    const data = await bytesOf(given);
    progress(data.length, data.length);
    return data;
  };
}

async function bytesOf(given) {
  if (typeof given === "string") return new TextEncoder().encode(given);
  // The engine's worker takes the bytes away, so that what belongs to the caller is copied.
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice();
  return new Uint8Array(given instanceof ArrayBuffer ? given.slice(0) : await given.arrayBuffer()); // or a Blob, a File, a Response
}

/** An address as a person would name it: relative to the page where it is below it. */
function shorten(url) {
  const base = globalThis.document ? new URL(".", document.baseURI).href : "";
  return base && url.href.startsWith(base) ? url.href.slice(base.length) : url.href;
}
