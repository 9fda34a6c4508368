/** The page around its two views: the language, the theme, and which view the address asks for. */

import { UnnoiseError, init, read_link } from "../pkg/index.js";
import { $ } from "./dom.js";
import { absentee } from "./imports.js";
import { messages } from "./notices.js";
import * as offline from "./offline/offline.js";
import { outdated } from "./release.js";
import { language, preferred, say, speak } from "./strings.js";
import { dress, flip, remember, remembered } from "./theme.js";

/**
 * What the page can show: where its markup begins, what its ids begin with, and its code, which nobody loads before it is asked for.
 * `open` hears of every change of the address, `switched` of a language that a person chose, which a link may carry.
 * @typedef {{open: (hash: string) => void, close: () => void, link: () => string, relabel: () => void, switched: (tongue: string) => void}} View
 */
const VIEWS = {
  pictures: { prefix: "", failed: "failed.start", file: "www/pictures.js", load: () => import("./pictures.js") },
  lab: { prefix: "lab-", failed: "lab.failed", file: "www/lab/view.js", load: () => import("./lab/view.js") },
};

/** The name of the view on show. */
let shown = "";
/** Its code, as soon as it is there. @type {View | undefined} */
let view;
/** The button that was pressed before the code of its view was there. @type {HTMLButtonElement | undefined} */
let pressed;
/** The code of every view that was there. @type {Record<string, View>} */
const opened = {};

const named = (hash) => (/^#lab(&|$)/.test(hash) ? "lab" : "pictures");
const absent = (file) => new UnnoiseError(navigator.onLine ? "unreachable" : "offline", { file });

/**
 * Why a view's code is not there: a script could not be fetched, or one of them threw as it was loaded. Chromium and Firefox
 * tell these apart by what they throw; WebKit throws the same for both, so there the scripts are looked for.
 */
async function why(thrown, file) {
  if (/dynamically imported/i.test(thrown.message)) return absent(file);
  const gone = /Importing a module script/i.test(thrown.message) && (await absentee(new URL(`../${file}`, import.meta.url).href));
  return gone ? absent(gone.slice(new URL("../", import.meta.url).href.length)) : new UnnoiseError("script", { file, message: thrown.message });
}

/** Says that a part of the page cannot be had. @returns {Promise<undefined>} */
async function broken(error) {
  const { code, values } = (await outdated()) ? new UnnoiseError("outdated") : UnnoiseError.from(error);
  const { prefix, failed } = VIEWS[shown];
  const { status, fault } = messages(prefix);
  if (!view) status(failed);
  fault({ code, values }, { reload: offline.reload });
}

/** The language that an address asks for. */
const asked = (hash) => read_link(hash, []).settings.lang;

/** Shows what the address asks for: at first, and when it changes by hand, by a link or by the back button. */
async function route({ newURL = location.href } = {}) {
  // By the event: a view that is being left may have written its own address since.
  const { hash } = new URL(newURL);
  const name = named(hash);
  if (name !== shown) turn(name);
  const tongue = asked(hash);
  if (tongue && tongue !== language()) await choose(tongue);
  const { load, file } = VIEWS[name];
  const code = await load().catch(async (thrown) => broken(await why(thrown, file)));
  if (!code || shown !== name) return;
  view = opened[name] = code;
  view.relabel(); // the language may have changed since it was left
  view.open(hash);
  const button = pressed;
  pressed = undefined;
  button?.click();
}

/** Keeps the press of a button for the code that is to hear it. */
function press(event) {
  const button = event.target.closest("button");
  if (view || !button || !$(shown).contains(button)) return;
  event.preventDefault(); // a form would be sent off
  pressed = button;
}

/** A view that was there before is found again as it was left. */
function back(anchor, name) {
  if (opened[name]) anchor.href = opened[name].link() || "#";
}

/** Leaves one view, which stays as it is, for another. */
function turn(name) {
  view?.close();
  view = pressed = undefined;
  shown = name;
  for (const other of Object.keys(VIEWS)) {
    $(other).hidden = other !== name;
    if (other === name) $(`to-${other}`).setAttribute("aria-current", "page");
    else $(`to-${other}`).removeAttribute("aria-current");
  }
  say($("tagline"), `tagline.${name}`);
}

/** Rewrites the page in a language. Throws when its texts cannot be had. */
async function rewrite(tongue) {
  await speak(tongue);
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === tongue));
  view?.relabel();
}

/** The same once there is a page: it says so when it has to stay as it is. @returns {Promise<boolean>} whether it changed */
const choose = (tongue) =>
  rewrite(tongue).then(
    () => true,
    () => broken(absent(`www/i18n/${tongue}.json`)),
  );

async function switchTo(tongue) {
  if (!(await choose(tongue))) return;
  remember("language", tongue);
  view?.switched(tongue);
}

dress();
$("page").addEventListener("click", press);
$("theme").addEventListener("click", flip);
for (const button of document.querySelectorAll("[data-language]")) button.addEventListener("click", () => switchTo(button.dataset.language));
shown = named(location.hash);
const failure = await init().catch((thrown) => thrown);
await rewrite((failure ? undefined : asked(location.hash)) ?? remembered("language") ?? preferred());
turn(shown);
$("boot").hidden = true;
$("page").hidden = false;
for (const name of Object.keys(VIEWS)) $(`to-${name}`).addEventListener("click", ({ currentTarget }) => back(currentTarget, name));
if (failure) await broken(failure);
else {
  offline.begin();
  addEventListener("hashchange", route);
  await route();
}
