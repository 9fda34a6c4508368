/** The view of pictures: wires the controls, the engine and the stage together. */

import { Engine, UnnoiseError, is_run, read_link, write_link } from "../pkg/index.js";
import * as code from "./code.js";
import { Controls } from "./controls.js";
import { $ } from "./dom.js";
import * as gallery from "./gallery.js";
import { fetchModel, list, optionsOf } from "./models.js";
import { messages, sentence } from "./notices.js";
import { outdated, renew } from "./release.js";
import { share } from "./share.js";
import { el, knows, megabytes, number, say, t } from "./strings.js";
import * as beginning from "./start.js";
import * as viewer from "./viewer.js";

const { clearFault, fault, forget, notice, problem, status } = messages("");
/** The address's hash, as it was last read or written here; nothing before the view was first opened. */
let address;
/** Whether the settings are those of the address. */
let adopted = false;
/** Whether to run as soon as a model is on the device. */
let wanted = false;
/** @type {Engine | undefined} */
let engine;
/** The start of the engine that is under way, or was last. */
let starting = new AbortController();
/** The model on the device. @type {import("../pkg/index.js").Model | undefined} */
let held;
/** Whether it is the one of the settings. */
let loaded = false;
/** The download that is under way, or was last. */
let loading = { id: "", abort: new AbortController(), files: Promise.resolve() };
/** The run that is under way. @type {AbortController | undefined} */
let running;
let backend = "";
/** What the engine was last said to be doing: a download hides it for a while. */
let stage = ["stage.starting", {}];

const controls = new Controls({ changed, adjusted: tell });
const named = () => t(`backend.${backend || "cpu"}`);
const hash = (options) => write_link(controls.settings, options);

/** Starts an engine, whatever became of the one before, and goes on to the model. */
async function boot() {
  giveUp();
  clearFault();
  idle();
  stage = ["stage.starting", {}];
  status(...stage);
  starting = new AbortController();
  const { signal } = starting;
  try {
    await prepare();
    if (signal.aborted) return;
    fetching(); // the weights travel while the engine starts
    const opened = await Engine.open({ device: controls.settings.backend ?? "auto", signal, stage: staged });
    engine = opened;
    backend = engine.backend;
    explain(engine.reason);
  } catch (thrown) {
    if (signal.aborted) return;
    loading.abort.abort(); // weights without an engine are of no use
    return failed("start", thrown);
  }
  return load();
}

/** Gives the engine up. */
function giveUp() {
  starting.abort();
  running?.abort();
  engine?.close();
  engine = held = running = undefined;
  loaded = false;
}

/** What the page needs before the engine: the list of models, the form, and the settings of the address. */
async function prepare() {
  if (!controls.models.length) {
    controls.fill(await list());
    say($("version"), "version", { version: controls.catalogue.version });
    $("share").disabled = false;
  }
  if (!adopted) adopt();
}

function staged({ stage: name, backend: which }) {
  stage = [`stage.${name}`, { backend: () => t(`backend.${which}`) }];
  if ($("cancel").hidden) status(...stage); // a download says more
}

/** Downloads the files of the model, and no other's any more. */
function fetching() {
  const { model } = controls;
  if (loading.id === model.id && !loading.abort.signal.aborted) return loading;
  loading.abort.abort();
  const abort = new AbortController();
  const progress = ({ loaded: bytes, total }) => {
    if (abort.signal.aborted || !$("fault").hidden) return;
    $("progress").value = bytes / total;
    $("cancel").hidden = bytes >= total;
    if (bytes < total) status("stage.downloading", { name: model.name, loaded: megabytes(bytes), total: megabytes(total) });
    else status(...stage);
  };
  const files = fetchModel(model, { progress, signal: abort.signal });
  files.catch(() => {}); // reported by the `load` that awaits it
  loading = { id: model.id, abort, files };
  return loading;
}

/** Puts the model of the settings on the device. */
async function load() {
  running?.abort();
  clearFault();
  loaded = false;
  if (!engine) return; // its start goes on to here
  if (held?.listed.id === controls.settings.model) {
    loading.abort.abort(); // whatever else was on its way
    loading.id = "";
    return arrived();
  }
  // A download that began with the engine's start may have been cancelled since.
  const mine = loading.id === controls.settings.model ? loading : fetching();
  const { signal } = mine.abort;
  try {
    const model = await engine.load(await mine.files, { ...optionsOf(controls.model), signal });
    if (mine !== loading) return;
    held = model;
    arrived();
  } catch (thrown) {
    if (mine === loading) failed("load", thrown);
  } finally {
    // The engine has its own copy now, and what failed is to be fetched anew.
    if (mine === loading) loading = { ...mine, id: "" };
  }
}

/** The model of the settings is on the device. */
function arrived() {
  loaded = true;
  controls.describe(held.about);
  beginning.fit(held.about);
  offer();
  $("code").hidden = $("code").disabled = false;
  ready();
}

/** Takes over the settings of the address. */
function adopt() {
  const { settings, problems } = read_link(address, controls.models);
  adopted = true;
  controls.settings = settings;
  controls.about = held?.listed.id === settings.model ? held.about : undefined;
  forget();
  for (const field of Object.values(controls.fields)) field.accept();
  tell(problems);
  controls.unfold();
  beginning.show(strong());
}

/** A model is on the device and the form is filled. */
function ready() {
  tell(controls.fit());
  preview();
  idle();
  if (wanted) start();
  else status("ready", { backend: named });
}

/** Says what had to be changed in the settings, and shows the form as it is now. */
function tell(problems) {
  problems.forEach(problem);
  controls.show();
}

function changed(key) {
  write(hash());
  if (key === "backend") boot();
  else if (key === "model") load();
  else if (key === "images") preview();
}

/** Whether the settings are those of a run that begins with a picture. */
const strong = () => controls.settings.strength !== controls.default("strength");

/** A picture to start from came or went. */
function begun(there) {
  if (loaded) clearFault(); // of a file that was no picture
  // At full strength the picture would be forgotten, and without a picture there is nothing to forget.
  if (there && !strong()) controls.set("strength", controls.catalogue.start_strength);
  if (!there && strong()) controls.set("strength", null);
  beginning.show();
}

/** The picture on the stage can be taken to start from, if it is of the model's size. */
function offer() {
  const frame = viewer.chosen();
  $("start-take").disabled = !frame || !beginning.fits(frame);
}

function write(link) {
  address = link;
  history.replaceState(null, "", link);
}

/** Shows as many empty places as there will be images, as long as there are no pictures. */
function preview() {
  if (loaded && !viewer.timeline.newest) viewer.preview({ ...held.about, images: controls.settings.images });
}

async function start() {
  if (!loaded) {
    wanted = true;
    if ($("fault").hidden) notice("queued");
    return;
  }
  running?.abort();
  const mine = new AbortController();
  running = mine;
  wanted = false;
  clearFault();
  forget("queued");
  forget("thinned");
  write(hash());
  viewer.begin(controls.settings, held.about.classes);
  status("running", { images: controls.settings.images, backend: named });
  $("stop").disabled = false;
  reveal();
  let shown = false;
  try {
    for await (const frame of held.run(controls.settings, { ...beginning.given(), signal: mine.signal })) {
      if (running !== mine) return;
      shown = true;
      show(frame);
    }
    ended("done");
  } catch (thrown) {
    if (running !== mine) return;
    if (!mine.signal.aborted) failed("run", thrown);
    else if (shown) ended(viewer.timeline.newest.steps === null ? "stopped.open" : "stopped");
    else ready(); // stopped before there was anything
  }
}

function show(frame) {
  const every = viewer.add(frame);
  if (frame.step === 0 && every > 1) notice("thinned", { every });
  $("save").disabled = false;
  offer();
}

function ended(how) {
  idle();
  viewer.end();
  const { step, steps, images } = viewer.timeline.newest;
  status(how, { step, steps, images, backend: named, seconds: () => number(viewer.seconds(), 1) });
}

function stop() {
  wanted = false;
  forget("queued");
  running?.abort();
}

/** Nothing runs and nothing loads any more. */
function idle() {
  running = undefined;
  $("progress").value = 0;
  $("cancel").hidden = $("stop").disabled = true;
}

/** A failure on the page, with the ways out that there are. */
async function failed(during, thrown) {
  const { code, values } = UnnoiseError.from(thrown);
  idle();
  forget("queued");
  const crashed = code === "engine-crashed" || code === "worker";
  if (crashed) giveUp(); // nothing can be asked of it any more
  const stopped = code === "aborted";
  status(stopped ? "cancelled" : during === "run" ? "failed.run" : "failed.start");
  const actions = {};
  if (during === "run" && backend === "webgpu") actions["continue.cpu"] = onCpu;
  if (stopped) actions["load"] = load;
  else if (during === "load") actions.retry = relist;
  else if (during !== "run" || crashed) actions.retry = () => renew(values.file).then(boot);
  if (during === "load" && held) actions["model.back"] = () => controls.set("model", held.listed.id);
  fault({ code, values }, actions);
  // The files may be those of a site that was put up anew since this page was opened.
  if (!stopped && (await outdated())) fault({ code: "outdated", values: {} }, { reload: () => location.reload() });
}

/** Loads anew, by a list that may have changed. */
async function relist() {
  try {
    controls.fill(await list());
  } catch (thrown) {
    return failed("load", thrown);
  }
  return load();
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
export function open(link) {
  if (link === address) return; // back from the other view
  const { backend: before, model } = controls.settings;
  address = link;
  adopted = false;
  wanted = is_run(address);
  if (!engine) return boot();
  adopt();
  if (controls.settings.backend !== before) boot();
  else if (loaded && controls.settings.model === model) ready();
  else load();
}

export const close = stop;

export const link = () => address ?? "";

export function relabel() {
  controls.show();
  viewer.timeline.relabel();
}

export function switched(tongue) {
  if (controls.settings.lang) controls.set("lang", tongue);
}

/** The run as a script, or the sentence why there is none. */
const python = () => held.python(controls.settings).then((text) => code.show({ text }), ({ message }) => code.show({ why: message }));

function listen() {
  $("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    start();
  });
  $("stop").addEventListener("click", stop);
  $("cancel").addEventListener("click", () => {
    status("cancelled");
    $("cancel").hidden = true;
    loading.abort.abort();
  });
  $("save").addEventListener("click", save);
  $("share").addEventListener("click", () => share(hash({ share: true }), { begun: Boolean(beginning.given().picture) }));
  $("code").addEventListener("click", () => python());
  gallery.listen((thrown) => fault(UnnoiseError.from(thrown)));
  beginning.listen({
    changed: begun,
    failed: (thrown) => fault(UnnoiseError.from(thrown)),
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
