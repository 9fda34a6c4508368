/**
 * The page without a network. Where the site is published, a service worker keeps the release that was opened; where it is edited there is
 * none, so that a reload is always right.
 */

import { script_url } from "../../pkg/index.js";
import { messages } from "../notices.js";
import { RELEASE } from "../release.js";

const SCOPE = new URL(".", document.baseURI);
/** What the caches of the worker are called; the site's path is in their names. */
const OURS = [`unnoise-page ${SCOPE.pathname} `, `unnoise-shelf ${SCOPE.pathname}`];
/** How long a reload waits for a newer release to be fetched (milliseconds). */
const PATIENCE = 20_000;

/** @type {Promise<ServiceWorkerRegistration | undefined>} */
let registered = Promise.resolve(undefined);
/** Whether this tab asked for the newer release. */
let wanted = false;

const { notice } = messages("");

/** Begins to keep the page, and offers a newer release. */
export function begin() {
  const { serviceWorker } = navigator; // none without https, nor in some private windows
  if (!serviceWorker || parent !== window) return; // a frame is not what a visitor keeps
  if (!RELEASE) {
    // Of a site that was published here before.
    serviceWorker.getRegistration(SCOPE.href).then((old) => old?.scope === SCOPE.href && old.unregister());
    return;
  }
  const controlled = Boolean(serviceWorker.controller);
  registered = serviceWorker.register(script_url(new URL("sw.js", SCOPE).href), { scope: SCOPE.pathname, updateViaCache: "none" }).then(watch, () => undefined); // the page works without
  serviceWorker.addEventListener("controllerchange", () => {
    if (wanted) location.reload();
    else if (controlled) notice("offline.changed", {}, "offline"); // another tab has taken the newer one
  });
}

/** @param {ServiceWorkerRegistration} registration */
function watch(registration) {
  offer(registration);
  registration.addEventListener("updatefound", () => registration.installing?.addEventListener("statechange", () => offer(registration)));
  return registration;
}

/** Offers the release that waits, which is whole. */
function offer({ waiting, active }) {
  if (waiting && active) notice("offline.newer", {}, "offline", { "offline.use": use });
}

async function use() {
  wanted = true;
  (await registered)?.waiting?.postMessage({ use: true });
}

/** Reloads the page in the newest release that can be had. */
export async function reload() {
  const registration = await registered;
  // A site that has no worker any more must not be held on to by the one before.
  await registration?.update().catch(() => navigator.onLine && registration.unregister());
  const coming = registration?.installing;
  if (coming) {
    await Promise.race([new Promise((done) => coming.addEventListener("statechange", done, { once: true })), new Promise((done) => setTimeout(done, PATIENCE))]);
  }
  if (registration?.waiting) return use();
  return location.reload();
}

/** Keeps an engine, which was used. @param {"cpu" | "webgpu"} engine */
export async function keep(engine) {
  if (!(await registered)) return;
  (await navigator.serviceWorker.ready).active?.postMessage({ engine });
}

/** What is kept of the page: its caches, in bytes and files; nothing where there is no worker. */
export async function kept() {
  if (!globalThis.caches) return undefined;
  const names = (await caches.keys().catch(() => [])).filter((name) => OURS.some((ours) => name.startsWith(ours)));
  let [bytes, files] = [0, 0];
  for (const name of names) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      bytes += (await (await cache.match(request))?.blob())?.size ?? 0;
      files += 1;
    }
  }
  return files ? { bytes, files } : undefined;
}

/** Keeps the page no longer: until it is opened again. */
export async function remove() {
  await (await registered)?.unregister();
  for (const name of await caches.keys()) if (OURS.some((ours) => name.startsWith(ours))) await caches.delete(name);
}
