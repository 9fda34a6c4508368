/**
 * The service worker of a published site: the page, the engine that was used and the models that were loaded work without a network.
 * `cargo xtask dist` writes this file to the site's root, after a constant `SITE` with what the release has.
 *
 * A release is whole or not there: its files are fetched when the worker is installed, and each has to have its SHA-256. They are served
 * from there alone, as long as the release is in use, so that a page never has files of another one.
 */

/* global SITE */
/** @typedef {{release: string, shell: Record<string, string>, engines: Record<string, Record<string, string>>}} Site SHA-256 in hexadecimal by path */

/** Other sites on the same host have caches of their own. */
const SCOPE = new URL(self.registration.scope).pathname;
const PREFIX = `unnoise-page ${SCOPE} `;
const CACHE = PREFIX + SITE.release;
/** What describes the models: their list, cards and pictures. The weights are in the package's own cache. */
const SHELF = `unnoise-shelf ${SCOPE}`;

const absolute = (path) => new URL(path, self.registration.scope).href;
const base64 = (hex) => btoa(String.fromCharCode(...hex.match(/../g).map((byte) => parseInt(byte, 16))));

/** Keeps a file, which has to be the listed one. A copy in the browser's own cache that is not is fetched anew. */
async function keep(cache, path, sha256) {
  const url = absolute(path);
  if (await cache.match(url)) return;
  const get = (mode) => fetch(url, { integrity: `sha256-${base64(sha256)}`, cache: mode });
  const response = await get(path === "index.html" ? "no-cache" : "default").catch(() => get("reload"));
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  await cache.put(url, response);
}

const keepAll = async (files) => {
  const cache = await caches.open(CACHE);
  await Promise.all(Object.entries(files).map(([path, sha256]) => keep(cache, path, sha256)));
};

/** Keeps the list of models, and what the gallery shows and says of each; that one of these is missing is no reason to go without the page. */
async function describe() {
  const get = (path) => freshest(new Request(absolute(`models/${path}`), { cache: "no-cache" }));
  const models = await (await get("index.json")).json();
  const files = models.flatMap(({ id, thumbnail, readme, vocabulary }) => [thumbnail && `${id}/${thumbnail}`, readme && `${id}/${readme}`, vocabulary]);
  await Promise.allSettled(files.filter(Boolean).map(get));
}

async function install() {
  await Promise.all([keepAll(SITE.shell), describe().catch(() => {})]);
  // An engine that the release before had is wanted of this one, too.
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  const olds = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
  const used = Object.values(SITE.engines).filter((files) => Object.keys(files).some((path) => olds.flat().some((url) => path.endsWith("_bg.wasm") && url.endsWith(path.split("/").at(-1)))));
  for (const files of used) await keepAll(files);
}

async function activate() {
  for (const name of await caches.keys()) if (name.startsWith(PREFIX) && name !== CACHE) await caches.delete(name);
  await self.clients.claim();
}

/** The newest that there is, or what was kept of it. */
async function freshest(request) {
  const cache = await caches.open(SHELF);
  try {
    const response = await fetch(request);
    if (response.ok) await cache.put(request.url, response.clone()).catch(() => {}); // a full disk costs the journey without a network
    return response;
  } catch (thrown) {
    const kept = await cache.match(request.url);
    if (kept) return kept;
    throw thrown;
  }
}

async function ofRelease(request, path) {
  const kept = await (await caches.open(CACHE)).match(absolute(path));
  return kept ?? fetch(request);
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || !url.href.startsWith(self.registration.scope)) return;
  const path = decodeURIComponent(url.pathname.slice(SCOPE.length));
  if (request.mode === "navigate" && (path === "" || path === "index.html")) return event.respondWith(ofRelease(request, "index.html"));
  if (path.startsWith(`${SITE.release}/`) || path in SITE.shell) {
    // The page asks for its own address to learn whether there is a newer release: only the network knows.
    if (path !== "index.html") event.respondWith(ofRelease(request, path));
    return;
  }
  if (path.startsWith("models/") && !path.endsWith(".safetensors")) event.respondWith(freshest(request));
});

self.addEventListener("message", (event) => {
  const { data, ports } = event;
  if (data?.use) self.skipWaiting();
  const files = data?.engine && SITE.engines[data.engine];
  if (files) event.waitUntil(keepAll(files).then(() => ports[0]?.postMessage({ kept: true }), ({ message }) => ports[0]?.postMessage({ message })));
});
