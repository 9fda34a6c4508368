/** The forward process on a picture: how it drowns in noise, what the network still finds in it, and the way back from there. */

import { $ } from "./dom.js";
import { figure } from "./figures.js";
import { picture } from "./paint.js";
import { Plot } from "./plot.js";
import { el, hush, say } from "./strings.js";
import { share } from "./timeline.js";

/** @typedef {import("../pkg/index.js").Noised} Noised */

/** The pictures on show, by the level's field. */
const PANES = { x: "forward-x", chain: "forward-chain", noise: "forward-noise", denoised: "forward-denoised" };
const NUMBERS = ["t", "alpha", "sigma", "log_snr", "nats", "bits", "prior", "prior_bits", "error"];

const dialog = $("forward-dialog");
const slider = $("forward-slider");
const track = new Plot($("forward-track"));
const plot = new Plot($("forward-plot"));
/** @type {{levels: (signal: AbortSignal) => AsyncGenerator<Noised>, any: () => boolean, back: (strength: number) => void, failed: (thrown: unknown) => void, changed: (look: {step: number | null} | undefined) => void}} */
let page;
/** The levels so far. @type {Noised[]} */
let levels = [];
let computing = new AbortController();
/** The step that is to be shown, as soon as it is there; nothing for the one in the middle. @type {number | null} */
let wanted = null;

/** Opens the view. @param {number | null} step the one to show */
export function open(step) {
  wanted = step;
  if (!dialog.open) dialog.showModal();
  begin();
}

/** The start picture is another, or has gone. */
export function begun() {
  if (dialog.open) begin();
}

/** Goes through the levels of the picture. */
async function begin() {
  computing.abort();
  const mine = new AbortController();
  computing = mine;
  levels = [];
  hush($("forward-fault"));
  show();
  if (!page.any()) return;
  try {
    for await (const level of page.levels(mine.signal)) {
      if (computing !== mine) return;
      levels.push(level);
      slider.max = String(level.steps);
      if (wanted === null) slider.value = String(Math.ceil(level.steps / 2));
      else slider.value = String(wanted);
      show();
    }
  } catch (thrown) {
    if (mine.signal.aborted) return;
    page.failed(thrown);
    dialog.close();
  }
}

/** Shows the level under the slider, or the noisiest so far. */
function show() {
  const newest = levels.at(-1);
  $("forward-none").hidden = Boolean(newest) || page.any();
  $("forward-view").hidden = !newest;
  if (!newest) return;
  const { steps } = newest;
  const level = levels[Math.min(Number(slider.value), levels.length - 1)];
  const { step, height, width, strength } = level;
  for (const [field, id] of Object.entries(PANES)) {
    const canvas = $(id);
    Object.assign(canvas, { width, height });
    canvas.getContext("2d").putImageData(picture(level[field], level), 0, 0);
  }
  const there = levels.length - 1;
  say($("forward-step"), there < steps ? "forward.computing" : "forward.step", { step, steps, there });
  slider.setAttribute("aria-valuetext", $("forward-step").textContent);
  // L_T is a term of the noisiest level alone.
  const named = NUMBERS.filter((name) => !name.startsWith("prior") || level[name] !== null);
  $("forward-numbers").replaceChildren(...named.flatMap((name) => [el("dt", `forward.${name}`), el("dd", "", {}, { textContent: figure(level[name]) })]));
  const shares = levels.map(share);
  const of = (name, from = levels) => ({ name, values: from.map((level) => level[name]) });
  track.show([{ curves: [of("alpha", shares), of("sigma", shares)] }], { steps, at: step });
  const [snr, terms] = plot.show([{ curves: [of("log_snr")] }, { curves: [of("nats")], log: true }], { steps, at: step });
  for (const [id, range] of [["forward-snr", snr], ["forward-terms", terms]]) {
    if (range) say($(id), "large.range", { low: figure(range[0]), high: figure(range[1]) });
    else hush($(id));
  }
  $("forward-back").disabled = strength === 0;
  page.changed({ step: wanted });
}

/** @param {typeof page} given `any` says whether there is a picture, `levels` goes through its levels, `back` begins the run at one */
export function listen(given) {
  page = given;
  slider.addEventListener("input", () => {
    wanted = Number(slider.value);
    show();
  });
  $("forward-back").addEventListener("click", () => {
    const { strength } = levels[Math.min(Number(slider.value), levels.length - 1)];
    dialog.close();
    page.back(strength);
  });
  $("forward-take").addEventListener("click", () => $("start-take").click());
  $("forward-file").addEventListener("click", () => $("start-file").click());
  $("forward-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    computing.abort();
    page.changed(undefined);
  });
}
