/** A filmstrip: pictures in rows over the steps, with their names, on one canvas that a slide can show. */

import { css } from "./colours.js";
import { picture } from "./paint.js";

/** Room between pictures and around them, and the height of a line of text, in canvas pixels. */
const [GAP, EDGE, LINE] = [4, 10, 18];
const FONT = "13px system-ui, sans-serif";

/** As many steps as a strip has at most. */
const MOST = 16;

/** Steps at equal distances, with the first and the last. @template T @param {T[]} all @returns {T[]} */
export function spread(all, most = MOST) {
  const count = Math.min(all.length, most);
  return Array.from({ length: count }, (_, i) => all[Math.round((i * (all.length - 1)) / Math.max(count - 1, 1))]);
}

/** What changed from one picture to the next: grey where nothing did, lighter where it became lighter. */
export const changed = (before, after) => before && after && after.map((byte, i) => 128 + (byte - before[i]) / 2);

/**
 * @param {HTMLCanvasElement} canvas
 * @param {{title: string, columns: string[], rows: {name: string, cells: (Uint8Array | undefined)[]}[]}} film
 * @param {{shape: import("./paint.js").Shape, side: number, marked?: number}} how `side`: about how wide a picture is to be; `marked`: the column on show
 * @returns {(x: number) => number} the column at a place across
 */
export function draw(canvas, { title, columns, rows }, { shape, side, marked }) {
  const scale = Math.max(1, Math.round(side / shape.width));
  const [width, height] = [shape.width * scale, shape.height * scale];
  const context = canvas.getContext("2d");
  context.font = FONT;
  const left = EDGE + Math.ceil(Math.max(...rows.map(({ name }) => context.measureText(name).width))) + EDGE;
  canvas.width = Math.max(left + columns.length * (width + GAP) + EDGE, Math.ceil(context.measureText(title).width) + 2 * EDGE);
  canvas.height = EDGE + 2 * LINE + rows.length * (height + GAP) + EDGE;
  const [paper, ink, signal] = ["--paper", "--ink", "--signal"].map((name) => css(name));
  context.fillStyle = paper;
  context.fillRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { font: FONT, fillStyle: ink, textBaseline: "middle", imageSmoothingEnabled: false });
  context.fillText(title, EDGE, EDGE + LINE / 2);
  const across = (column) => left + column * (width + GAP);
  const down = (row) => EDGE + 2 * LINE + row * (height + GAP);
  context.textAlign = "center";
  columns.forEach((name, i) => context.fillText(name, across(i) + width / 2, EDGE + 1.5 * LINE, width + GAP));
  context.textAlign = "left";
  const cell = new OffscreenCanvas(shape.width, shape.height);
  const pen = cell.getContext("2d");
  rows.forEach(({ name, cells }, row) => {
    context.fillText(name, EDGE, down(row) + height / 2);
    cells.forEach((bytes, column) => {
      pen.putImageData(picture(bytes, shape), 0, 0);
      context.drawImage(cell, across(column), down(row), width, height);
    });
  });
  if (marked >= 0) {
    Object.assign(context, { strokeStyle: signal, lineWidth: 2 });
    context.strokeRect(across(marked) - 2, down(0) - 2, width + 4, rows.length * (height + GAP) - GAP + 4);
  }
  return (x) => Math.min(Math.max(Math.floor((x - left) / (width + GAP)), 0), columns.length - 1);
}
