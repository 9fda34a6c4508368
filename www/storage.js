/** What the browser keeps of models, and deleting it. */

import { forget, kept, model_origin } from "../pkg/index.js";
import { $ } from "./dom.js";
import { el, hush, label, megabytes, say } from "./strings.js";

const dialog = $("storage-dialog");

/** Lists what is kept. */
async function show() {
  const all = await kept();
  $("storage-list").replaceChildren(...all.map(line));
  const bytes = all.reduce((sum, entry) => sum + entry.bytes, 0);
  const none = globalThis.caches ? "storage.empty" : "storage.none";
  say($("storage-total"), all.length ? "storage.total" : none, { size: megabytes(bytes) });
  $("storage-all").hidden = !all.length;
  await persistence(all.length > 0);
}

function line({ kind, model, bytes, files }) {
  const box = el("li");
  const button = el("button", "storage.delete", {}, { type: "button", onclick: () => remove({ kind, model }) });
  label(button, "storage.delete.of", { name: model });
  box.append(el("span", "plain", { text: model }), el("span", "storage.files", { size: megabytes(bytes), files }, { className: "figures" }), button);
  return box;
}

/** @param {Parameters<typeof forget>[0]} [which] */
async function remove(which) {
  await forget(which);
  await show();
  // The button that had the focus is gone.
  ($("storage-list").querySelector("button") ?? $("storage-close")).focus();
}

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
  $("storage-all").addEventListener("click", () => remove());
  $("storage-persist").addEventListener("click", persist);
  $("storage-close").addEventListener("click", () => dialog.close());
}
