/** The view of pictures: wires the controls, the engine and the stage together. */

import { Engine, UnnoiseError, is_run, read_link, size_of, write_link } from "../pkg/index.js";
import * as begin from "./begin.js";
import * as branch from "./branch.js";
import * as beyond from "./beyond.js";
import * as buttons from "./buttons.js";
import * as card from "./card.js";
import { Controls } from "./controls.js";
import { $ } from "./dom.js";
import * as keys from "./keys.js";
import { fetching, giveUp as dropDownload, loading, over } from "./loading.js";
import { list, optionsOf } from "./models.js";
import { messages } from "./notices.js";
import * as look from "./look.js";
import * as opening from "./open.js";
import * as phases from "./phases.js";
import { outdated, renew } from "./release.js";
import * as shown from "./shown.js";
import { say, t } from "./strings.js";
import * as beginning from "./start.js";
import * as take from "./take.js";
import * as viewer from "./viewer.js";
import * as why from "./why.js";
import * as words from "./words.js";

const { ask, clearFault, fault, forget, notice, problem, status } = messages("");
/** The address's hash, as it was last read or written here; nothing before the view was first opened. */
let address;
/** Whether the settings are those of the address. */
let adopted = false;
/** Whether to run as soon as a model is on the device. */
let wanted = false;
/** @type {Engine | undefined} */
let engine;
/** @type {Promise<Engine> | undefined} */
let arriving;
/** The start of the engine that is under way, or was last. */
let starting = new AbortController();
/** The model on the device. @type {import("../pkg/index.js").Model | undefined} */
let held;
/** Whether it is the one of the settings. */
let loaded = false;
/** The run that is under way. @type {AbortController | undefined} */
let running;
/** The model that the link names and this site does not have. */
let unknown = "";
/** Whether the view was left in the middle of a run. */
let left = false;
let backend = "";
/** What the engine was last said to be doing: a download hides it for a while. */
let stage = ["stage.starting", {}];

const controls = new Controls({ changed, adjusted: tell });
begin.join({ controls, ask, run: start });
const named = () => t(`backend.${backend || "cpu"}`);
/** Whether the model of the settings is on the device. */
const there = (is) => beyond.enable((loaded = is));
const size = () => size_of(controls.settings, held.about); // of a picture, which a setting may change
const hash = (options) => write_link(controls.settings, options);
const download = () => fetching(controls.model, { status, stage: () => stage });

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
    if (!opening.absent(controls.model)) download(); // the weights travel while the engine starts
    arriving = Engine.open({ device: controls.settings.backend ?? "auto", signal, stage: staged });
    engine = await arriving;
    backend = engine.backend;
    why.explain(engine, controls.settings.backend, notice);
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
  there(false);
}

/** What the page needs before the engine: the list of models, the form, and the settings of the address. */
async function prepare() {
  if (!controls.models.length) {
    controls.fill(await list());
    say($("version"), "version", { version: controls.catalogue.version });
    $("share").disabled = $("again").disabled = false;
  }
  if (!adopted) adopt();
}

function staged({ stage: name, backend: which, workers }) {
  if (name === "worker-lost") return notice("worker-lost", { workers });
  if (running) return phases.besides(name);
  stage = [`stage.${name}`, { backend: () => t(`backend.${which}`) }];
  if ($("cancel").hidden) status(...stage); // a download says more
}

/** Puts the model of the settings on the device. */
async function load() {
  running?.abort();
  clearFault();
  there(false);
  if (!engine) return; // its start goes on to here
  if (held?.listed.id === controls.settings.model) {
    dropDownload(); // whatever else was on its way
    return arrived();
  }
  if (opening.absent(controls.model)) return opening.seek(controls.model);
  // A download that began with the engine's start may have been cancelled since.
  const mine = loading.id === controls.settings.model ? loading : download();
  const { signal } = mine.abort;
  try {
    const model = await engine.load(await mine.files, { ...optionsOf(controls.model), signal });
    if (mine !== loading) return;
    held = model;
    opening.learn(controls.model, model, adopt);
    arrived();
  } catch (thrown) {
    if (mine === loading) failed("load", thrown);
  } finally {
    // The engine has its own copy now, and what failed is to be fetched anew.
    if (mine === loading) over();
  }
}

/** The model of the settings is on the device. */
function arrived() {
  there(true);
  controls.describe(held.about);
  words.arrived(held.about);
  $("code").hidden = $("code").disabled = false;
  ready();
}

/** Takes over a model that a person has opened, as it starts or as the link says for which it was opened. */
function accept(id) {
  const { backend, lang, model } = controls.settings;
  if (id !== model) {
    write(opening.linkTo(id, { backend, lang }));
    wanted = false;
  }
  if (held?.listed.id === id) held = undefined; // its files may be others
  dropDownload();
  controls.models = controls.models.filter((row) => row.id !== id);
  adopt();
  load();
}

/** Takes over the settings of the address. */
function adopt() {
  // A first visit begins with the first model.
  const first = is_run(address) ? address : `${address || "#"}&model=${controls.models[0].id}`;
  const { settings, problems } = read_link(first, controls.models);
  const opened = opening.rowOf(settings.model);
  if (opened && !controls.models.includes(opened)) controls.fill([...controls.models, opened]);
  adopted = true;
  controls.settings = settings;
  controls.about = held?.listed.id === settings.model ? held.about : undefined;
  forget();
  for (const field of Object.values(controls.fields)) field.accept();
  unknown = problems.find(({ key }) => key === "model")?.value ?? "";
  tell(problems.filter(({ key }) => key !== "model"));
  controls.unfold();
  beginning.adopt(settings.start);
}

/** A model is on the device and the form is filled. */
function ready() {
  tell(controls.fit());
  preview();
  offer();
  idle();
  if (look.ahead()) wanted = false;
  const draw = wanted && !unknown && !begin.missing();
  if (draw && !beyond.asked()) return start();
  wanted = false;
  status("ready", { backend: named });
  if (draw) return beyond.begin();
  if (unknown) ask("model.unknown", { asked: unknown, name: controls.model.name }, { "model.unknown.run": start });
  else if (begin.missing()) begin.ask();
}

/** Says what had to be changed in the settings, and shows the form as it is now. */
function tell(problems) {
  problems.forEach(problem);
  controls.show();
  mark();
}

/** Marks pictures that are not those of the settings. */
function mark() {
  shown.mark(controls.settings, beginning.given(), Boolean(running));
  look.marked(Boolean(running));
}

function changed(key) {
  unknown = "";
  write(hash());
  if (key === "backend") boot();
  else if (key === "model") load();
  else if (key === "images" || key === "size") preview();
}

/** The picture to start from came, went or is kept in another part. */
function begun() {
  if (loaded) clearFault(); // of a file that was no picture, or of none
  begin.changed();
  look.begun();
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
  if (loaded) begin.fit(size());
  if (loaded && !viewer.timeline.newest) viewer.preview({ ...size(), images: controls.settings.images });
}

async function start() {
  if (!loaded) {
    wanted = true;
    if ($("fault").hidden) notice("queued");
    return;
  }
  wanted = false;
  if (begin.missing()) return begin.ask();
  running?.abort();
  const mine = new AbortController();
  running = mine;
  look.marked(true);
  left = false;
  unknown = "";
  clearFault();
  forget("queued");
  forget("thinned");
  write(hash());
  const { settings, model } = controls;
  const given = beginning.given();
  viewer.begin(settings, held.about.classes);
  shown.begin({ settings, begun: given, model, script: script(settings) });
  const attention = words.begin(held, settings);
  phases.begin(settings.images);
  $("stop").disabled = false;
  viewer.reveal();
  let any = false;
  try {
    for await (const frame of held.run(settings, { ...given, attention, details: true, signal: mine.signal })) {
      if (running !== mine) return;
      any = true;
      show(frame);
    }
    ended("done");
    words.took(viewer.seconds());
    look.restore();
  } catch (thrown) {
    if (running !== mine) return;
    if (!mine.signal.aborted) failed("run", thrown);
    else if (any) ended("stopped");
    else ready(); // stopped before there was anything
  }
}

function show(frame) {
  phases.stepped();
  if (frame.step === 0) shown.arrived();
  const every = viewer.add(frame);
  if (frame.step === 0) branch.arrived(shown.run().settings, frame.steps);
  if (frame.step === 0) mark();
  if (frame.step === 0 && every > 1) notice("thinned", { every });
  $("save").disabled = false;
  offer();
}

function ended(how) {
  shown.finish();
  idle();
  viewer.end();
  const { newest } = viewer.timeline;
  const open = how === "stopped" && newest.steps === null ? ".open" : "";
  phases.ended(`${how}${left ? ".left" : ""}${open}`, newest, viewer.seconds());
}

function stop() {
  wanted = false;
  forget("queued");
  running?.abort();
}

/** Nothing runs and nothing loads any more. */
function idle() {
  running = undefined;
  phases.over();
  mark();
  $("progress").value = 0;
  $("cancel").hidden = $("stop").disabled = true;
}

/** A failure on the page, with the ways out that there are. */
async function failed(during, thrown) {
  const { code, values } = UnnoiseError.from(thrown);
  shown.finish();
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
const relist = () => list().then((models) => controls.fill(models)).then(load, (thrown) => failed("load", thrown));

function onCpu() {
  wanted = true;
  controls.set("backend", "cpu");
}

/** Takes over a link: at first, and when another one comes by hand, by a bookmark or by the back button. */
export function open(link) {
  if (link === address) return; // back from the other view
  const { backend: before, model } = controls.settings;
  write(link);
  adopted = false;
  wanted = is_run(address);
  if (!engine) return boot();
  adopt();
  if (controls.settings.backend !== before) boot();
  else if (loaded && controls.settings.model === model) ready();
  else load();
}

export function close() {
  left = Boolean(running);
  stop();
}

export const link = () => address ?? "";

export function relabel() {
  controls.show();
  viewer.timeline.relabel();
}

export const switched = (tongue) => controls.settings.lang && controls.set("lang", tongue);

/** The run of these settings as a script, or the sentence why there is none. */
const script = (settings) => held.python(settings).then((text) => ({ text }), ({ message }) => ({ why: message }));

function listen() {
  buttons.listen({ controls, run: start, stop, status });
  const unreadable = (thrown) => fault(UnnoiseError.from(thrown));
  branch.listen({ controls, tell, run: start });
  take.listen({ settings: () => controls.settings, script: () => script(controls.settings) });
  card.listen(unreadable);
  opening.listen({ engine: async () => engine ?? arriving, take: accept, other: () => controls.set("model", controls.models[0].id), ask, notice, status });
  beginning.listen({ dropped: opening.dropped, changed: begun, failed: unreadable, onStage: () => viewer.chosen()?.x, repaint: () => controls.set("sampler", "repaint") });
  look.listen({ controls, model: () => held, run: start, failed: (thrown) => failed("run", thrown), changed: () => write(hash()) });
  phases.listen({ status, backend: named, workers: () => held?.workers ?? 1 });
  words.listen({ controls, model: () => held, run: start });
  beyond.listen({ controls, model: () => held, engine: () => engine, reload: () => load((held = undefined)), given: beginning.given, run: (settings) => open(write_link(settings), (address = "")), stop, failed: unreadable });
  keys.listen({ run: start, stop, timeline: viewer.timeline });
}

$("shortcut").textContent = /Mac|iP/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵";
listen();
viewer.preview({ images: 16, channels: 1, height: 28, width: 28 });
