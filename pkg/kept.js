/** What the browser keeps of models: those of this site, and those of hubs. */

import { CACHE, absolute } from "./download.js";
import { PIECES, SHELF } from "./pieces.js";

/** The caches, and where the names of their models begin and how many parts they have. */
const CACHES = [
  { name: CACHE, from: "models/", parts: 1 },
  { name: PIECES, from: SHELF, parts: 2 },
];

/**
 * @returns {Promise<{kind: "folder" | "hub", model: string, bytes: number, files: number}[]>} a folder of the site or a repository,
 * its bytes, and of how many files they are
 */
export async function kept() {
  const found = new Map();
  for (const { kind, model, file, request, cache } of await entries()) {
    const id = `${kind} ${model}`;
    const entry = found.get(id) ?? { kind, model, bytes: 0, files: new Set() };
    found.set(id, entry);
    if (!file.endsWith("/")) entry.files.add(file); // a listing is none
    entry.bytes += await sizeOf(await cache.match(request));
  }
  return [...found.values()].map(({ files, ...entry }) => ({ ...entry, files: files.size }));
}

/** Deletes what is kept of a model, or of all. @param {{kind: "folder" | "hub", model: string}} [which] */
export async function forget(which) {
  const gone = (entry) => !which || (entry.kind === which.kind && entry.model === which.model);
  const all = (await entries()).filter(gone);
  // What says that a file is whole goes before its pieces.
  const last = ({ request }) => Number(new URL(request.url).searchParams.get("piece") !== "all");
  for (const { cache, request } of all.sort((a, b) => last(a) - last(b))) await cache.delete(request);
}

async function entries() {
  const out = [];
  if (!globalThis.caches) return out;
  for (const { name, from, parts } of CACHES) {
    if (!(await caches.has(name).catch(() => false))) continue;
    const cache = await caches.open(name);
    const base = absolute(from).href;
    for (const request of await cache.keys()) {
      if (!request.url.startsWith(base)) continue; // of another site on the same host
      const file = decodeURIComponent(new URL(request.url).pathname.slice(new URL(base).pathname.length));
      out.push({ kind: name === PIECES ? "hub" : "folder", model: file.split("/").slice(0, parts).join("/"), file, request, cache });
    }
  }
  return out;
}

async function sizeOf(response) {
  const stated = response?.headers.get("content-length");
  return stated ? Number(stated) : ((await response?.blob())?.size ?? 0);
}
