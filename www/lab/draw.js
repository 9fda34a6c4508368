/** Data of one's own: drawn with a mouse or a finger, pasted as numbers, or drawn at random from the dark of a picture. */

import { UnnoiseError } from "../../pkg/index.js";
import { $ } from "../dom.js";
import { css, DOTS, onTheme } from "../colours.js";
import { HALF } from "./plane.js";

/** Points that a link can carry. */
const MOST = 2000;
/** Points that a step of a stroke leaves behind, and how far they scatter (units of the data). */
const BRUSH = { points: 3, spread: 0.12 };
/** How far an arrow key moves the pen, and with Shift (units of the data). */
const STRIDE = { long: 0.4, short: 0.1 };
const WAYS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
/** Points that are drawn from a picture, which is first brought to this size. */
const PICTURE = { points: 1500, side: 96 };

/** @type {{x: number, y: number, label: number}[]} */
let points = [];
/** The component that is drawn now. */
let pen = 0;
/** The points that the link has, if they are those on the pad. */
let shared = "";
/** Where the keyboard holds the pen. */
let held = [0, 0];
let lab;
const pad = $("lab-pad");

/** @param {import("./view.js").Lab} given */
export function listen(given) {
  lab = given;
  pad.addEventListener("pointerdown", (event) => {
    pad.setPointerCapture(event.pointerId);
    dab(under(event));
  });
  pad.addEventListener("pointermove", (event) => event.buttons && dab(under(event)));
  pad.addEventListener("keydown", key);
  for (const change of ["focus", "blur"]) pad.addEventListener(change, draw);
  $("lab-pens").addEventListener("change", () => (pen = Number(document.querySelector("[name=lab-pen]:checked").value)));
  $("lab-pad-clear").addEventListener("click", () => put([]));
  $("lab-pad-use").addEventListener("click", () => attempt(use));
  $("lab-csv-use").addEventListener("click", () => attempt(paste));
  $("lab-picture").addEventListener("change", () => {
    attempt(() => develop($("lab-picture").files[0]));
  });
  onTheme(draw);
}

/** Draws what there is. */
export function draw() {
  const size = pad.width;
  const context = pad.getContext("2d");
  context.clearRect(0, 0, size, size);
  for (const { x, y, label } of points) {
    context.fillStyle = css(DOTS[label % DOTS.length]);
    context.fillRect(across(x) - 1.5, across(-y) - 1.5, 3, 3);
  }
  if (!pad.matches(":focus-visible")) return;
  const [x, y] = [across(held[0]), across(-held[1])];
  context.fillStyle = css("--ink");
  context.fillRect(x - 7, y - 1, 14, 2);
  context.fillRect(x - 1, y - 7, 2, 14);
}

/** Puts the points of a link on the pad, unless they come from it. @param {string} packed */
export async function load(packed) {
  if (packed === shared) return;
  shared = packed;
  const { points, labels } = await lab.engine.unpack(packed);
  put(points.map(([x, y], i) => ({ x, y, label: labels[i] })));
}

/** From the units of the data to pixels of the pad. */
const across = (value) => (0.5 + value / (2 * HALF)) * pad.width;

function put(all) {
  points = all.slice(-MOST);
  draw();
}

/** Where the pointer is (units of the data). */
function under({ clientX, clientY }) {
  const box = pad.getBoundingClientRect();
  return [((clientX - box.left) / box.width - 0.5) * 2 * HALF, (0.5 - (clientY - box.top) / box.height) * 2 * HALF];
}

/** Leaves some points at a place. */
function dab([x, y]) {
  const near = (middle) => within(middle + BRUSH.spread * (Math.random() + Math.random() + Math.random() - 1.5) * 2);
  put([...points, ...Array.from({ length: BRUSH.points }, () => ({ x: near(x), y: near(y), label: pen }))]);
}

const within = (value) => Math.min(Math.max(value, -HALF), HALF);

/** Arrow keys move the pen, Space and Enter draw. */
function key(event) {
  const way = WAYS[event.key];
  if (!way && ![" ", "Enter"].includes(event.key)) return;
  event.preventDefault();
  event.stopPropagation(); // they play and scrub elsewhere
  if (!way) return dab(held);
  const stride = event.shiftKey ? STRIDE.short : STRIDE.long;
  held = held.map((value, i) => within(value + stride * way[i]));
  draw();
}

/** Takes the points on the pad as the data. */
async function use() {
  if (points.length === 0) throw new UnnoiseError("lab-empty");
  const labels = Uint8Array.from(points, ({ label }) => label);
  await take(Float32Array.from(points.flatMap(({ x, y }) => [x, y])), labels);
}

async function take(places, labels) {
  shared = await lab.engine.pack(places, labels);
  lab.own(shared);
}

async function paste() {
  const { points, labels } = await lab.engine.csv($("lab-csv").value);
  put(points.map(([x, y], i) => ({ x, y, label: labels[i] ?? 0 })));
  await use();
}

/** Draws points from the dark parts of a picture. */
async function develop(file) {
  $("lab-picture").value = ""; // the same file may be chosen again
  if (!file) return;
  const picture = await createImageBitmap(file).catch(() => {
    throw new UnnoiseError("not-a-picture", { file: file.name });
  });
  const zoom = PICTURE.side / Math.max(picture.width, picture.height);
  const [width, height] = [picture.width, picture.height].map((side) => Math.max(Math.round(side * zoom), 1));
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillStyle = "white"; // where the picture is clear, nothing is to be
  context.fillRect(0, 0, width, height);
  context.drawImage(picture, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  const grey = Uint8Array.from({ length: width * height }, (_, i) => 0.299 * data[4 * i] + 0.587 * data[4 * i + 1] + 0.114 * data[4 * i + 2]);
  const places = await lab.engine.image(grey, width, height, PICTURE.points, Number(lab.settings.seed));
  put(Array.from({ length: places.length / 2 }, (_, i) => ({ x: places[2 * i], y: places[2 * i + 1], label: 0 })));
  await use();
}

/** Says in words what went wrong. */
async function attempt(work) {
  lab.clear();
  await work().catch(lab.tell);
}
