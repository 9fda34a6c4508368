/** The stage: two sheets of pictures, the timeline under them, and the numbers of the step on show. */

import { $ } from "./dom.js";
import { hush, number, say, t } from "./strings.js";
import * as attention from "./attention.js";
import * as direct from "./direct.js";
import { Sheet, png } from "./paint.js";
import { Timeline } from "./timeline.js";

/** Steps over which the pace is averaged: enough to be steady, few enough to forget the slow first one. */
const RECENT = 8;

const sheets = [new Sheet($("noisy")), new Sheet($("guess"))];
const spots = sheets.map(({ canvas }) => canvas.nextElementSibling);
/** Milliseconds since the run began, at each step. @type {number[]} */
let totals = [];
/** The picture that was picked by a click or a tap, or -1. */
let picked = -1;
/** What the run on show was asked for: its seed and labels. */
let asked = { seed: 0, class: "none", classes: [] };
/** The same of the run that was begun last, until its first frame is there. */
let begun = asked;

export const timeline = new Timeline({ slider: $("slider"), play: $("play"), curves: $("curves") }, show);

/** Empty places for a run that has not begun. @param {import("./paint.js").Shape} shape */
export function preview(shape) {
  layout(shape);
  for (const sheet of sheets) sheet.draw(undefined);
}

/** Gets ready for the frames of a run. @param {boolean} ends whether only its start and its end have pictures for the page to draw */
export function begin(settings, classes, ends) {
  begun = { ...settings, classes, ends };
}

/** Takes in a run's next frame. @returns {number} the timeline keeps only every so-many-th step */
export function add(frame) {
  if (frame.step === 0) {
    asked = begun;
    totals = [];
    layout(frame);
  }
  totals.push(frame.total_ms);
  measure(frame);
  attention.add(frame);
  return timeline.add(frame, asked.ends);
}

/** Shows the end of a run that was kept, without its steps. @param {import("./timeline.js").Frame} frame @param {{en?: string, zh?: string}[]} classes */
export function restore(frame, settings, classes) {
  asked = begun = { ...settings, classes };
  totals = [0, frame.total_ms];
  layout(frame);
  timeline.restore(frame);
  hush($("pace"));
}

/** A run's last words. */
export function end() {
  const { step, steps, evaluations } = timeline.newest;
  if (steps === null) attempts(timeline.newest);
  else say($("pace"), "pace.end", { step, steps, evaluations, ms: milliseconds });
}

/** What hears that a picture is to be opened, and that another step is on show. */
let beside = { open: (_image) => {}, shown: () => {} };

/** @param {typeof beside} given */
export function listen(given) {
  beside = given;
}

/** Milliseconds a step lately; the engine's own time, without the page's. */
function pace() {
  const recent = totals.slice(-RECENT - 1);
  return recent.length > 1 ? (recent.at(-1) - recent[0]) / (recent.length - 1) : NaN;
}

const milliseconds = () => number(pace() || 0, pace() < 10 ? 1 : 0);

/** Seconds the run took so far. */
export const seconds = () => (totals.at(-1) ?? 0) / 1000;

/** The step on show as a PNG. */
export const picture = () => png(timeline.shown.x, timeline.shown);

/** What an adaptive sampler has tried, for all pictures together. */
const attempts = ({ accepted, rejected, evaluations }) =>
  say($("pace"), "pace.open", { accepted: accepted ?? 0, rejected: rejected ?? 0, evaluations, ms: milliseconds });

function measure(frame) {
  const { step, steps, done } = frame;
  $("progress").value = done;
  if (steps === null) return attempts(frame);
  if (step === 0) return say($("pace"), "pace.start", { step, steps });
  const left = (pace() * (steps - step)) / 1000;
  if (left < 60) say($("pace"), "pace", { step, steps, ms: milliseconds, left: () => number(left, left < 10 ? 1 : 0) });
  else say($("pace"), "pace.long", { step, steps, ms: milliseconds, minutes: Math.floor(left / 60), left: Math.floor(left % 60) });
}

function show(frame) {
  const drawn = !frame.x.length; // by the graphics card
  direct.show(drawn);
  $("save").disabled = $("save-more").disabled = drawn;
  if (!drawn) {
    sheets[0].draw(frame.x);
    sheets[1].draw(frame.denoised);
  }
  attention.show(frame, sheets[0]);
  const { step, steps, alpha, sigma, t } = frame;
  const place = steps === null ? "timeline.time.open" : "timeline.time";
  $("alpha").textContent = alpha.toFixed(3);
  $("sigma").textContent = sigma.toFixed(3);
  $("now").hidden = false;
  say($("place"), place, { step, steps, time: () => number(t, t < 10 ? 3 : 1) });
  beside.shown();
}

function layout(shape) {
  picked = -1;
  for (const sheet of sheets) sheet.layout(shape);
  $("picker").setAttribute("aria-valuemax", String(shape.images));
  point(-1);
}

/** On a phone the form is below the pictures, or the window not high: brings pictures and timeline into sight together when a run begins. */
export function reveal() {
  const { top, bottom } = $("sheets").getBoundingClientRect();
  const { bottom: end } = $("timeline").getBoundingClientRect();
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const above = bottom < innerHeight / 3;
  const below = end > innerHeight && top > 0;
  if (above || below) $("stage").scrollIntoView({ behavior: calm ? "auto" : "smooth" });
}

/** The picked picture, or the first, as it is at the step on show, if the page has it. @returns {import("./timeline.js").Frame | undefined} with `x` of that picture only */
export function chosen() {
  if (!timeline.shown?.x.length) return undefined;
  const { x, images } = timeline.shown;
  const bytes = x.length / images;
  const i = Math.max(picked, 0);
  return { ...timeline.shown, x: x.slice(i * bytes, (i + 1) * bytes) };
}

/** Marks image `i` on both sheets and says which it is; -1 marks none. */
function point(i) {
  for (const spot of spots) spot.hidden = i < 0;
  $("picker").setAttribute("aria-valuenow", String(picked + 1));
  if (i < 0) {
    $("picker").setAttribute("aria-valuetext", t("picker.none"));
    return hush($("pointed"));
  }
  const box = sheets[0].box(i);
  for (const spot of spots) for (const side of Object.keys(box)) spot.style[side] = `${100 * box[side]}%`;
  say($("pointed"), ...named(i));
  $("picker").setAttribute("aria-valuetext", $("pointed").textContent);
}

/** Which image it is: a text and what fills it. */
function named(i) {
  const label = asked.class === "all" ? i % asked.classes.length : Number(asked.class);
  const name = asked.classes[label];
  // Seeds are numbers of 32 bits, and go on at 0 after the last.
  return [name ? "pointed.class" : "pointed", { image: i + 1, seed: (Number(asked.seed) + i) % 2 ** 32, name }];
}

/** The same in words. @param {number} i */
export const nameOf = (i) => t(...named(i));

/** The picked image, from 0 on. @returns {number | null} */
export const choice = () => (picked < 0 ? null : picked);

/** Picks an image, or none. */
export function pick(i) {
  picked = i;
  point(i);
}

/** Opens a picture, if the page has it. */
const open = (i) => timeline.shown.x.length && beside.open(i);

/** Where a key takes the choice from image `i`; from none it begins at the first or the last. */
function moved(key, i, { images, columns }) {
  const within = (to) => Math.min(Math.max(to, 0), images - 1);
  if (i < 0) return { ArrowRight: 0, ArrowDown: 0, Home: 0, ArrowLeft: images - 1, ArrowUp: images - 1, End: images - 1 }[key];
  const down = i + columns < images ? i + columns : i;
  const up = i - columns >= 0 ? i - columns : i;
  return { ArrowRight: within(i + 1), ArrowLeft: within(i - 1), ArrowDown: down, ArrowUp: up, Home: 0, End: images - 1, Delete: -1, Backspace: -1 }[key];
}

$("picker").addEventListener("keydown", (event) => {
  if (!timeline.shown || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Enter" && !event.repeat) {
    event.preventDefault();
    return open(Math.max(picked, 0));
  }
  const to = moved(event.key, picked, { images: timeline.shown.images, columns: sheets[0].columns });
  if (to === undefined) return;
  event.preventDefault();
  pick(to);
});

for (const sheet of sheets) {
  const under = (event) => (timeline.shown ? sheet.at(event) : -1);
  sheet.canvas.addEventListener("pointermove", (event) => point(under(event)));
  sheet.canvas.addEventListener("click", (event) => {
    const i = under(event);
    pick(i);
    if (i >= 0) open(i);
  });
  sheet.canvas.addEventListener("pointerleave", (event) => event.pointerType === "mouse" && point(picked));
}
