/** The strip of finished runs under the stage: to be looked at again, compared, shared, and put back on the stage. */

import { read_link, write_link } from "../../pkg/index.js";
import { $ } from "../dom.js";
import { embedded } from "../embed.js";
import { thumbnail } from "../paint.js";
import { drawn } from "../shown.js";
import { el, label, language } from "../strings.js";
import { summary } from "../summary.js";
import * as entries from "./entries.js";
import * as store from "./store.js";

/** The longer side of the small picture, in pixels. */
const SIDE = 112;
/** What there are bytes of, in a frame and in what a run begins with. */
const LARGE = ["x", "denoised", "picture", "mask"];

/** @typedef {store.Kept & store.Large & {run: string}} Whole `run` is the link of what decides the pictures */

/** @type {{controls: import("../controls.js").Controls, open: (kept: Whole) => void, notice: (key: string, values?: object) => void}} */
let page;
/** What was said already: that nothing outlives the page, that there was no room. @type {Set<string>} */
const said = new Set();

/** @param {typeof page} given `open` puts a kept run on the stage */
export function listen(given) {
  page = given;
  store.listen(show);
  $("history-clear").addEventListener("click", async () => {
    await store.clear();
    $("run").focus(); // the strip is gone
  });
  $("history-list").addEventListener("keydown", key);
  show();
}

/** Keeps a run that is done. @param {{settings: import("../../pkg/index.js").Settings, given: object, model: import("../models.js").Model, frame: import("../timeline.js").Frame, seconds: number}} run */
export async function keep({ settings, given, model, frame, seconds }) {
  if (embedded()) return; // a page inside another one has no strip
  // A small start picture is in the link.
  const begun = settings.start === "asked" ? given : {};
  const { noise: _, posterior: __, numbers: ___, attention: ____, ...last } = frame;
  const small = await (await thumbnail(frame.x, frame, SIDE)).arrayBuffer();
  const bytes = LARGE.reduce((all, name) => all + (last[name]?.length ?? begun[name]?.length ?? 0), small.byteLength);
  const run = drawn(settings);
  const record = { time: Date.now(), link: write_link(settings, { share: true }), settings: { ...settings }, name: model.name, seconds, thumbnail: small, bytes };
  const id = await store.add(record, { frame: last, begun });
  if (id) entries.kept(run, id);
  if (!store.lasts()) once("history.none");
  else if (!id) once("history.full");
}

function once(key) {
  if (!said.has(key)) page.notice(key);
  said.add(key);
}

/** A run with all that is kept of it. @param {string} id @returns {Promise<Whole | undefined>} nothing where it was deleted meanwhile */
export async function get(id) {
  const run = (await store.list()).find((run) => run.id === id);
  const content = run && (await store.large(id));
  return content && { ...run, ...content, run: drawn(run.settings) };
}

/** Puts a run on the stage, in an entry of the browser's history; engine and language stay those of the page. @param {Whole} kept */
export function restore(kept) {
  const { backend, lang } = page.controls.settings;
  const link = write_link({ ...read_link(kept.run, page.controls.models).settings, backend, lang });
  entries.visit({ ...kept, link });
  page.open({ ...kept, link });
}

/** When a run ended, in the language of the page. @param {store.Kept} run */
export const when = ({ time }) => new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeStyle: "short" }).format(time);

/** Draws the strip anew. */
async function show() {
  const runs = await store.list();
  const list = $("history-list");
  const focused = list.contains(document.activeElement) && document.activeElement.dataset.id;
  for (const { src } of list.querySelectorAll("img")) URL.revokeObjectURL(src);
  list.replaceChildren(...runs.map(item));
  const buttons = [...list.querySelectorAll("button")];
  const chosen = buttons.find(({ dataset }) => dataset.id === focused) ?? buttons[0];
  if (chosen) chosen.tabIndex = 0;
  if (focused !== false) (chosen ?? $("run")).focus();
  $("history").hidden = !runs.length;
}

/** @param {store.Kept} run */
function item(run) {
  const button = el("button", "", {}, { type: "button", className: "kept", tabIndex: -1 });
  button.dataset.id = run.id;
  button.classList.toggle("pinned", run.pinned);
  label(button, run.pinned ? "history.run.pinned" : "history.run", { run: () => summary(run.settings, run.name), time: () => when(run) });
  button.append(el("img", "", {}, { alt: "", src: URL.createObjectURL(new Blob([run.thumbnail], { type: "image/png" })) }));
  button.addEventListener("click", async () => {
    const { open } = await import("./detail.js");
    open(run.id, page);
  });
  const box = el("li");
  box.append(button);
  return box;
}

/** One run of the strip takes part in the order of the Tab key, and the arrow keys go from there. */
function key(event) {
  const buttons = [...$("history-list").querySelectorAll("button")];
  const at = buttons.indexOf(event.target);
  const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: buttons.length - 1 }[event.key];
  if (to === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  if (!buttons[to]) return;
  buttons[at].tabIndex = -1;
  buttons[to].tabIndex = 0;
  buttons[to].focus();
}
