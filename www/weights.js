/** Model files: the list of models, downloads with progress, the cache, and the check that every byte arrived. */

import { Fault } from "./fault.js";

/**
 * @typedef {{bytes: number, sha256: string}} FileFacts
 * @typedef {{id: string, files: Record<string, FileFacts>}} Listed a folder and its files
 * @typedef {{en: string, zh: string}} Text
 * @typedef {{id: string, name: Text, description: Text, licence: string, defaults: Record<string, string | number>,
 *            thumbnail: string | null, bytes: number, files: Record<string, FileFacts>, classifier: Listed | null}} Model
 */

const ROOT = new URL("../", import.meta.url);
const FILES = {
  config: "unet/config.json",
  weights: "unet/diffusion_pytorch_model.safetensors",
  scheduler: "scheduler/scheduler_config.json",
  card: "unnoise.json",
};
const CLASSIFIER_FILES = { config: "config.json", weights: "diffusion_pytorch_model.safetensors" };
// One cache a deployment, so that two copies of the page on one host do not prune each other's files.
const CACHE = `unnoise ${ROOT.pathname}`;

/** @returns {Promise<Model[]>} what `models/index.json` lists */
export async function models() {
  const response = await get("models/index.json", { cache: "no-cache" });
  try {
    const list = await response.json();
    if (Array.isArray(list) && list.length > 0) return list;
  } catch {
    // Not JSON: told below, like an empty list.
  }
  throw new Fault("no-models", { file: "models/index.json" });
}

/** The three files that `Engine.self_test` wants. */
export async function selfTestFiles() {
  const folder = "models/selftest/";
  const [config, weights, oracle] = await Promise.all([
    get(folder + FILES.config).then((r) => r.text()),
    get(folder + FILES.weights).then(bytes),
    get(folder + "oracle.safetensors").then(bytes),
  ]);
  return { config, weights, oracle };
}

/**
 * All files of a model, from the cache or the network.
 * @param {Model} model
 * @param {(loaded: number, total: number) => void} progress in bytes
 * @param {AbortSignal} signal
 */
export const fetchModel = (model, progress, signal) => fetchFolder(model, FILES, progress, signal);

/** The files of a classifier, in the same way. @param {Listed} classifier */
export const fetchClassifier = (classifier, progress, signal) => fetchFolder(classifier, CLASSIFIER_FILES, progress, signal);

/** @param {Listed} listed @param {Record<string, string>} files paths by the name of the part */
async function fetchFolder(listed, files, progress, signal) {
  const cache = await openCache(listed);
  const loaded = {};
  const total = Object.values(files).reduce((sum, path) => sum + (listed.files[path]?.bytes ?? 0), 0);
  const parts = Object.entries(files).map(async ([part, path]) => {
    const facts = listed.files[path];
    if (!facts) throw new Fault("not-listed", { file: `models/${listed.id}/${path}` });
    const data = await fetchFile(cache, `models/${listed.id}/${path}`, facts, signal, (count) => {
      loaded[part] = count;
      progress(Object.values(loaded).reduce((a, b) => a + b), total);
    });
    return [part, part === "weights" ? data : new TextDecoder().decode(data)];
  });
  return Object.fromEntries(await Promise.all(parts));
}

async function fetchFile(cache, file, facts, signal, progress) {
  const key = new URL(`${file}?sha256=${facts.sha256}`, ROOT).href;
  const kept = await cache?.match(key).then((hit) => hit && bytes(hit)).catch(() => undefined);
  if (kept && !(await damage(kept, facts))) {
    progress(kept.length);
    return kept;
  }
  const data = await read(await get(file, { signal }), facts.bytes, progress, signal);
  const fault = await damage(data, facts);
  if (fault) throw new Fault(fault.code, { file, ...fault.values });
  // A full disk or a private window only costs the next visit its head start.
  cache?.put(key, new Response(data)).catch(() => {});
  return data;
}

/** @returns {Promise<Cache | undefined>} undefined where there is none (plain http, private windows) */
async function openCache(listed) {
  try {
    const cache = await caches.open(CACHE);
    const current = new Set(Object.values(listed.files).map((facts) => facts.sha256));
    for (const request of await cache.keys()) {
      const url = new URL(request.url);
      const stale = url.pathname.includes(`/models/${listed.id}/`) && !current.has(url.searchParams.get("sha256"));
      if (stale) await cache.delete(request);
    }
    return cache;
  } catch {
    return undefined;
  }
}

/** What is wrong with the bytes, if anything. The digest needs a secure context; the length is always checked. */
async function damage(data, facts) {
  if (data.length !== facts.bytes) return { code: "truncated", values: { got: data.length, expected: facts.bytes } };
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === facts.sha256 ? undefined : { code: "damaged", values: {} };
}

/** Fetches a file beside the page; every way to fail becomes a fault with the file's name. */
export async function get(file, options = {}) {
  let response;
  try {
    response = await fetch(new URL(file, ROOT), options);
  } catch (thrown) {
    if (thrown.name === "AbortError") throw new Fault("cancelled");
    throw new Fault(navigator.onLine ? "unreachable" : "offline", { file });
  }
  if (!response.ok) throw new Fault("missing", { file, status: String(response.status) });
  return response;
}

async function read(response, expected, progress, signal) {
  const chunks = [];
  let length = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
      progress(Math.min(length, expected));
    }
  } catch {
    // A connection that broke is told as what it left: too few bytes.
    if (signal.aborted) throw new Fault("cancelled");
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

const bytes = async (response) => new Uint8Array(await response.arrayBuffer());
