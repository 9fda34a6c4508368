/** The view of pictures: wires the controls, the worker and the stage together. */

import * as code from "./code.js";
import { Controls } from "./controls.js";
import { Fault } from "./fault.js";
import * as gallery from "./gallery.js";
import { messages, sentence } from "./notices.js";
import { pending as schedulePending } from "./schedule.js";
import { share } from "./share.js";
import { amend, fitClasses, fitClassifier, fitModels, fitSampler, isRun, pageSettings, toHash } from "./state.js";
import { el, knows, megabytes, number, say, t } from "./strings.js";
import * as beginning from "./start.js";
import * as viewer from "./viewer.js";

const $ = (id) => document.getElementById(id);
const { clearFault, fault, forget, notice, problem, status } = messages("");
/** Share of the run that a picture to start from goes through, until a person says otherwise: half of it stays to be seen. */
const STRENGTH = 0.6;

/** @type {Worker | undefined} */
let worker;
/** The address's hash, as it was last read or written here. */
let address = "";
/** Whether to run as soon as a model is on the device. */
let wanted = false;
/** The model that is, or nothing. */
let loaded = "";
/** The latest model that was: the way back when another cannot be had. */
let latestLoaded = "";
let running = false;
/** The latest run's number: frames of earlier ones may still arrive and are dropped. */
let latest = 0;
let backend = "";
/** What the engine was last said to be doing: a download hides it for a while. */
let stage = ["stage.starting", {}];

const controls = new Controls(changed, judge);
const named = () => t(`backend.${backend || "cpu"}`);

/** What the worker says, by type. */
const hear = {
  stage({ stage: name, backend: which }) {
    stage = [`stage.${name}`, { backend: () => t(`backend.${which}`) }];
    if ($("cancel").hidden) status(...stage); // a download says more
  },
  progress({ name, loaded: bytes, total }) {
    if (!$("fault").hidden) return; // the weights may still travel when the engine has failed
    $("progress").value = bytes / total;
    $("cancel").hidden = bytes >= total;
    if (bytes < total) status("stage.downloading", { name, loaded: megabytes(bytes), total: megabytes(total) });
    else status(...stage);
  },
  opened({ backend: opened, reason, catalogue, checked, models, presets, scripts }) {
    backend = opened;
    $("code").hidden = !scripts;
    controls.fill(catalogue, models, presets);
    say($("version"), "version", { version: catalogue.version });
    $("share").disabled = false;
    adopt(checked);
    explain(reason);
  },
  checked({ field, ...verdict }) {
    if (!field) return adopt(verdict);
    controls.judged(verdict);
    if (wanted) start();
  },
  loaded({ id, about }) {
    if (id !== controls.settings.model) return; // another was picked meanwhile
    loaded = latestLoaded = id;
    controls.describe(about);
    beginning.fit(about);
    offer();
    $("code").disabled = false;
    ready();
  },
  frame({ id, frame }) {
    if (id !== latest) return;
    const every = viewer.add(frame);
    if (frame.step === 0 && every > 1) notice("thinned", { every });
    $("save").disabled = false;
    offer();
  },
  done({ id, finished }) {
    if (id !== latest) return;
    idle();
    viewer.end();
    const { step, steps, images } = viewer.timeline.newest;
    const stopped = steps === null ? "stopped.open" : "stopped";
    status(finished ? "done" : stopped, { step, steps, images, backend: named, seconds: () => number(viewer.seconds(), 1) });
  },
  code: code.show,
  fault({ during, id, code, values }) {
    const stale = during === "run" ? id !== latest : during === "load" && id !== controls.settings.model;
    if (!stale) failed(during, { code, values });
  },
};

/** Starts a worker, whatever became of the one before. */
function boot() {
  worker?.terminate();
  loaded = latestLoaded = "";
  clearFault();
  idle();
  worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  worker.onmessage = ({ data: { type, ...message } }) => hear[type](message);
  worker.onerror = (event) => {
    event.preventDefault();
    const file = "www/worker.js";
    failed("start", navigator.onLine ? { code: "worker", values: { message: event.message || file } } : { code: "offline", values: { file } });
  };
  stage = ["stage.starting", {}];
  status(...stage);
  worker.postMessage({ type: "start", backend: controls.settings.backend, link: address });
}

/** Takes over the settings of a link that the engine has read. */
function adopt({ settings, problems }) {
  const own = pageSettings(address);
  controls.settings = { ...own.settings, ...settings };
  forget();
  const misfits = fitModels(controls.settings, controls.models, controls.catalogue.defaults.model);
  const knobs = fitSampler(controls.settings, controls.catalogue);
  const alone = fitClassifier(controls.settings, controls.model);
  tell([...own.problems, ...problems.map((found) => ({ ...found, used: settings[found.key] ?? null })), ...misfits, ...knobs, ...alone]);
  controls.unfold();
  beginning.show(strong());
  if (loaded === controls.settings.model) ready();
  else load();
}

/** A model is on the device and the form is filled. */
function ready() {
  tell(fitClasses(controls.settings, controls.about));
  preview();
  idle();
  if (wanted) start();
  else status("ready", { backend: named });
}

/** Shows what had to be changed in the settings, and the form as it is now. */
function tell(problems) {
  problems.forEach(problem);
  controls.show();
}

function load() {
  loaded = "";
  clearFault();
  worker.postMessage({ type: "load", id: controls.settings.model });
}

function changed(key) {
  // Until the engine has read the link, only what was changed is known of it.
  write(controls.catalogue ? hash() : amend(address, key, controls.settings[key]));
  if (key === "backend") boot();
  else if (key === "model") load();
  else if (key === "images") preview();
}

const hash = (options) => toHash(controls.settings, controls.catalogue, options);

/** Has the engine judge settings that a person is about to choose. */
function judge(settings) {
  worker.postMessage({ type: "check", link: toHash(settings, controls.catalogue), field: true });
}

/** Whether the settings are those of a run that begins with a picture. */
const strong = () => controls.settings.strength !== controls.catalogue.defaults.strength;

/** A picture to start from came or went. */
function begun(there) {
  if (loaded) clearFault(); // of a file that was no picture
  // At full strength the picture would be forgotten, and without a picture there is nothing to forget.
  if (there && !strong()) controls.set("strength", STRENGTH);
  if (!there && strong()) controls.set("strength", controls.catalogue.defaults.strength);
  beginning.show();
}

/** The picture on the stage can be taken to start from, if it is of the model's size. */
function offer() {
  const frame = viewer.chosen();
  $("start-take").disabled = !frame || !beginning.fits(frame);
}

function write(hash) {
  address = hash;
  history.replaceState(null, "", hash);
}

/** Shows as many empty places as there will be images, as long as there are no pictures. */
function preview() {
  if (loaded && !viewer.timeline.newest) viewer.preview({ ...controls.about, images: controls.settings.images });
}

function start() {
  if (schedulePending()) {
    wanted = true; // until the engine has judged what was typed
    return;
  }
  if (!loaded) {
    wanted = true;
    if ($("fault").hidden) notice("queued");
    return;
  }
  wanted = false;
  running = true;
  latest += 1;
  clearFault();
  forget("queued");
  forget("thinned");
  write(hash());
  viewer.begin(controls.settings, controls.about.classes);
  status("running", { images: controls.settings.images, backend: named });
  $("stop").disabled = false;
  worker.postMessage({ type: "run", id: latest, link: address, ...beginning.given() });
  reveal();
}

function stop() {
  wanted = false;
  forget("queued");
  if (!running) return;
  status("stopping");
  worker.postMessage({ type: "stop" });
}

/** Nothing runs and nothing loads any more. */
function idle() {
  running = false;
  $("progress").value = 0;
  $("cancel").hidden = $("stop").disabled = true;
}

/** A failure on the page, with the ways out that there are. */
function failed(during, { code, values }) {
  idle();
  forget("queued");
  if (code === "engine-crashed") loaded = latestLoaded = ""; // nothing can be asked of it any more
  status(code === "cancelled" ? "cancelled" : during === "run" ? "failed.run" : "failed.start");
  const actions = {};
  if (during === "run" && backend === "webgpu") actions["continue.cpu"] = onCpu;
  if (code === "cancelled") actions["load"] = load;
  else if (during === "load") actions.retry = load;
  else if (during !== "run" || code === "engine-crashed") actions.retry = boot;
  if (during === "load" && latestLoaded) actions["model.back"] = () => controls.pick(latestLoaded);
  fault({ code, values }, actions);
}

function onCpu() {
  wanted = true;
  controls.set("backend", "cpu");
}

/** Says which backend computes and why; aloud, when it is not what was to be expected. */
function explain({ code, values }) {
  const expected = knows(`backend.why.${code}`);
  const why = expected ? [`backend.why.${code}`, values] : ["backend.why.failed", { sentence: () => t(...sentence(code, values)) }];
  say($("backend-hint"), ...why);
  const disappointed = controls.settings.backend === "webgpu" && backend === "cpu";
  if (!expected || disappointed || code === "software-asked") notice(...why);
}

/** On a phone the form is below the pictures: brings them back into sight when a run begins. */
function reveal() {
  const { bottom } = $("sheets").getBoundingClientRect();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  if (bottom < innerHeight / 3) $("stage").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
}

async function save() {
  const { model, sampler, seed } = viewer.settings();
  const { step, done } = viewer.timeline.shown;
  const url = URL.createObjectURL(await viewer.picture());
  el("a", "", {}, { href: url, download: `unnoise-${model}-${sampler}-seed-${seed}${done < 1 ? `-step-${step}` : ""}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** Takes over a link: at first, and when another one comes by hand, by a bookmark or by the back button. */
export function open(hash) {
  if (worker && hash === address) return; // back from the other view
  address = hash;
  wanted = isRun(address);
  const { settings } = pageSettings(address);
  if (!worker) controls.settings = settings;
  const same = worker && settings.backend === controls.settings.backend;
  controls.settings.backend = settings.backend;
  if (same && loaded) worker.postMessage({ type: "check", link: address });
  else boot();
}

export const close = stop;

export const link = () => address;

export function relabel() {
  controls.show();
  viewer.timeline.relabel();
}

export function switched(tongue) {
  if (!controls.settings.lang) return;
  controls.settings.lang = tongue;
  changed("lang");
}

function listen() {
  $("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  $("stop").addEventListener("click", stop);
  $("cancel").addEventListener("click", () => {
    status("cancelled");
    $("cancel").hidden = true;
    worker.postMessage({ type: "cancel" });
  });
  $("save").addEventListener("click", save);
  $("share").addEventListener("click", () => share(hash({ share: true }), { begun: Boolean(beginning.given().picture) }));
  $("code").addEventListener("click", () => worker.postMessage({ type: "code", link: hash() }));
  gallery.listen((thrown) => fault(Fault.from(thrown)));
  beginning.listen({
    changed: begun,
    failed: (thrown) => fault(Fault.from(thrown)),
    onStage: () => viewer.chosen()?.x,
  });
  addEventListener("keydown", (event) => {
    if ($("pictures").hidden) return;
    if (document.querySelector("dialog[open]")) return; // there Escape closes the dialog, and nothing else
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      // A number that is still being typed counts.
      document.activeElement?.blur?.();
      start();
    }
    if (event.key === "Escape") stop();
  });
}

$("shortcut").textContent = /Mac|iP/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵";
listen();
viewer.preview({ images: 16, channels: 1, height: 28, width: 28 });
