/** The lab: a second view of the page, where the whole theory moves on points of the plane. Wires its parts together. */

import { Lab, UnnoiseError, catalogue, change, read_link, write_link } from "../../pkg/index.js";
import { messages } from "../notices.js";
import { reload } from "../offline/offline.js";
import { outdated, renew } from "../release.js";
import { share } from "../share.js";
import { number, say, t } from "../strings.js";
import * as anneal from "./anneal.js";
import { Clock } from "./clock.js";
import { CurveEditor } from "./curve.js";
import * as discrete from "./discrete.js";
import * as drawing from "./draw.js";
import { Form } from "./form.js";
import * as forward from "./forward.js";
import * as latent from "./latent.js";
import * as learn from "./learn.js";
import * as numbers from "./numbers.js";
import * as reverse from "./reverse.js";
import { Stage } from "./stage.js";
import { EXACT, OWN, anew, paneKeys, panes } from "./state.js";
import * as tour from "./tour.js";

const $ = (id) => document.getElementById(`lab-${id}`);
const { clearFault, fault, forget, problem, status } = messages("lab-");
/** What is on show, by the `view` of the link. */
const ACTIVITIES = { forward, reverse, anneal, numbers, latent, discrete };
/** Those whose clock runs from noise to data. */
const BACKWARD = ["reverse", "latent", "discrete"];
/** Points of the curves above the clock. */
const CURVE = 101;
/** How much more noise there is at least at a handle of the schedule than at the one before: the engine wants it to rise. */
const APART = 0.02;

/** The hash of the address, as it was last read or written here. */
let address = "";
/** The link that is being opened: what still ends of the one before changes nothing in the address. */
let opening = "";
/** @type {Lab | undefined} */
let engine;
/** @type {Stage} */
let stage;
/** The start of the engine that is under way. @type {Promise<Lab> | undefined} */
let starting;
/** What is shown now: whatever was asked for in an earlier round is of no use. */
let round = 0;
/** The streams that are read, and whether to go on. @type {Set<{wanted: boolean}>} */
const streams = new Set();
/** @type {CurveEditor} */
let schedule;

const clock = new Clock({ slider: $("slider"), play: $("play") }, { moved: (place) => moved(place), rested: () => lab.catalogue && keep({ clock: Number(clock.place.toFixed(3)) }) });
const form = new Form((key, value) => lab.change({ [key]: value }));
const hash = (options) => write_link(lab.settings, { ...options, view: "lab" });

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
  async tell(thrown) {
    const failure = UnnoiseError.from(thrown, "lab");
    if (failure.code === "closed") return; // with the engine, whose own failure is reported
    if (["engine-crashed", "worker"].includes(failure.code)) end(); // nothing can be asked of it any more
    fault(failure, engine ? {} : { retry: () => renew(failure.values.file).then(() => open(address)) });
    if (!engine && (await outdated())) fault({ code: "outdated", values: {} }, { reload });
  },
  /** The same where what is on show ends with it. */
  fail(thrown) {
    status("lab.failed");
    lab.tell(thrown);
  },
  clear: clearFault,
  status,
  live: () => true,
  /** Takes settings that a person has changed. @param {Record<string, import("../field.js").Value>} changes */
  async change(changes) {
    if (!lab.catalogue) return undefined; // nothing is there yet that could be changed
    clearFault();
    const [key] = Object.keys(changes);
    const refused = judge(changes);
    if (refused) return form.refuse(refused, lab.settings);
    const made = anew(key);
    if (made !== "background") status("lab.working");
    await learn.stop();
    if (key === "data") changes = { ...changes, points: null, class: null };
    if (made === "network") changes = { ...changes, "train-steps": null };
    if (made !== "background") changes = { ...changes, clock: null };
    form.fields[key]?.accept();
    keep(changes);
    form.show(lab.settings);
    if (made !== "background") return remake();
    show();
    return learn.prepare().then(() => stage.clearField(), lab.tell); // the field is another one with the network there
  },
  /** Takes points of one's own as the data. */
  own(points) {
    return lab.change({ points, data: OWN, class: null });
  },
  /** The network was trained so far. */
  trained(steps) {
    keep({ "train-steps": steps });
  },
  /** The likelihood is asked for at these places. @param {number[][]} all */
  asked(all) {
    keep({ places: all.flat().join("_") });
  },
  /** Shows what is on show anew. */
  perform: () => perform(),
  /** Ends whatever the engine is at, but for the training. */
  halt() {
    for (const stream of streams) stream.wanted = false;
    streams.clear();
  },
  /** Reads a stream as long as this round lasts. @param {(item: any) => boolean | void} take `false` ends it */
  async stream(items, take) {
    const live = lab.live;
    const stream = { wanted: true };
    streams.add(stream);
    for await (const item of items) {
      if (!live() || !stream.wanted || take(item) === false) break;
    }
    streams.delete(stream);
  },
  /** Lets the clock run, or stand where a link has put it. */
  begin() {
    if (lab.settings.clock < 1) clock.go(lab.settings.clock);
    else clock.begin();
  },
};

/** Takes over the address. */
export async function open(link) {
  clearFault();
  if (engine && lab.catalogue && link === address && !opening) return remake(); // back from the other view
  opening = address = link;
  begin();
  try {
    const checked = read_link(link);
    if (!engine) await start(checked.settings);
    await learn.stop();
    if (opening !== link || document.getElementById("lab").hidden) return;
    opening = "";
    lab.catalogue ??= catalogue();
    form.build(lab.catalogue);
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
  if (lab.settings.lang) keep({ lang: tongue });
}

/** Starts the engine, once. */
async function start(settings) {
  status("stage.starting");
  starting ??= Lab.open(settings);
  try {
    engine = await starting;
  } finally {
    starting = undefined;
  }
  stage ??= new Stage($("planes"), lab);
}

/** Gives the engine up, whatever became of it. */
function end() {
  engine?.close();
  engine = undefined;
}

function adopt({ settings, problems }) {
  lab.settings = { ...settings, ...paneKeys(panes(settings)) }; // without gaps, as they stand
  forget();
  problems.forEach(problem);
  form.accept();
  form.show(lab.settings);
  form.unfold(lab.settings);
  remake();
}

/** What is wrong with changes, if anything is. */
function judge(changes) {
  let { settings } = lab;
  for (const [key, value] of Object.entries(changes)) {
    const checked = change(settings, key, value, []);
    const refused = checked.problems.find((found) => found.key === key);
    if (refused) return refused;
    settings = checked.settings;
  }
  return undefined;
}

/** Writes settings into the address. */
function keep(changes) {
  for (const [key, value] of Object.entries(changes)) lab.settings = change(lab.settings, key, value, []).settings;
  if (opening) return;
  address = hash();
  // What ends after the lab was left, such as training, is not to change the other view's address.
  if (!document.getElementById("lab").hidden) history.replaceState(null, "", address);
}

/** Makes everything anew with the settings of the moment. */
async function remake() {
  const mine = begin();
  show();
  status("lab.working");
  try {
    const { retrain, classes } = await engine.change(lab.settings);
    if (retrain) learn.outdated();
    if (mine !== round) return;
    if (lab.settings.data === OWN) {
      form.show(lab.settings, classes);
      await drawing.load(lab.settings.points);
    }
    if (mine !== round) return;
    await learn.prepare(wait);
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

/** Shows what needs no network, as long as one is trained. */
async function wait() {
  const { open, wait } = ACTIVITIES[lab.settings.view];
  stage.clear();
  await curves();
  await (wait ?? open)(Object.create(lab, { live: { value: lab.live } }));
}

/** Opens the activity on show, with the laboratory as it is. */
async function perform() {
  if (!engine) return; // it broke down, which is reported
  const mine = begin();
  stage.clear();
  show();
  status("lab.working");
  try {
    await curves();
    if (mine !== round) return;
    await ACTIVITIES[lab.settings.view].open(Object.create(lab, { live: { value: lab.live } })); // `live` is of this round
    const { view, particles } = lab.settings;
    const how = () => (view === "numbers" ? "" : t("lab.ready.how"));
    if (mine === round) status(view === "discrete" ? "lab.ready.letters" : "lab.ready", { particles, how });
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
  if (stage.settings) Object.assign(stage.settings, { field: EXACT.includes(view) ? "none" : field, heat });
  stage.clearField();
}

function moved(place) {
  stage?.go(place);
  ACTIVITIES[lab.settings.view]?.moved?.(place);
  $("slider").style.setProperty("--filled", `${100 * place}%`);
  $("slider").setAttribute("aria-valuetext", number(place, 3));
}

/** Draws above the clock how much there is of the data and of the noise, or the temperature, with the ends of the scale. */
async function curves() {
  const { view, process, curve } = lab.settings;
  const levels = await (view === "discrete" ? discrete.levels(engine, CURVE) : engine.levels(CURVE));
  const row = (i) => levels.subarray(4 * i, 4 * i + 4);
  if (process === "curve" && view !== "discrete") {
    const share = (i) => row(i)[2] ** 2 / (row(i)[1] ** 2 + row(i)[2] ** 2);
    bender().show(curve.split("_").map(Number), { line: Array.from({ length: CURVE }, (_, i) => share(i)), ends: ["t = 0", "t = 1"] });
  }
  const at = (i) => (BACKWARD.includes(view) ? row(CURVE - 1 - i) : row(i));
  const path = (value) => `M${Array.from({ length: CURVE }, (_, i) => `${((1000 * i) / (CURVE - 1)).toFixed(0)} ${(100 - 100 * value(i)).toFixed(1)}`).join("L")}`;
  const draw = ({ alpha, sigma, ends }) => {
    $("curves").querySelector(".alpha").setAttribute("d", alpha ? path(alpha) : "");
    $("curves").querySelector(".sigma").setAttribute("d", path(sigma));
    for (const [i, end] of ["foot", "top"].entries()) say($(end), "plain", { text: () => number(ends[i], 3) });
  };
  const heat = anneal.heat(lab.settings);
  if (view === "anneal") return draw({ sigma: (i) => heat(i / (CURVE - 1)), ends: anneal.RANGE.map((power) => 10 ** power) });
  const [, alpha, sigma] = [0, 1, 2].map((column) => Array.from({ length: CURVE }, (_, i) => at(i)[column]));
  const top = Math.max(1, ...alpha, ...sigma);
  draw({ alpha: (i) => alpha[i] / top, sigma: (i) => sigma[i] / top, ends: [0, top] });
}

/** The editor of the noise schedule. */
function bender() {
  const changed = (values) => lab.change({ curve: values.map((value) => value.toFixed(4)).join("_") });
  schedule ??= new CurveEditor($("schedule"), { range: [0, 1], marks: [0, 0.5, 1], apart: APART, name: "lab.schedule.handle", word: (value) => number(value, 3), changed });
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
    keep({ clock: null });
    perform();
  });
  $("share").addEventListener("click", () => lab.catalogue && share(hash({ share: true }), { prefix: "lab-" }));
  $("tour-end").addEventListener("click", () => {
    keep({ tour: null });
    tour.show(null);
  });
  for (const tab of document.querySelectorAll("[data-activity]")) tab.addEventListener("click", () => lab.change({ view: tab.dataset.activity }));
  addEventListener("keydown", (event) => {
    const elsewhere = document.getElementById("lab").hidden || document.querySelector("dialog[open]");
    const busy = event.target.closest("button, input, select, textarea, a, summary, [role=slider]");
    const still = lab.settings.view === "numbers"; // there is no clock
    if (elsewhere || busy || still || event.ctrlKey || event.metaKey || event.altKey) return;
    if (clock.key(event.key)) event.preventDefault();
  });
}

listen();
