/** Which word looks where: a layer of heat over the pictures, for the word that is chosen and the step on show. */

import { $ } from "./dom.js";
import { el, hush, number, say } from "./strings.js";

/** The colours of no weight, half the largest and the largest, with how much each covers. */
const HEAT = [
  [60, 20, 110, 0.05],
  [225, 60, 70, 0.5],
  [255, 215, 70, 0.85],
];

const layers = [...document.querySelectorAll(".heat")].map((canvas) => ({ canvas, context: canvas.getContext("2d") }));
/** The words of the run on show, and of the one that was begun last. @type {string[]} */
let words = [];
let next = [];
/** The word that is chosen, or -1. */
let chosen = -1;
/** The word that the hint speaks of. @type {string | undefined} */
let told;
/** The largest weight that each word has had in the run. @type {number[]} */
let most = [];
/** The sum of the maps of all steps, and how many there are. @type {{maps?: Float32Array, steps: number}} */
let sum = { steps: 0 };
/** The frame on show, and the sheet that it lies on. @type {import("./timeline.js").Frame | undefined} */
let shown;
let sheet;

/** A weight as it is, from the byte of a frame. */
const weight = (byte) => (byte / 255) ** 2;

/** Whether runs are to say where they look. */
export const wanted = () => !$("attention").hidden && $("attention").open;

/** Only a model that reads texts looks at words. @param {boolean} reads */
export function offer(reads) {
  $("attention").hidden = !reads;
  draw();
}

/** A run begins. @param {Promise<{words: string[]}> | undefined} tokens how it reads its prompt, if it says where it looks */
export function begin(tokens) {
  const mine = (next = []);
  tokens?.then(
    (read) => {
      mine.push(...read.words);
      if (words === mine) list();
    },
    () => {}, // the run itself says what is wrong
  );
}

/** Takes in the next frame of a run. @param {import("./timeline.js").Frame} frame */
export function add(frame) {
  if (frame.step === 0) {
    words = next;
    most = [];
    sum = { steps: 0 };
    list();
  }
  const { attention } = frame;
  if (!attention) return;
  sum.maps ??= new Float32Array(attention.length);
  sum.steps += 1;
  const places = frame.attention_height * frame.attention_width;
  const count = attention.length / (frame.images * places);
  for (let i = 0; i < attention.length; i += 1) {
    const value = weight(attention[i]);
    const word = Math.floor(i / places) % count;
    sum.maps[i] += value;
    if (!(most[word] >= value)) most[word] = value;
  }
}

/** Lays the map of the chosen word over a frame. @param {import("./timeline.js").Frame} frame @param {import("./paint.js").Sheet} on */
export function show(frame, on) {
  shown = frame;
  sheet = on;
  draw();
}

/** The weights of the chosen word, of the step on show or of all steps so far. */
function maps({ attention, attention_height, attention_width, images }) {
  const size = attention_height * attention_width;
  const count = attention.length / (images * size);
  const mean = $("attention-mean").checked;
  const value = (i) => (mean ? sum.maps[i] / sum.steps : weight(attention[i]));
  return (word) => Array.from({ length: images }, (_, image) => Float32Array.from({ length: size }, (_, place) => value((image * count + word) * size + place)));
}

function draw() {
  const there = wanted() && Boolean(shown?.attention) && words.length > 0;
  for (const { canvas } of layers) canvas.hidden = !there || chosen < 0;
  explain(there);
  if (!there) return;
  const of = maps(shown);
  const mean = (all) => all.flatMap((map) => [...map]).reduce((total, value, _, { length }) => total + value / length, 0);
  for (const [word, chip] of [...$("attention-words").children].entries()) {
    chip.firstChild.setAttribute("aria-pressed", String(word === chosen));
    say(chip.querySelector("small"), "attention.share", { percent: () => number(100 * mean(of(word)), 0) });
  }
  if (chosen >= 0) for (const layer of layers) paint(layer, of(chosen));
}

/** What is to be done, where nothing is to be seen; said once, and not at each step. */
function explain(there) {
  const word = there ? words[chosen] : undefined;
  const key = there ? (word === undefined ? "attention.choose" : "attention.hint") : nothing();
  if (key !== $("attention-hint").dataset.i18n || word !== told) key ? say($("attention-hint"), key, { word }) : hush($("attention-hint"));
  told = word;
  $("attention-run").hidden = there || !shown || words.length > 0;
}

/** Why there is nothing to see. */
function nothing() {
  if (!wanted() || !shown) return undefined;
  return shown.step === 0 && words.length > 0 ? "attention.noise" : "attention.again";
}

/** @param {Float32Array[]} all the map of each picture */
function paint({ canvas, context }, all) {
  const { width, height } = sheet.canvas;
  Object.assign(canvas, { width, height });
  context.imageSmoothingEnabled = true;
  const small = new OffscreenCanvas(shown.attention_width, shown.attention_height);
  const largest = most[chosen] || 1;
  for (const [image, map] of all.entries()) {
    const data = new ImageData(small.width, small.height);
    map.forEach((value, i) => data.data.set(heat(value / largest), 4 * i));
    small.getContext("2d").putImageData(data, 0, 0);
    const box = sheet.box(image);
    context.drawImage(small, box.left * width, box.top * height, box.width * width, box.height * height);
  }
}

/** The colour of a weight from 0 to 1, with its alpha. */
function heat(value) {
  const at = Math.min(value, 1) * (HEAT.length - 1);
  const [from, to] = [HEAT[Math.floor(at)], HEAT[Math.ceil(at)]];
  const [red, green, blue, alpha] = from.map((channel, i) => channel + (to[i] - channel) * (at - Math.floor(at)));
  return [red, green, blue, 255 * alpha];
}

/** The words as buttons. What was chosen before stays chosen, if the prompt still has it. */
function list() {
  const before = $("attention-words").querySelector("[aria-pressed=true] span")?.textContent;
  chosen = words.indexOf(before);
  const chip = (word, i) => {
    const item = document.createElement("li");
    const button = el("button", "", {}, { type: "button" });
    button.append(el("span", "plain", { text: word }), document.createElement("small"));
    button.setAttribute("aria-pressed", "false");
    button.addEventListener("click", () => {
      chosen = chosen === i ? -1 : i;
      draw();
    });
    item.append(button);
    return item;
  };
  $("attention-words").replaceChildren(...words.map(chip));
  draw();
}

/** @param {{run: () => void}} page `run` draws the pictures on show once more */
export function listen({ run }) {
  $("attention").addEventListener("toggle", draw);
  $("attention-mean").addEventListener("change", draw);
  $("attention-run").addEventListener("click", run);
}
