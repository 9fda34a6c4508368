/** A picture to start from, and the part of it that is to stay. A small one travels in the link. */

import { UnnoiseError, fit_picture, read_start, write_start } from "../pkg/index.js";
import { $ } from "./dom.js";
import * as made from "./made.js";
import * as placing from "./placing.js";
import { say } from "./strings.js";

/** Radius of the brush, in pixels of the model: a share of the width, as the slider has it, and a pixel at least. */
const brush = ({ width }) => Math.max(1, (width * Number($("start-brush").value)) / 200);
/** How many changes of the part that stays can be taken back. */
const UNDO = 50;
/** What lies over the part that stays: the colour of signal, as everywhere on the page. */
const VEIL = [255, 130, 50];

/** @typedef {{channels: number, height: number, width: number, background: number[]}} Size what transparent parts are laid on is the model's to say */

/** @type {Size} */
let size = { channels: 1, height: 28, width: 28, background: [0, 0, 0] };
/** The picture, `[height, width, channels]`, if there is one. @type {Uint8Array | undefined} */
let picture;
/** The picture of the file that it was made of, in red, green, blue and alpha. @type {{data: Uint8Array, width: number, height: number} | undefined} */
let original;
/** 255 where the picture is to stay, `[height, width]`. @type {Uint8Array} */
let mask = new Uint8Array(0);
/** What stayed before each change. @type {Uint8Array[]} */
let earlier = [];
/** The stroke under way: where it is, and whether it keeps (255) or takes back (0). */
let stroke = { x: 0, y: 0, value: 255 };
/** What the page does about a picture that came or went, about one that cannot be read, and about what was dropped and is no picture. */
let page = { changed: () => {}, failed: () => {}, dropped: (_dropped) => false };

const canvas = $("start-picture");

/** What the engine is to be given. */
export const given = () => ({ picture, mask: picture && mask.some(Boolean) ? mask : undefined });

/** The same as the setting `start` has it. */
export const written = () => (picture ? write_start(picture, given().mask, size) : null);

/** Takes over the picture of a link, or of a run that was kept, or that there is none. @param {string} start the setting @param {Size & {picture: Uint8Array, mask?: Uint8Array} | undefined} [begun] */
export function adopt(start, begun = read_start(start)) {
  if (begun) size = { ...size, channels: begun.channels, height: begun.height, width: begun.width };
  picture = begun?.picture;
  mask = begun?.mask ?? new Uint8Array(size.height * size.width);
  [original, earlier] = [undefined, []];
  show();
}

/** Puts back what a run of this model began with. @param {import("./shown.js").Begun} begun */
export function restore(begun) {
  if (begun.picture !== picture) original = undefined;
  picture = begun.picture;
  mask = begun.mask ?? new Uint8Array(size.height * size.width);
  earlier = [];
  show();
}

/** Another model may have pictures of another size. @param {Size} about @returns {boolean} whether the picture had to go */
export function fit(about) {
  const lost = Boolean(picture) && !fits(about);
  if (lost || !picture) [mask, earlier] = [new Uint8Array(about.height * about.width), []];
  if (lost) picture = original = undefined;
  size = about;
  show();
  return lost;
}

/** Whether a picture has the model's size. @param {Size} other */
export const fits = (other) => ["channels", "height", "width"].every((side) => other[side] === size[side]);

/** The size of a picture. */
export const wanted = () => size;

/** Takes a picture, or none. @param {Uint8Array | undefined} bytes `[height, width, channels]` @param {typeof original} [of] what it was made of */
export function take(bytes, of) {
  [picture, original] = [bytes, of];
  [mask, earlier] = [new Uint8Array(size.height * size.width), []];
  show();
  page.changed();
}

/** Goes on without a picture. */
export const remove = () => take(undefined);

/** Takes a file, fitted to the model's size. Throws a fault when it is no picture. */
async function read(file) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new UnnoiseError("not-a-picture", { file: file.name });
  });
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  place({ data: new Uint8Array(data.buffer), width, height });
}

/** What the command line does with a picture of any size, or with one that is transparent in places. */
function place(file) {
  take(fit_picture(file.data, file.width, file.height, size, placing.chosen()), file);
}

/** Brings the picture of the file to its size anew. */
export const refit = () => original && place(original);

/** Keeps a part of the picture: one of `left`, `right`, `top`, `bottom`, `none`. */
function keep(part) {
  const { height, width } = size;
  const inside = {
    left: (x) => x < width / 2,
    right: (x) => x >= width / 2,
    top: (_, y) => y < height / 2,
    bottom: (_, y) => y >= height / 2,
    none: () => false,
  }[part];
  change((_, p) => (inside(p % width, Math.floor(p / width)) ? 255 : 0));
}

/** Remembers what stays, to be taken back. */
function remember() {
  earlier = [...earlier, mask].slice(-UNDO);
}

/** Changes what stays, pixel by pixel. @param {(value: number, pixel: number) => number} to */
function change(to) {
  remember();
  mask = mask.map(to);
  show();
  page.changed();
}

/** Takes the last change of what stays back. */
function undo() {
  mask = earlier.pop();
  show();
  page.changed();
}

/** Shows the picture with what stays. */
function show() {
  $("start-tools").hidden = $("start-settings").hidden = !picture;
  placing.show(original, size);
  if (!picture) return say($("start-note"), "start.hint");
  const { channels, height, width } = size;
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let p = 0; p < width * height; p += 1) {
    for (let c = 0; c < 3; c += 1) {
      const value = picture[channels * p + Math.min(c, channels - 1)];
      image.data[4 * p + c] = mask[p] ? (value + VEIL[c]) / 2 : value;
    }
    image.data[4 * p + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  const masked = mask.some(Boolean);
  say($("start-note"), masked ? "start.masked" : "start.whole");
  $("start-seams").hidden = !masked;
  $("start-undo").disabled = !earlier.length;
}

/** Where on the picture the pointer is, in pixels. */
function pointed({ clientX, clientY }) {
  const box = canvas.getBoundingClientRect();
  return { x: ((clientX - box.left) / box.width) * size.width - 0.5, y: ((clientY - box.top) / box.height) * size.height - 0.5 };
}

/** Begins a stroke: on what stays already, it takes back. */
function press(event) {
  canvas.setPointerCapture(event.pointerId);
  const { x, y } = pointed(event);
  const pixel = Math.round(y) * size.width + Math.round(x);
  stroke = { x, y, value: mask[pixel] ? 0 : 255 };
  remember();
  paint(event);
}

/** Paints the line from where the stroke was to where the pointer is. */
function paint(event) {
  const { x, y, value } = stroke;
  const to = pointed(event);
  const [dx, dy] = [to.x - x, to.y - y];
  const length = dx * dx + dy * dy || 1;
  const radius = brush(size);
  mask = mask.map((before, p) => {
    const [px, py] = [(p % size.width) - x, Math.floor(p / size.width) - y];
    const along = Math.min(Math.max((px * dx + py * dy) / length, 0), 1);
    return Math.hypot(px - along * dx, py - along * dy) <= radius ? value : before;
  });
  stroke = { ...to, value };
  show();
}

/** A file may be dropped anywhere: a browser would leave the page for it. What is no picture is a model's. */
function receive() {
  const carries = ({ dataTransfer }) => dataTransfer?.types.includes("Files");
  const mark = (over) => document.documentElement.classList.toggle("dropping", over);
  addEventListener("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    mark(true);
  });
  addEventListener("dragleave", ({ relatedTarget }) => relatedTarget === null && mark(false));
  addEventListener("drop", (event) => {
    mark(false);
    if (!carries(event)) return;
    event.preventDefault();
    if (!page.dropped(event.dataTransfer)) came(event.dataTransfer.files[0]);
  });
  addEventListener("paste", (event) => {
    const { files, types } = event.clipboardData ?? {};
    // Programs that copy a text put a picture of it beside it.
    const typed = event.target.closest?.("input, textarea") && types?.includes("text/plain");
    if (!files?.length || typed) return;
    event.preventDefault();
    came(files[0]);
  });
}

/** A file came from a person: where a run begins, unless it says how it was made and the person wants that. */
const came = (file) => file && !$("pictures").hidden && made.offer(file, open).catch(page.failed);

/** Whether a run can begin with a picture now. */
export const ready = () => !$("fields").disabled;

function open(file) {
  if (!ready()) return;
  $("start").open = true;
  read(file).catch(page.failed);
}

/**
 * Makes the form's part work.
 * @param {{changed: () => void, failed: (fault: unknown) => void, dropped: (dropped: DataTransfer) => boolean, onStage: () => Uint8Array | undefined, repaint: () => void}} given
 * `changed` hears that the picture or the part that stays is another, `dropped` takes what it has a use for, `repaint` chooses the sampler that joins both parts
 */
export function listen(given) {
  page = given;
  $("start-file").addEventListener("change", () => {
    came($("start-file").files[0]);
    $("start-file").value = ""; // the same file may be chosen again
  });
  $("start-take").addEventListener("click", () => take(given.onStage()));
  $("start-remove").addEventListener("click", () => {
    remove();
    $("start-take").focus(); // the button that had the focus is gone
  });
  $("start-undo").addEventListener("click", () => {
    undo();
    if ($("start-undo").disabled) $("start-invert").focus(); // a button that is disabled has no focus
  });
  $("start-invert").addEventListener("click", () => change((value) => 255 - value));
  $("start-repaint").addEventListener("click", given.repaint);
  for (const button of document.querySelectorAll("[data-keep]")) button.addEventListener("click", () => keep(button.dataset.keep));
  canvas.addEventListener("pointerdown", press);
  canvas.addEventListener("pointermove", (event) => event.buttons && paint(event));
  canvas.addEventListener("pointerup", () => page.changed()); // not at each move: browsers limit how often an address may change
  receive();
  show();
}
