/**
 * The lab's worker: owns the laboratory, which lives in the CPU engine, so that nothing on the page ever blocks.
 *
 * In:  {id, call, args} asks for a method of the door's `Lab` or for one of `calls` · {stop: id} ends a stream early
 * Out: {id, frame} of a stream, then as for any call {id, result} or {id, fault: {code, values}}
 */

import { bring, guard } from "../backend.js";
import { Fault } from "../fault.js";
import { messages } from "../waiting.js";
import { get } from "../weights.js";

/** As many steps of training as take about this long (milliseconds) are done between two looks at the messages. */
const SLICE = 15;

/** The engine's code: free functions and the class `Lab`. */
let api;
let lab;
/** The streams that are asked to end. @type {Set<number>} */
const stopped = new Set();
/** The latest of the calls that have the laboratory to themselves: the next one waits for it. */
let turn = Promise.resolve();

const folder = "models/lab";

const calls = {
  /** Starts the engine: its catalogue, and what a link says. */
  async open(link) {
    api ??= await bring("cpu");
    return { catalogue: JSON.parse(api.lab_catalogue()), checked: JSON.parse(api.lab_check(link)) };
  },
  csv: (text) => JSON.parse(api.lab_csv(text)),
  image: (...given) => api.lab_image(...given),
  pack: (...given) => api.lab_pack(...given),
};

/** What changes the laboratory or holds it from frame to frame. */
const alone = {
  /** Takes over a link. */
  change(link) {
    if (lab) return JSON.parse(lab.change(link));
    lab = new api.Lab(link);
    return { retrain: true };
  },
  reset: () => lab.reset(),
  /** Takes the network that ships for a data set. */
  async shipped(data) {
    const config = await get(`${folder}/config.json`).then((answer) => answer.text());
    const weights = await get(`${folder}/${data}.safetensors`).then((answer) => answer.arrayBuffer());
    lab.use_weights(config, new Uint8Array(weights));
  },
};

/** How many steps the next slice is to have. @param {number} took milliseconds of this one @param {number} left steps to go */
const next = (slice, took, left) => Math.max(Math.min(Math.round((slice * SLICE) / took), 2 * slice, left), 1);

/** What answers frame by frame. */
const streams = {
  // The page shows where the particles are, and not the guesses that they are built on.
  run: (show, pane) => guard(lab.run(pane, ({ denoised, ...frame }) => show(frame)), "run"),
  anneal: (show, which) => guard(lab.anneal(which, show), "run"),
  race: (show) => guard(lab.race(show), "run"),
  /** Trains in slices. @param {number} until the step to stop at */
  async train(show, until) {
    for (let slice = 1, step = 0; step < until; ) {
      const begun = performance.now();
      const told = JSON.parse(lab.train(slice));
      const took = performance.now() - begun;
      step = told.step;
      if (!(await show(told))) return false;
      slice = next(slice, took, until - step);
    }
    return true;
  },
  /** Trains the classifier, which is told how far, in slices; one that is trained answers at once. */
  async classify(show) {
    for (let slice = 1; ; ) {
      const begun = performance.now();
      const told = JSON.parse(lab.classify(slice));
      if (!(await show(told))) return false;
      if (told.done) return true;
      slice = next(slice, performance.now() - begun, told.steps - told.step);
    }
  },
};

addEventListener("message", async ({ data: { id, call, args, stop } }) => {
  if (stop) return stopped.add(stop);
  try {
    const result = await answer(id, call, args);
    postMessage({ id, result }, buffers(result));
  } catch (thrown) {
    // After a trap the engine is in an unknown state.
    const trap = thrown instanceof WebAssembly.RuntimeError;
    const { code, values } = trap ? new Fault("engine-crashed", { message: thrown.message }) : Fault.from(thrown, "lab");
    postMessage({ id, fault: { code, values } });
  }
  stopped.delete(id);
});

async function answer(id, call, args) {
  if (call in streams) return queue(() => stopped.has(id) || streams[call]((frame) => show(id, frame), ...args));
  if (call in alone) return queue(() => alone[call](...args));
  if (call in calls) return calls[call](...args);
  const told = await guard(Promise.resolve(lab[call](...args)), "lab");
  return typeof told === "string" ? JSON.parse(told) : told;
}

/** Waits for its turn. */
function queue(work) {
  const mine = turn.then(work);
  turn = mine.catch(() => {}); // told to who asked
  return mine;
}

/** Hands on a frame. @returns {Promise<boolean>} whether to go on */
async function show(id, frame) {
  postMessage({ id, frame }, buffers(frame));
  await messages();
  return !stopped.has(id);
}

/** The memory that travels instead of being copied. */
const buffers = (told) => [told, ...Object.values(told ?? {})].filter((part) => ArrayBuffer.isView(part)).map(({ buffer }) => buffer);
