/** One picture of the run, large: its way through the steps, and each step beside the posterior of the forward process. */

import { $ } from "./dom.js";
import { figure } from "./figures.js";
import { encoded, picture } from "./paint.js";
import { Plot } from "./plot.js";
import { copy, named, save, signed } from "./saved.js";
import { run } from "./shown.js";
import { changed, draw, spread } from "./strip.js";
import { el, say } from "./strings.js";

/** What can be shown large, by the frame's field; those before a step is done have none. */
const KINDS = { x: "large.x", denoised: "large.denoised", noise: "large.noise", posterior: "large.posterior" };
/** The rows of the filmstrip. */
const ROWS = { x: "xₜ", denoised: "x̂₀", noise: "ε̂" };
/** The numbers of a step: of the frame, and of the image. */
const OF_FRAME = ["t", "alpha", "sigma", "log_snr"];
const OF_STEP = ["noise", "change", "beta", "beta_tilde", "distance", "along"];
/** About how many pixels a picture of the filmstrip is wide, on the page and on a slide. */
const SIDE = { page: 56, slide: 160 };
/** How often a picture can be doubled. */
const MOST_ZOOM = 3;

const dialog = $("large-dialog");
const plot = new Plot($("large-plot"));
/** @type {{timeline: import("./timeline.js").Timeline, pick: (image: number) => void, name: (image: number) => string, changed: (look: {image: number, step: number | null} | undefined) => void}} */
let page;
/** From 0. */
let image = 0;
let kind = "x";
let zoom = 0;
/** The frames in the filmstrip, and the place of a column. @type {import("./timeline.js").Frame[]} */
let columns = [];
let column = (_x) => 0;

/** Bytes of the picture in a field of a frame. */
function bytesOf(frame, field, i = image) {
  const size = frame.height * frame.width * frame.channels;
  return frame[field]?.length ? frame[field].subarray(i * size, (i + 1) * size) : undefined;
}

/** Opens a picture. @param {number} i from 0 */
export function open(i) {
  if (!page.timeline.shown) return;
  image = Math.min(i, page.timeline.shown.images - 1);
  page.pick(image);
  if (!dialog.open) dialog.showModal();
  show();
}

export const isOpen = () => dialog.open;

/** Shows the picture at the step that the timeline has come to. */
export function show() {
  const { shown: frame, newest } = page.timeline;
  if (!dialog.open || !frame) return;
  image = Math.min(image, frame.images - 1);
  const { steps, step, width, height } = frame;
  say($("large-title"), "plain", { text: page.name(image) });
  say($("large-step"), steps === null ? "timeline.place.open" : "timeline.place", { step, steps });
  for (const button of dialog.querySelectorAll("[data-kind]")) button.setAttribute("aria-pressed", String(button.dataset.kind === kind));
  say($("large-kind"), bytesOf(frame, kind) ? `${KINDS[kind]}.hint` : "large.none");
  const canvas = $("large-picture");
  Object.assign(canvas, { width, height });
  canvas.getContext("2d").putImageData(picture(bytesOf(frame, kind), frame), 0, 0);
  const { clientWidth, clientHeight } = $("large-frame");
  const fit = Math.min(clientWidth / width, clientHeight / height);
  // Whole pixels a pixel, where there is room for one.
  canvas.style.width = `${width * Math.max(fit >= 1 ? Math.floor(fit) : fit, 0.05) * 2 ** zoom}px`;
  numbers(frame);
  strip();
  page.changed({ image: image + 1, step: frame === newest ? null : step });
}

function numbers(frame) {
  const own = frame.numbers?.[image] ?? {};
  const row = (name, value) => [el("dt", `large.${name}`), el("dd", "", {}, { textContent: figure(value) })];
  $("large-numbers").replaceChildren(...OF_FRAME.flatMap((name) => row(name, frame[name])), ...OF_STEP.flatMap((name) => row(name, own[name])));
  const frames = page.timeline.frames();
  const last = frames.at(-1)?.step ?? 0;
  const values = (name) => {
    const all = Array(last + 1).fill(null);
    for (const { step, numbers } of frames) all[step] = numbers?.[image]?.[name] ?? null;
    return all;
  };
  const curves = ["beta", "beta_tilde"].map((name) => ({ name, values: values(name) }));
  const [range] = plot.show([{ curves, log: true }], { steps: last, at: frame.step });
  $("large-curves").hidden = !range;
  if (range) say($("large-range"), "large.range", { low: figure(range[0]), high: figure(range[1]) });
}

/** The strip as it is to be drawn. */
function content() {
  const cells = (field) => columns.map((frame) => bytesOf(frame, field));
  const rows = Object.entries(ROWS).flatMap(([field, name]) => {
    const own = cells(field);
    const moved = { name: `Δ${name}`, cells: own.map((bytes, i) => changed(own[i - 1], bytes)) };
    return [{ name, cells: own }, ...($("large-changes").checked ? [moved] : [])];
  });
  return { title: page.name(image), columns: columns.map(({ step }) => String(step)), rows };
}

function strip() {
  const { shown } = page.timeline;
  columns = spread(page.timeline.frames());
  column = draw($("large-strip"), content(), { shape: shown, side: SIDE.page, marked: columns.findIndex(({ step }) => step === shown.step) });
}

/** The filmstrip as a PNG that a slide can show. */
async function film() {
  const canvas = document.createElement("canvas");
  draw(canvas, content(), { shape: page.timeline.shown, side: SIDE.slide });
  save(await signed(await encoded(canvas), run(), { image: image + 1, shows: "film" }), `unnoise-film-${image + 1}.png`);
}

/** The picture on show as a PNG. */
async function one() {
  const { step, done } = page.timeline.shown;
  const part = { image: image + 1, ...(done < 1 && { step }), ...(kind !== "x" && { shows: kind }) };
  return signed(await encoded($("large-picture")), run(), part);
}

async function keep() {
  const { step, done } = page.timeline.shown;
  const of = [`image-${image + 1}`, ...(done < 1 ? [`step-${step}`] : []), ...(kind === "x" ? [] : [kind])];
  save(await one(), named(run().settings, `-${of.join("-")}.png`));
}

const take = async () => say($("large-said"), (await copy(one())) ? "copied" : "copied.not");

/** Goes to another picture of the run, in a circle. */
function turn(by) {
  const { images } = page.timeline.shown;
  open((image + by + images) % images);
}

function magnify(by) {
  zoom = Math.min(Math.max(zoom + by, 0), MOST_ZOOM);
  $("large-less").disabled = zoom === 0;
  $("large-more").disabled = zoom === MOST_ZOOM;
  show();
}

/** Whether the arrow keys scroll what has the focus. */
function scrolls({ target }) {
  const box = target.closest(".frame, .strip");
  return box && (box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight);
}

function key(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, select")) return;
  if (event.key.startsWith("Arrow") && scrolls(event)) return;
  const ways = { ArrowUp: () => turn(-1), ArrowDown: () => turn(1), "+": () => magnify(1), "=": () => magnify(1), "-": () => magnify(-1) };
  if (event.key === " " && event.target.closest("button")) return;
  if (ways[event.key]) ways[event.key]();
  else if (!page.timeline.key(event.key)) return;
  event.preventDefault();
}

/** @param {typeof page} given `name` is of an image, `changed` hears what is looked at, and of nothing when it is over */
export function listen(given) {
  page = given;
  for (const button of dialog.querySelectorAll("[data-kind]")) {
    button.addEventListener("click", () => {
      kind = button.dataset.kind;
      show();
    });
  }
  $("large-before").addEventListener("click", () => turn(-1));
  $("large-after").addEventListener("click", () => turn(1));
  $("large-less").addEventListener("click", () => magnify(-1));
  $("large-more").addEventListener("click", () => magnify(1));
  $("large-changes").addEventListener("change", strip);
  $("large-save").addEventListener("click", film);
  $("large-keep").addEventListener("click", keep);
  $("large-copy").addEventListener("click", take);
  $("large-close").addEventListener("click", () => dialog.close());
  $("large-strip").addEventListener("click", ({ offsetX }) => {
    page.timeline.pause();
    page.timeline.seek(page.timeline.place(columns[column(offsetX)].step));
  });
  dialog.addEventListener("keydown", key);
  dialog.addEventListener("close", () => page.changed(undefined));
  new ResizeObserver(show).observe($("large-frame"));
  magnify(0);
}

/** The step on show is what a person starts from. */
export const close = () => dialog.close();
