/** What the browser keeps: of models, of the page itself, of finished runs; and deleting it. */

import { forget, kept } from "../pkg/index.js";
import { $ } from "./dom.js";
import * as store from "./history/store.js";
import * as offline from "./offline/offline.js";
import { el, hush, label, megabytes, say, t } from "./strings.js";

const dialog = $("storage-dialog");

/** @typedef {{name: () => string, bytes: number, files?: number, remove: () => Promise<unknown>}} Part */

/** All that is kept, the page first. @returns {Promise<Part[]>} */
async function parts() {
  const [page, runs, models] = await Promise.all([offline.kept(), store.list(), kept()]);
  const all = models.map(({ kind, model, ...of }) => ({ ...of, name: () => model, remove: () => forget({ kind, model }) }));
  if (runs.length && store.lasts()) all.unshift({ name: () => t("storage.history"), bytes: runs.reduce((sum, { bytes }) => sum + bytes, 0), remove: store.clear });
  if (page) all.unshift({ ...page, name: () => t("storage.page"), remove: offline.remove });
  return all;
}

/** Lists what is kept. */
async function show() {
  const all = await parts();
  $("storage-list").replaceChildren(...all.map(line));
  const bytes = all.reduce((sum, part) => sum + part.bytes, 0);
  const none = globalThis.caches ? "storage.empty" : "storage.none";
  say($("storage-total"), all.length ? "storage.total" : none, { size: megabytes(bytes) });
  $("storage-all").hidden = !all.length;
  await persistence(all.length > 0);
}

/** @param {Part} part */
function line({ name, bytes, files, remove: act }) {
  const box = el("li");
  const button = el("button", "storage.delete", {}, { type: "button", onclick: () => remove(act) });
  label(button, "storage.delete.of", { name });
  const size = files === undefined ? "plain" : "storage.files";
  box.append(el("span", "plain", { text: name }), el("span", size, { size: megabytes(bytes), files, text: megabytes(bytes) }, { className: "figures" }), button);
  return box;
}

/** @param {() => Promise<unknown>} act deletes */
async function remove(act) {
  await act();
  await show();
  // The button that had the focus is gone.
  ($("storage-list").querySelector("button") ?? $("storage-close")).focus();
}

/** Deletes all of it. */
const removeAll = async () => {
  for (const part of await parts()) await part.remove();
};

/** Whether the browser may clear it by itself. */
async function persistence(any) {
  const persisted = await navigator.storage?.persisted?.();
  $("storage-persist").hidden = persisted !== false || !any;
  if (persisted) say($("storage-persisted"), "storage.persisted");
  else hush($("storage-persisted"));
}

async function persist() {
  const granted = await navigator.storage.persist();
  await persistence(true);
  if (!granted) say($("storage-persisted"), "storage.refused");
  $("storage-close").focus();
}

export function listen() {
  $("storage").addEventListener("click", async () => {
    await show();
    dialog.showModal();
  });
  $("storage-all").addEventListener("click", () => remove(removeAll));
  $("storage-persist").addEventListener("click", persist);
  $("storage-close").addEventListener("click", () => dialog.close());
}
