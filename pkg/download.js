/** Files over HTTP: progress, the cache, and the check that every byte arrived. */

import { UnnoiseError } from "./error.js";

/** @typedef {{bytes: number, sha256: string}} Facts */

/** The cache of the files of models of this site. */
export const CACHE = "unnoise";

/**
 * Downloads a file. With `facts` it is checked, and kept in the browser's cache under its checksum.
 * @param {string | URL} url
 * @param {object} [options]
 * @param {AbortSignal} [options.signal]
 * @param {(loaded: number, total?: number) => void} [options.progress]
 * @param {Facts} [options.facts]
 * @param {RequestCache} [options.cache] of the browser; what is kept under its checksum need not be kept twice
 * @param {string} [options.name] what errors call the file
 * @returns {Promise<Uint8Array>}
 */
export async function download(url, { signal, progress = () => {}, facts, cache: mode = facts ? "no-cache" : "default", name = String(url) } = {}) {
  url = absolute(url);
  const store = facts && (await cache());
  const key = facts && keyOf(url, facts);
  const kept = await store?.match(key).then(bytesOf, () => undefined);
  if (kept && !(await damage(kept, facts, name))) {
    progress(kept.length, kept.length);
    return kept;
  }
  const response = await request(url, { signal, cache: mode }, name);
  const data = await body(response, facts?.bytes, progress, signal, name);
  const error = facts && (await damage(data, facts, name));
  if (error) throw error;
  // A full disk only costs the next visit its head start.
  store?.put(key, new Response(data)).catch(() => {});
  return data;
}

/** Takes what is not listed any more of a folder out of the cache. @param {string | URL} folder @param {Record<string, Facts>} files */
export async function prune(folder, files) {
  const current = new Set(Object.entries(files).map(([path, facts]) => keyOf(new URL(path, folder), facts)));
  const store = await cache();
  for (const { url } of (await store?.keys()) ?? []) {
    if (url.startsWith(String(folder)) && !current.has(url)) await store.delete(url);
  }
}

/** What the browser keeps of models. There is no such thing without https, nor in some private windows. @returns {Promise<Cache | undefined>} */
export async function cache() {
  try {
    return await caches.open(CACHE);
  } catch {
    return undefined;
  }
}

export function keyOf(url, { sha256 }) {
  const key = new URL(url);
  key.searchParams.set("sha256", sha256);
  return key.href;
}

/** Asks a server for a file; every way to fail becomes an error with the file's name. */
export async function request(url, options, file) {
  let response;
  try {
    response = await fetch(url, options);
  } catch {
    if (options.signal?.aborted) throw new UnnoiseError("aborted");
    throw new UnnoiseError(globalThis.navigator?.onLine === false ? "offline" : "unreachable", { file });
  }
  if (!response.ok) throw new UnnoiseError("missing", { file, status: String(response.status) });
  return response;
}

async function body(response, expected, progress, signal, file) {
  // The length that a server states is that of what it sends, which may be compressed.
  const stated = response.headers.has("content-encoding") ? undefined : Number(response.headers.get("content-length")) || undefined;
  const total = expected ?? stated;
  const chunks = [];
  let length = 0;
  const reader = response.body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      chunks.push(value);
      length += value.length;
      progress(total === undefined ? length : Math.min(length, total), total);
    }
  } catch {
    if (signal?.aborted) throw new UnnoiseError("aborted");
    // Where the length is listed, a connection that broke is named by what it left: too few bytes.
    if (expected === undefined) throw new UnnoiseError("unreachable", { file });
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** What is wrong with the bytes, if anything. The digest needs a secure context; the length is always checked. */
async function damage(data, { bytes, sha256 }, file) {
  if (data.length !== bytes) return new UnnoiseError("truncated", { file, got: data.length, expected: bytes });
  if (!globalThis.crypto?.subtle) return undefined;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
  const hex = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex === sha256 ? undefined : new UnnoiseError("damaged", { file });
}

/** An address that may be relative, to the page or to the worker that this runs in. */
export const absolute = (url) => new URL(url, globalThis.document?.baseURI ?? globalThis.location?.href);

const bytesOf = (response) => response && response.arrayBuffer().then((buffer) => new Uint8Array(buffer));
