/** The lab: a second view of the page, where the whole theory moves on points of the plane. Wires its parts together. */

import { Fault } from "../fault.js";
import { messages } from "../notices.js";
import { share } from "../share.js";
import { number } from "../strings.js";
import * as anneal from "./anneal.js";
import { Clock } from "./clock.js";
import { CurveEditor } from "./curve.js";
import * as drawing from "./draw.js";
import { Engine } from "./engine.js";
import { Form } from "./form.js";
import * as forward from "./forward.js";
import * as learn from "./learn.js";
import * as numbers from "./numbers.js";
import * as reverse from "./reverse.js";
import { Stage } from "./stage.js";
import { KEYS, OWN, labHash, pageKeys, panes, setPanes } from "./state.js";
import * as tour from "./tour.js";

const $ = (id) => document.getElementById(`lab-${id}`);
const { clearFault, fault, forget, problem, status } = messages("lab-");
/** What is on show, by the `view` of the link. */
const ACTIVITIES = { forward, reverse, anneal, numbers };
/** Points of the curves above the clock. */
const CURVE = 101;
/** How much more noise there is at least at a handle of the schedule than at the one before: the engine wants it to rise. */
const APART = 0.02;

/** The hash of the address, as it was last read or written here. */
let address = "";
/** The link that is being opened: what still ends of the one before changes nothing in the address. */
let opening = "";
/** @type {Engine | undefined} */
let engine;
/** @type {Stage} */
let stage;
/** What is shown now: whatever was asked for in an earlier round is of no use. */
let round = 0;
/** The streams of this round. @type {Set<import("./engine.js").Stream>} */
const streams = new Set();
/** @type {CurveEditor} */
let schedule;

const clock = new Clock({ slider: $("slider"), play: $("play") }, { moved: (place) => moved(place), rested: () => lab.catalogue && keep("clock", Number(clock.place.toFixed(3))) });
const form = new Form((key, value) => lab.change(key, value));

/** What the parts of the lab may know and do. @typedef {typeof lab} Lab */
const lab = {
  settings: {},
  catalogue: undefined,
  add: $("add"),
  get engine() {
    return engine;
  },
  get stage() {
    return stage;
  },
  /** Says what went wrong. */
  tell(thrown) {
    const failure = Fault.from(thrown);
    if (failure.code === "cancelled") return; // with the engine, whose own failure is told
    if (failure.code === "engine-crashed") end(); // nothing can be asked of it any more
    fault(failure, engine ? {} : { retry: () => open(address) });
  },
  /** The same where what is on show ends with it. */
  fail(thrown) {
    status("lab.failed");
    lab.tell(thrown);
  },
  clear: clearFault,
  status,
  live: () => true,
  /** Takes a setting that a person has changed. */
  async change(key, value) {
    if (!lab.catalogue) return; // nothing is there yet that could be changed
    clearFault();
    const { anew } = KEYS.find((row) => row.key === key);
    if (anew !== "background") status("lab.working");
    await learn.stop();
    if (key === "data") Object.assign(lab.settings, { points: null, class: -1 });
    if (anew === "network") lab.settings["train-steps"] = 0;
    if (anew !== "background") lab.settings.clock = 1;
    keep(key, value);
    form.show(lab.settings);
    if (anew !== "background") return renew();
    show();
    return learn.prepare().then(() => stage.clearField(), lab.tell); // the field is another one with the network there
  },
  /** Takes points of one's own as the data. */
  own(points) {
    Object.assign(lab.settings, { data: OWN, class: -1 });
    return lab.change("points", points);
  },
  /** The network was trained so far. */
  trained(steps) {
    keep("train-steps", steps);
  },
  /** The likelihood is asked for at these places. @param {number[][]} all */
  asked(all) {
    keep("places", all.flat().join("_"));
  },
  /** Shows what is on show anew. */
  perform: () => perform(),
  /** Ends whatever the engine is at, but for the training. */
  halt() {
    for (const stream of streams) stream.stop();
    streams.clear();
  },
  /** A stream that ends with this round. */
  async stream(call, args, frame) {
    const live = lab.live;
    const stream = engine.stream(call, args, (told) => live() && frame(told));
    streams.add(stream);
    await stream.done;
    streams.delete(stream);
  },
  /** Lets the clock run, or stand where a link has put it. */
  begin() {
    if (lab.settings.clock < 1) clock.go(lab.settings.clock);
    else clock.begin();
  },
};

/** Takes over the address. */
export async function open(hash) {
  clearFault();
  if (engine && lab.catalogue && hash === address && !opening) return renew(); // back from the other view
  opening = address = hash;
  begin();
  try {
    if (!engine) start();
    await learn.stop();
    const { catalogue, checked } = await engine.ask("open", hash);
    if (opening !== hash || document.getElementById("lab").hidden) return;
    opening = "";
    lab.catalogue = catalogue;
    form.build(catalogue);
    adopt(checked);
  } catch (thrown) {
    end();
    lab.fail(thrown);
  }
}

/** Leaves the lab, which stays as it is. */
export function close() {
  learn.stop();
  begin();
}

export const link = () => address;

export function relabel() {
  if (!lab.catalogue) return;
  form.show(lab.settings);
  tour.show(lab.settings.tour);
}

export function switched(tongue) {
  if (lab.settings.lang) keep("lang", tongue);
}

function start() {
  status("stage.starting");
  engine = new Engine((failure) => {
    end();
    lab.fail(failure);
  });
  stage = new Stage($("planes"), engine, lab.tell);
}

/** Gives the engine up, whatever became of it. */
function end() {
  engine?.close();
  engine = undefined;
}

function adopt({ settings, problems }) {
  const own = pageKeys(address);
  lab.settings = { ...own.settings, ...settings };
  setPanes(lab.settings, panes(lab.settings)); // without gaps, as they stand
  forget();
  for (const found of [...own.problems, ...problems]) problem({ used: settings[found.key] ?? null, ...found });
  form.show(lab.settings);
  form.unfold(lab.settings);
  renew();
}

/** Writes a setting into the address. */
function keep(key, value) {
  lab.settings[key] = value;
  if (opening) return;
  address = labHash(lab.settings, lab.catalogue);
  // What ends after the lab was left, such as training, is not to change the other view's address.
  if (!document.getElementById("lab").hidden) history.replaceState(null, "", address);
}

/** Makes everything anew with the settings of the moment. */
async function renew() {
  const mine = begin();
  show();
  status("lab.working");
  try {
    const { retrain, classes } = await engine.ask("change", labHash(lab.settings, lab.catalogue));
    if (retrain) learn.outdated();
    if (mine !== round) return;
    if (lab.settings.data === OWN) form.show(lab.settings, classes);
    await learn.prepare();
    if (mine === round) await learn.classify();
    if (mine === round) await perform();
  } catch (thrown) {
    if (mine === round) lab.fail(thrown);
  }
}

/** A new round: nothing that is under way counts any more. */
function begin() {
  round += 1;
  const mine = round;
  lab.live = () => mine === round;
  lab.halt();
  clock.pause();
  return mine;
}

/** Opens the activity on show, with the laboratory as it is. */
async function perform() {
  if (!engine) return; // it broke down, and that is told
  const mine = begin();
  stage.clear();
  show();
  status("lab.working");
  try {
    await curves();
    if (mine !== round) return;
    await ACTIVITIES[lab.settings.view].open({ ...lab, engine, stage });
    if (mine === round) status("lab.ready", { particles: lab.settings.particles });
  } catch (thrown) {
    if (mine === round) lab.fail(thrown);
  }
}

/** Puts on show what belongs to the settings. */
function show() {
  const { view, tour: stop, process, field, heat, objective } = lab.settings;
  for (const part of document.querySelectorAll("#lab [data-view]")) part.hidden = !part.dataset.view.split(" ").includes(view);
  for (const formula of document.querySelectorAll("[data-objective]")) formula.toggleAttribute("hidden", formula.dataset.objective !== objective); // MathML knows no `hidden`
  for (const tab of document.querySelectorAll("[data-activity]")) tab.setAttribute("aria-pressed", String(tab.dataset.activity === view));
  $("schedule").hidden = process !== "curve";
  tour.show(stop);
  $("stage").dataset.show = view;
  if (stage.settings) Object.assign(stage.settings, { field, heat });
  stage.clearField();
}

function moved(place) {
  stage?.go(place);
  $("slider").style.setProperty("--filled", `${100 * place}%`);
  $("slider").setAttribute("aria-valuetext", number(place, 3));
}

/** Draws above the clock what there is of data and of noise, or the temperature. */
async function curves() {
  const { view, process, curve } = lab.settings;
  const levels = await engine.ask("levels", CURVE);
  const row = (i) => levels.subarray(4 * i, 4 * i + 4);
  if (process === "curve") {
    const share = (i) => row(i)[2] ** 2 / (row(i)[1] ** 2 + row(i)[2] ** 2);
    bender().show(curve.split("_").map(Number), Array.from({ length: CURVE }, (_, i) => share(i)));
  }
  const at = (i) => (view === "reverse" ? row(CURVE - 1 - i) : row(i));
  const path = (value) => `M${Array.from({ length: CURVE }, (_, i) => `${((1000 * i) / (CURVE - 1)).toFixed(0)} ${(100 - 100 * value(i)).toFixed(1)}`).join("L")}`;
  const share = (which) => path((i) => at(i)[which] / Math.hypot(at(i)[1], at(i)[2]));
  const heat = anneal.temperatures(lab.settings);
  const [low, high] = anneal.RANGE;
  const falling = path((i) => {
    const place = ((heat.length - 1) * i) / (CURVE - 1);
    const before = Math.min(Math.floor(place), heat.length - 2);
    const power = heat[before] + (heat[before + 1] - heat[before]) * (place - before);
    return Math.min(Math.max((power - low) / (high - low), 0), 1);
  });
  $("curves").querySelector(".alpha").setAttribute("d", view === "anneal" ? "" : share(1));
  $("curves").querySelector(".sigma").setAttribute("d", view === "anneal" ? falling : share(2));
}

/** The editor of the noise schedule. */
function bender() {
  const changed = (values) => lab.change("curve", values.map((value) => value.toFixed(4)).join("_"));
  schedule ??= new CurveEditor($("schedule"), { range: [0, 1], apart: APART, name: "lab.schedule.handle", word: (value) => number(value, 3), changed });
  return schedule;
}

function listen() {
  learn.listen(lab);
  drawing.listen(lab);
  tour.build();
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("own").addEventListener("toggle", drawing.draw);
  $("again").addEventListener("click", () => {
    if (!lab.catalogue) return open(address);
    clearFault();
    lab.settings.clock = 1;
    perform();
  });
  $("share").addEventListener("click", () => lab.catalogue && share(labHash(lab.settings, lab.catalogue, { share: true }), { prefix: "lab-" }));
  $("tour-end").addEventListener("click", () => {
    keep("tour", null);
    tour.show(null);
  });
  for (const tab of document.querySelectorAll("[data-activity]")) tab.addEventListener("click", () => lab.change("view", tab.dataset.activity));
  addEventListener("keydown", (event) => {
    const elsewhere = document.getElementById("lab").hidden || document.querySelector("dialog[open]");
    const busy = event.target.closest("button, input, select, textarea, a, summary, [role=slider]");
    const still = lab.settings.view === "numbers"; // there is no clock
    if (elsewhere || busy || still || event.ctrlKey || event.metaKey || event.altKey) return;
    if (clock.key(event.key)) event.preventDefault();
  });
}

listen();
