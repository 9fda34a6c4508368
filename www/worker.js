/**
 * The worker: owns the wasm engine and the weights, so that nothing on the page ever blocks.
 *
 * In:  start {backend, link} · check {link, field} · load {id} · cancel · run {id, link, picture, mask} · stop · code {link}
 * Out: stage · progress · opened · checked · loaded · frame · done · code · fault (see `post` calls)
 */

import { guard, open } from "./backend.js";
import { Fault } from "./fault.js";
import { messages } from "./waiting.js";
import { fetchClassifier, fetchModel, models } from "./weights.js";

/** @type {import("./backend.js").Opened} */
let opened;
/** @type {import("./weights.js").Model[]} */
let list = [];
/** The download under way, if any. */
let download = { id: "", abort: new AbortController(), files: Promise.resolve({}) };
/** The model on the device, if any. */
let held = { id: "", about: {} };
/** The name of the classifier beside it, if a run has asked for one, and the way to break off its download. */
let leader = { id: "", abort: new AbortController() };
/** How many models were asked for: only the latest one counts. */
let wishes = 0;
let running = Promise.resolve();
let stopped = false;

const handlers = { start, check, load, cancel, run, stop, code };

addEventListener("message", async ({ data: { type, ...message } }) => {
  try {
    await handlers[type](message);
  } catch (thrown) {
    const { code, values } = Fault.from(thrown);
    post("fault", { during: type, id: message.id, code, values });
  }
});

const post = (type, message = {}, transfer = []) => postMessage({ type, ...message }, transfer);

async function start({ backend, link }) {
  // The weights travel while the engine starts. The engine is not there yet to say which model the link means, so this
  // is a guess; `load` has the last word.
  const listing = models();
  const guess = listing.then((known) => {
    list = known;
    fetching(named(new URLSearchParams(link.replace(/^#/, "")).get("model")));
  });
  guess.catch(() => {}); // told by `await listing`
  try {
    opened = await open(backend, (stage, which) => post("stage", { stage, backend: which }));
    await listing;
  } catch (thrown) {
    cancel(); // weights without an engine are of no use
    throw thrown;
  }
  const { engine, api, reason } = opened;
  post("opened", {
    backend: engine.backend,
    adapter: engine.adapter,
    reason,
    catalogue: JSON.parse(api.catalogue()),
    checked: read(link),
    models: list,
    presets: Object.fromEntries(list.map(({ id }) => [id, read(`#model=${id}`).settings])),
    scripts: "diffusers_code" in engine,
  });
}

/** The model of that name, or the page's first choice. */
const named = (name) => list.find(({ id }) => id === name) ?? list[0];

/** What a link says, and where it is silent, what its model starts with. */
function read(link) {
  const { check_link } = opened.api;
  const { model } = JSON.parse(check_link(link)).settings;
  return JSON.parse(check_link(link, JSON.stringify(named(model).defaults ?? {})));
}

/** Reads a link; `field` is true where it is asked about what was typed into one, and not to be taken over. */
function check({ link, field }) {
  post("checked", { field, ...read(link) });
}

/** Downloads a model's files, and no other's any more. */
function fetching(model) {
  if (download.id === model.id) return download;
  download.abort.abort();
  const abort = new AbortController();
  const files = fetchModel(model, (loaded, total) => post("progress", { name: model.name, loaded, total }), abort.signal);
  files.catch(() => {}); // told by the `load` that awaits it
  download = { id: model.id, abort, files };
  return download;
}

async function load({ id }) {
  wishes += 1;
  const wish = wishes;
  await halt();
  if (wish !== wishes) return;
  if (id === held.id) cancel(); // whatever else was on its way
  else await bring(id, () => wish !== wishes);
  if (wish === wishes) post("loaded", held);
}

/** Downloads a model and puts it on the device in place of the one before, unless it was `overtaken` by another wish. */
async function bring(id, overtaken) {
  const mine = fetching(named(id));
  let files;
  try {
    files = await mine.files;
  } catch (thrown) {
    if (!overtaken()) throw thrown;
  } finally {
    // The engine has its own copy now, and what failed is to be fetched anew.
    if (download === mine) download = { id: "", abort: mine.abort, files: Promise.resolve({}) };
  }
  if (overtaken()) return;
  post("stage", { stage: "loading", backend: opened.backend });
  const { config, weights, scheduler, card } = files;
  const about = await guard(opened.engine.load(config, weights, scheduler, card), "model");
  held = { id, about: JSON.parse(about) };
  leader.id = "";
}

/** Brings the classifier that is to lead the run of this link, if one is. */
async function lead(link) {
  const { settings } = read(link);
  const { classifier } = named(settings.model);
  if (settings.classifier === 0 || !classifier || leader.id === classifier.id) return;
  const abort = new AbortController();
  leader = { id: "", abort };
  const { config, weights } = await fetchClassifier(classifier, () => {}, abort.signal); // small enough to show no progress
  opened.engine.load_classifier(config, weights);
  leader.id = classifier.id;
}

function cancel() {
  download.abort.abort();
}

async function run({ id, link, picture, mask }) {
  await halt();
  stopped = false;
  const onFrame = async (frame) => {
    post("frame", { id, frame }, [frame.x, frame.denoised].filter(Boolean).map(({ buffer }) => buffer));
    await messages();
    return !stopped;
  };
  const work = lead(link).then(() => guard(opened.engine.run(link, onFrame, picture, mask), "run"));
  running = work.then(
    () => {},
    () => {},
  );
  post("done", { id, finished: await work });
}

function stop() {
  stopped = true;
  leader.abort.abort();
}

/** The run as a Python script, or the sentence why there is none. */
function code({ link }) {
  try {
    post("code", { text: opened.engine.diffusers_code(link) });
  } catch (thrown) {
    post("code", { why: Fault.from(thrown).values.message ?? thrown.message });
  }
}

/** Ends the run in progress, if any, within one step. */
async function halt() {
  stop();
  await running;
}
