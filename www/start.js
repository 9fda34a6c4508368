/** A picture to start from, and the part of it that is to stay: both live in this tab only, not in the link. */

import { Fault } from "./fault.js";
import { say } from "./strings.js";

const $ = (id) => document.getElementById(id);
/** Radius of the brush, in pixels of the model: small pictures want a fine one. */
const brush = ({ width }) => Math.max(1, width / 14);

/** @typedef {{channels: number, height: number, width: number}} Size */

/** @type {Size} */
let size = { channels: 1, height: 28, width: 28 };
/** The picture, `[height, width, channels]`, if there is one. @type {Uint8Array | undefined} */
let picture;
/** 255 where the picture is to stay, `[height, width]`. @type {Uint8Array} */
let mask = new Uint8Array(0);

const canvas = $("start-picture");

/** What the engine is to be given. */
export const given = () => ({ picture, mask: picture && mask.some(Boolean) ? mask : undefined });

/** Another model may have pictures of another size. @param {Size} about */
export function fit(about) {
  const { channels, height, width } = about;
  const same = channels === size.channels && height === size.height && width === size.width;
  size = { channels, height, width };
  if (!same) clear();
}

export function clear() {
  picture = undefined;
  show();
}

/** Takes a picture of the stage. @param {Uint8Array} bytes `[height, width, channels]` */
export function take(bytes) {
  picture = bytes;
  mask = new Uint8Array(size.height * size.width);
  show();
}

/** Takes a file, fitted to the model's size. Throws a fault when it is no picture. */
export async function read(file) {
  const bitmap = await createImageBitmap(file).catch(() => {
    throw new Fault("not-a-picture", { file: file.name });
  });
  const { width, height, channels } = size;
  const context = new OffscreenCanvas(width, height).getContext("2d");
  context.fillRect(0, 0, width, height);
  // As large as it must be to cover everything, in the middle.
  const scale = Math.max(width / bitmap.width, height / bitmap.height);
  const [w, h] = [bitmap.width * scale, bitmap.height * scale];
  context.drawImage(bitmap, (width - w) / 2, (height - h) / 2, w, h);
  bitmap.close();
  const { data } = context.getImageData(0, 0, width, height);
  const bytes = new Uint8Array(width * height * channels);
  for (let p = 0; p < width * height; p += 1) {
    const colour = data.subarray(4 * p, 4 * p + 3);
    if (channels === 1) bytes[p] = 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]; // Rec. 601, as Pillow's "L"
    else bytes.set(colour, channels * p);
  }
  take(bytes);
}

/** Keeps a part of the picture: one of `left`, `right`, `top`, `none`. */
function keep(part) {
  const { height, width } = size;
  const inside = { left: (x) => x < width / 2, right: (x) => x >= width / 2, top: (x, y) => y < height / 2, none: () => false }[part];
  mask = mask.map((_, p) => (inside(p % width, Math.floor(p / width)) ? 255 : 0));
  show();
}

function show() {
  $("start-tools").hidden = !picture;
  $("strength-field").hidden = !picture;
  if (!picture) return say($("start-note"), "start.hint");
  const { channels, height, width } = size;
  Object.assign(canvas, { width, height });
  const image = new ImageData(width, height);
  for (let p = 0; p < width * height; p += 1) {
    for (let c = 0; c < 3; c += 1) image.data[4 * p + c] = picture[channels * p + Math.min(c, channels - 1)];
    image.data[4 * p + 3] = 255;
    if (mask[p]) image.data[4 * p + 1] = 255 - (255 - image.data[4 * p + 1]) / 2; // a green veil over what stays
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  say($("start-note"), mask.some(Boolean) ? "start.masked" : "start.whole");
}

/** Paints over the place that the pointer is at. */
function paint(event) {
  const box = canvas.getBoundingClientRect();
  const { height, width } = size;
  const x = ((event.clientX - box.left) / box.width) * width - 0.5;
  const y = ((event.clientY - box.top) / box.height) * height - 0.5;
  const radius = brush(size);
  mask = mask.map((value, p) => (Math.hypot((p % width) - x, Math.floor(p / width) - y) <= radius ? 255 : value));
  show();
}

/**
 * Makes the form's part work.
 * @param {{failed: (fault: unknown) => void, onStage: () => Uint8Array | undefined}} page
 */
export function listen({ failed, onStage }) {
  const open = (file) => file && read(file).catch(failed);
  $("start-file").addEventListener("change", () => open($("start-file").files[0]));
  $("start-take").addEventListener("click", () => {
    const bytes = onStage();
    if (bytes) take(bytes);
  });
  $("start-remove").addEventListener("click", clear);
  for (const button of document.querySelectorAll("[data-keep]")) button.addEventListener("click", () => keep(button.dataset.keep));
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    paint(event);
  });
  canvas.addEventListener("pointermove", (event) => event.buttons && paint(event));
  $("stage").addEventListener("dragover", (event) => event.preventDefault());
  $("stage").addEventListener("drop", (event) => {
    event.preventDefault();
    $("start").open = true;
    open(event.dataTransfer.files[0]);
  });
  show();
}
