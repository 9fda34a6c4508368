/** The view of pictures: wires the controls, the engine and the stage together. */

import { Engine, UnnoiseError, is_run, read_link, size_of, write_link } from "../pkg/index.js";
import * as begin from "./begin.js";
import * as branch from "./branch.js";
import * as beyond from "./beyond.js";
import * as buttons from "./buttons.js";
import * as card from "./card.js";
import { Controls } from "./controls.js";
import { $ } from "./dom.js";
import * as drawing from "./drawing.js";
import * as embed from "./embed.js";
import { failures } from "./failure.js";
import * as entries from "./history/entries.js";
import * as past from "./history/past.js";
import * as queue from "./history/queue.js";
import * as unfinished from "./history/unfinished.js";
import * as keys from "./keys.js";
import { fetching, giveUp as dropDownload, loading, over } from "./loading.js";
import { list, optionsOf } from "./models.js";
import { messages } from "./notices.js";
import * as look from "./look.js";
import * as lost from "./lost.js";
import * as made from "./made.js";
import * as offline from "./offline/offline.js";
import * as opening from "./open.js";
import * as pace from "./pace.js";
import * as phases from "./phases.js";
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
/** The model that the link names and this site does not have. */
let unknown = "";
let backend = "";
/** What the engine was opened for. */
let device = "auto";
/** What the engine was last said to be doing: a download hides it for a while. */
let stage = ["stage.starting", {}];

const controls = new Controls({ changed, adjusted: tell });
begin.join({ controls, ask, run: start });
const named = () => t(`backend.${backend || "cpu"}`);
/** Whether the model of the settings is on the device. */
const there = (is) => {
  beyond.enable((loaded = is));
  queue.enable(is);
};
/** What draws, and what it was opened for. */
const now = () => ({ engine, held, device, model: controls.model, settings: controls.settings });
const size = () => size_of(controls.settings, held.about); // of a picture, which a setting may change
const hash = (options) => write_link(controls.settings, options);
const download = () => fetching(controls.model, { status, stage: () => stage });

/** Starts an engine, whatever became of the one before, and goes on to the model. */
async function boot() {
  giveUp();
  clearFault();
  stage = ["stage.starting", {}];
  status(...stage);
  starting = new AbortController();
  const { signal } = starting;
  try {
    await Promise.all([prepare(), pace.begin()]);
    if (signal.aborted) return;
    if (!opening.absent(controls.model)) download(); // the weights travel while the engine starts
    arriving = Engine.open({ device: (device = pace.device(controls.settings)), signal, stage: staged });
    engine = await arriving;
    drawing.offer((backend = engine.backend));
    offline.keep(backend);
    why.explain(engine, controls.settings, notice);
  } catch (thrown) {
    if (signal.aborted) return;
    loading.abort.abort(); // weights without an engine are of no use
    return failed("start", thrown);
  }
  return load();
}

/** Gives the engine up. */
function giveUp() {
  pace.abort();
  starting.abort();
  drawing.abort();
  drawing.idle();
  engine?.close();
  engine = held = undefined;
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
  if (drawing.going()) return phases.besides(name);
  if (loaded) return; // of a view beside the stage
  stage = [`stage.${name}`, { backend: () => t(`backend.${which}`) }];
  if ($("cancel").hidden) status(...stage); // a download says more
}

/** Puts the model of the settings on the device. */
async function load() {
  pace.abort();
  drawing.abort();
  clearFault();
  there(false);
  queue.fit(controls.settings.model);
  if (!engine) return; // its start goes on to here
  if (pace.device(controls.settings) !== device) return boot(); // this model is faster on another backend
  if (held?.listed.id === controls.settings.model) {
    dropDownload(); // whatever else was on its way
    return arrived();
  }
  if (opening.absent(controls.model)) return opening.seek(controls.model);
  // A download that began with the engine's start may have been cancelled since.
  const mine = loading.id === controls.settings.model ? loading : download();
  if (mine.engine === engine) return; // which is reading it: a link that came meanwhile waits for the same
  mine.engine = engine;
  const { signal } = mine.abort;
  try {
    const model = await engine.load(await mine.files, { ...optionsOf(controls.model), signal });
    if (mine !== loading) return;
    held = model;
    opening.learn(controls.model, model, () => adopt());
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
  why.explain(engine, controls.settings, () => {});
  $("code").hidden = $("code").disabled = false;
  ready();
}

/** Takes over a model that a person has opened, as it starts or as the link says for which it was opened. */
function accept(id) {
  lost.drop();
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

/** Takes over the settings of the address. @param {import("./history/store.js").Large["begun"]} [begun] what a link does not carry */
function adopt(begun) {
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
  beginning.adopt(settings.start, begun?.picture && begun);
  embed.adopt(settings);
}

/** A model is on the device and the form is filled. */
function ready() {
  tell(controls.fit());
  preview();
  offer();
  drawing.idle();
  const cut = lost.take(held.listed.id, backend);
  if (cut && !wanted) return drawing.draw(cut.run, cut.last);
  if (look.ahead()) wanted = false;
  const due = wanted && !unknown && !begin.missing();
  const reloaded = due && !embed.embedded() && unfinished.take(shown.drawn(controls.settings));
  if (due && !reloaded && !beyond.asked()) {
    embed.tell("ready", { link: hash() });
    return start();
  }
  wanted = false;
  status("ready", { backend: named });
  if (reloaded) return unfinished.offer(reloaded, ask, { again: start, leave: clearFault });
  embed.tell("ready", { link: hash() });
  if (due) return beyond.begin();
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
  shown.mark(controls.settings, beginning.given(), drawing.going());
  look.marked(drawing.going());
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
  embed.follow(controls.settings);
  entries.write(link, shown.drawn(read_link(link, controls.models).settings));
}

/** Shows as many empty places as there will be images, as long as there are no pictures. */
function preview() {
  if (loaded) begin.fit(size());
  if (loaded && !viewer.timeline.newest) viewer.preview({ ...size(), images: controls.settings.images });
}

function start() {
  if (!loaded) {
    wanted = true;
    if ($("fault").hidden) notice("queued");
    return;
  }
  wanted = false;
  if (begin.missing()) return begin.ask();
  write(hash());
  entries.began(shown.drawn(controls.settings));
  return drawing.draw(current());
}

/** The run that the settings make. @returns {import("./history/queue.js").Waiting} */
const current = () => ({ settings: controls.settings, given: beginning.given(), model: controls.model });

/** What was said before is of no run any more. */
function begins() {
  pace.abort();
  unknown = "";
  clearFault();
  forget("queued");
}

function stop() {
  pace.abort();
  wanted = false;
  lost.drop();
  forget("queued");
  drawing.abort();
}

/** Loads anew, by a list that may have changed. */
const relist = () => list().then((models) => controls.fill(models)).then(load, (thrown) => failed("load", thrown));

function onCpu() {
  wanted = true;
  controls.set("backend", "cpu");
}

/** Opens a lost device anew; an engine that was given up already is on its way back. */
const reopen = () => engine && lost.reopen(drawing.cut(backend), { notice, onCpu: () => controls.set("backend", "cpu"), boot });

/** A failure on the page, with the ways out that there are. */
const failed = failures({
  status,
  fault,
  giveUp,
  reopen,
  over() {
    shown.finish();
    drawing.idle();
    forget("queued");
  },
  now: () => ({ backend, held: Boolean(held) }),
  ways: { load, relist, boot, onCpu, back: () => controls.set("model", held.listed.id) },
});

/** Takes over a link: at first, and when another one comes by hand, by a bookmark or by the back button, which shows a kept run. */
export async function open(link) {
  if (link === address) return; // back from the other view
  const id = controls.models.length && entries.id();
  address = link;
  const kept = id && (await past.get(id));
  if (address === link) follow(link, kept);
}

/** Goes to a link. @param {import("./history/past.js").Whole} [kept] is shown, not drawn again @param {object} [begun] what the run begins with, which may be too large for a link */
function follow(link, kept, begun = kept?.begun) {
  lost.drop();
  const { backend: before, model } = controls.settings;
  address = link;
  if (link !== location.hash) write(link);
  adopted = false;
  wanted = !kept && (is_run(address) || beyond.opens(address));
  if (!controls.models.length) return boot();
  adopt(begun);
  beyond.leave();
  if (kept) drawing.recall(kept, controls.model);
  if (!engine || controls.settings.backend !== before) boot();
  else if (loaded && controls.settings.model === model) ready();
  else load();
}

export function close() {
  drawing.leave();
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
  take.listen({ settings: () => controls.settings, model: () => controls.model, script });
  card.listen(unreadable);
  made.listen({ controls, ready: beginning.ready, open: follow });
  opening.listen({ engine: async () => engine ?? arriving, take: accept, other: () => controls.set("model", controls.models[0].id), ask, notice, status });
  beginning.listen({ dropped: opening.dropped, changed: begun, failed: unreadable, onStage: () => viewer.chosen()?.x, repaint: () => controls.set("sampler", "repaint") });
  look.listen({ controls, model: () => held, run: start, failed: (thrown) => failed("run", thrown), changed: () => write(hash()) });
  phases.listen({ status, backend: named, workers: () => held?.workers ?? 1 });
  words.listen({ controls, model: () => held, run: start });
  beyond.listen({ controls, model: () => held, engine: () => engine, reload: () => load((held = undefined)), given: beginning.given, run: (settings) => follow(write_link(settings), undefined, { ...beginning.wanted(), ...beginning.given() }), stop, broken: unreadable, reopen: (thrown) => lost.is(backend, thrown.code) && (reopen(), true) });
  keys.listen({ run: start, stop, timeline: viewer.timeline });
  drawing.listen({ model: () => held, script, begins, mark, offer, ready, rested: () => why.rested({ now, notice, boot }), failed, notice, forget });
  embed.listen({ controls, run: start, stop });
  queue.listen({ current, draw: drawing.draw, notice });
  past.listen({ controls, notice, open: (kept) => follow(kept.link, kept) });
}

$("shortcut").textContent = /Mac|iP/.test(navigator.platform) ? "⌘ ↵" : "Ctrl ↵";
listen();
viewer.preview({ images: 16, channels: 1, height: 28, width: 28 });
