/** A kept run, large, beside another one: what differs in the settings and in the pictures, and what can be done with it. */

import { picture_difference, picture_rms, write_link } from "../../pkg/index.js";
import { Dialog } from "../dialog.js";
import { Sheet } from "../paint.js";
import { share } from "../share.js";
import { drawn } from "../shown.js";
import { el, hush, number, say, t } from "../strings.js";
import { summary } from "../summary.js";
import { named } from "../worded.js";
import * as past from "./past.js";
import * as store from "./store.js";

/** @type {Dialog} */
let dialog;
/** @type {Record<"this" | "other" | "difference", {box: HTMLElement, sheet: Sheet}>} */
let figures;
/** @type {past.Whole} */
let run;
/** @type {{notice: (key: string) => void}} */
let page;

const about = el("p", "", {}, { role: "status" });
const ended = el("p", "", {}, { className: "figures" });
const other = el("select", "", {}, { id: "history-other" });
const differs = el("p", "", {}, { className: "hint", role: "status" });
const said = el("p", "", {}, { className: "hint", role: "status" });
const buttons = {};

/** Opens a run. @param {string} id @param {typeof page} given */
export async function open(id, given) {
  page = given;
  const found = await past.get(id);
  if (!found) return; // another tab has deleted it, and the strip hears of that, too
  run = found;
  if (!dialog) build();
  show();
  await choices();
  dialog.show();
}

function build() {
  dialog = new Dialog("history", { closed: () => hush(document.getElementById("history-shared-text")) });
  figures = Object.fromEntries(["this", "other", "difference"].map((name) => [name, figure(name)]));
  const acts = { restore, pin, share: give, delete: remove };
  for (const [name, onclick] of Object.entries(acts)) buttons[name] = el("button", `history.${name}`, {}, { type: "button", onclick });
  buttons.restore.className = "main";
  other.addEventListener("change", compare);
  const row = el("div", "", {}, { className: "row" });
  row.append(...Object.values(buttons));
  const choose = el("div", "", {}, { className: "field" });
  choose.append(el("label", "history.other", {}, { htmlFor: other.id }), other);
  const sheets = el("div", "", {}, { className: "besides" });
  sheets.append(...Object.values(figures).map(({ box }) => box));
  dialog.fill(about, ended, row, said, dialog.shared("history-"), choose, differs, sheets);
}

function figure(name) {
  const box = el("figure");
  const canvas = el("canvas");
  canvas.setAttribute("role", "img");
  canvas.dataset.i18nLabel = `history.figure.${name}`;
  box.append(el("figcaption", `history.figure.${name}`), canvas);
  return { box, sheet: new Sheet(canvas) };
}

function show() {
  say(about, "plain", { text: () => summary(run.settings, run.name) });
  say(ended, "history.ended", { time: () => past.when(run), seconds: () => number(run.seconds, 1) });
  say(buttons.pin, run.pinned ? "history.unpin" : "history.pin");
  hush(said);
  put("this", run.frame, run.frame.x);
}

/** The runs that it can be compared with. */
async function choices() {
  const others = (await store.list()).filter(({ id }) => id !== run.id);
  const option = (kept) => el("option", "plain", { text: () => `${past.when(kept)} · ${summary(kept.settings, kept.name)}` }, { value: kept.id });
  other.replaceChildren(el("option", "history.other.none", {}, { value: "" }), ...others.map(option));
  await compare();
}

/** Puts the other run beside it. */
async function compare() {
  const beside = other.value ? await past.get(other.value) : undefined;
  for (const name of ["other", "difference"]) figures[name].box.hidden = true;
  if (!beside) return hush(differs);
  put("other", beside.frame, beside.frame.x);
  const rms = picture_rms(run.frame.x, beside.frame.x);
  const alike = rms !== undefined && ["width", "height", "channels"].every((side) => run.frame[side] === beside.frame[side]);
  if (alike) put("difference", run.frame, picture_difference(run.frame.x, beside.frame.x));
  say(differs, alike ? "history.differs" : "history.differs.sizes", { rms: () => number(rms, 4), changes: () => changes(beside.settings) || t("history.same") });
}

/** The settings that differ, in words. */
function changes(settings) {
  const [mine, theirs] = [run.settings, settings];
  const keys = [...new Set([...Object.keys(mine), ...Object.keys(theirs)])].filter((key) => drawn({ ...mine, [key]: theirs[key] }) !== drawn(mine));
  const value = (of, key) => String(of[key] ?? "–").slice(0, 60);
  return keys.map((key) => t("history.change", { name: t(named(key)), from: value(mine, key), to: value(theirs, key) })).join(t("history.change.and"));
}

/** @param {import("../timeline.js").Frame} frame @param {Uint8Array} bytes */
function put(name, frame, bytes) {
  const { box, sheet } = figures[name];
  box.hidden = false;
  sheet.layout(frame);
  sheet.draw(bytes);
}

function restore() {
  dialog.close();
  past.restore(run);
}

async function pin() {
  const done = await store.pin(run.id, !run.pinned);
  if (!done) return say(said, "history.pin.full");
  run = { ...run, pinned: !run.pinned };
  show();
}

const give = () => share(write_link(run.settings, { share: true }), { prefix: "history-", run });

async function remove() {
  await store.remove(run.id);
  dialog.close();
}
