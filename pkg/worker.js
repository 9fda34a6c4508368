/**
 * The worker: owns an engine, so that nothing on the page ever waits for it.
 *
 * In:  {id, call, args} names one of `calls`
 * Out: {id, result} or {id, error: {code, values, message}} · {note} is said on its own, in the course of a call
 *
 * The files of a model are read by the caller, who has what they come from, weights a few megabytes at a time:
 * Out: {question, of, name, args}, where `of` is the load's id · In: {answer, result} or {answer, error}
 */

import { bring, open } from "./backend.js";
import { UnnoiseError } from "./error.js";
import { faultOf, guard } from "./guard.js";
import { streams as labStreams } from "./lab-streams.js";
import * as meter from "./meter.js";

let engine;
/** The number of the model on the device. */
let model = 0;
/** The lab's code, and the lab. */
let api;
let lab;
/** Streams that are being read, by the number that the caller gave them. @type {Map<number, {next: () => Promise<any>, free?: () => void}>} */
const open_streams = new Map();

/** Canvases to draw on, by the number that the caller gave them. @type {Map<number, OffscreenCanvas>} */
const canvases = new Map();

/** Questions that wait for their answer. @type {Map<number, {resolve: Function, reject: Function}>} */
const pending = new Map();
let questions = 0;

/** The files of the load with this id, as the engine asks for them. */
function filesOf(of) {
  const ask = (name, ...args) =>
    new Promise((resolve, reject) => {
      pending.set(++questions, { resolve, reject });
      postMessage({ question: questions, of, name, args });
    });
  return { list: () => ask("list"), read: (path) => ask("read", path), size: (path) => ask("size", path), range: (path, from, to) => ask("range", path, from, to) };
}

function answered({ answer, result, error }) {
  const { resolve, reject } = pending.get(answer);
  pending.delete(answer);
  return error ? reject(new UnnoiseError(error.code, error.values, error.message)) : resolve(result);
}

/** The engine, with the model of that number on it. */
function holding(number) {
  if (number !== model) throw new UnnoiseError("model-replaced");
  return engine;
}

const calls = {
  async open(device) {
    const opened = await open(device, (note) => postMessage({ note }));
    engine = opened.engine;
    if (engine.backend === "webgpu") meter.watch();
    return { backend: engine.backend, adapter: engine.adapter, reason: opened.reason };
  },
  async load(number, files) {
    postMessage({ note: { stage: "loading", backend: engine.backend } });
    for (const id of [...open_streams.keys()]) calls.end(id); // a run keeps its model on the device
    const about = await guard(engine.load(files), "model");
    model = number;
    return about;
  },
  needs: (files) => guard(engine.needs(files), "model"),
  load_classifier: (number, files) => guard(holding(number).load_classifier(files), "model"),
  images: (number, settings) => holding(number).images(settings),
  tokens: (number, text, settings) => holding(number).tokens(text, settings),
  levels: (number, settings) => holding(number).levels(settings),
  python: (number, settings) => holding(number).python(settings),

  async open_lab(settings) {
    api = await bring("lab");
    lab = new api.Lab(settings);
  },
  lab: (name, ...args) => guard(lab[name](...args), "lab"),
  lab_reader: (name, ...args) => api[name](...args),

  own(number, canvas) {
    canvases.set(number, canvas);
  },

  begin(id, name, ...args) {
    open_streams.set(id, streams[name](...args));
  },
  /** The next item of a stream; undefined after the last. */
  async next(id) {
    const stream = open_streams.get(id);
    if (!stream) throw new UnnoiseError("model-replaced");
    const item = await guard(stream.next(), "run");
    if (item === undefined) calls.end(id);
    return item;
  },
  end(id) {
    open_streams.get(id)?.free?.();
    open_streams.delete(id);
  },
};

const streams = {
  run(number, settings, { present, ...given }) {
    const held = holding(number);
    const told = (stage) => postMessage({ note: { stage, backend: engine.backend } });
    const run = present
      ? held.present(settings, given, told, canvases.get(present.x), canvases.get(present.denoised), present.gap)
      : held.run(settings, given, told);
    return engine.backend === "webgpu" ? metered(run) : run;
  },
  race: (number, settings) => holding(number).race(settings),
  bench() {
    if (!engine.bench) throw new UnnoiseError("no-webgpu"); // the engine of another backend
    return engine.bench();
  },
  forward: (number, settings, given) => holding(number).forward(settings, given),
  ...labStreams(() => lab),
};

/** A run whose frames say how busy the graphics card is. */
function metered(run) {
  meter.begin();
  const next = async () => {
    const frame = await run.next();
    return frame && { ...frame, queue: meter.read() };
  };
  return { next, free: () => run.free() };
}

/** The calls that read files of their caller's. */
const READING = /^(load|needs)/;

/** Calls are answered one after the other: an engine does one thing at a time. */
let turn = Promise.resolve();

addEventListener("message", ({ data }) => {
  if (data.answer) return answered(data);
  const { id, call, args } = data;
  turn = turn.then(async () => {
    try {
      const result = await calls[call](...args, ...(READING.test(call) ? [filesOf(id)] : []));
      if (id) postMessage({ id, result }, buffers(result));
    } catch (thrown) {
      const { code, values, message } = faultOf(thrown, READING.test(call) ? "model" : "run");
      postMessage({ id, error: { code, values, message } });
    }
  });
});

/** The memory that travels instead of being copied. */
const buffers = (result) => [result, ...Object.values(result ?? {})].filter((part) => ArrayBuffer.isView(part)).map(({ buffer }) => buffer);
