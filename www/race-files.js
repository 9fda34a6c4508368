/** What a race leaves: a picture of its board, and a table of numbers. */

import { css } from "./colours.js";
import { encoded } from "./paint.js";
import { power } from "./race-board.js";
import { t } from "./strings.js";

/** Pixels: around, between parts, of a line of text; the least side of a picture. */
const [MARGIN, GAP, LINE, LEAST] = [20, 12, 20, 96];
const WIDTH = 960;
const FONT = "13px system-ui, sans-serif";

/** @param {import("./race-board.js").Board} board @returns {Blob} */
export const csv = (board) => new Blob([board.result.csv], { type: "text/csv" });

/** Curves, ranking and pictures in the page's colours. @param {import("./race-board.js").Board} board @returns {Promise<Blob>} */
export function png(board) {
  const plot = board.chart.frame.querySelector("canvas");
  const { rows } = board.result;
  const { evaluations } = board.plan0;
  const figures = Object.values(board.figures).filter(({ box }) => !box.hidden);
  const inside = WIDTH - 2 * MARGIN;
  const high = Math.round((inside * plot.height) / plot.width);
  const zoom = Math.max(1, ...figures.map(({ canvas }) => Math.ceil(LEAST / canvas.width)));
  const widest = Math.max(...figures.map(({ canvas }) => zoom * canvas.width), 220);
  const across = Math.max(1, Math.floor((inside + GAP) / (widest + GAP)));
  const tall = Math.max(0, ...figures.map(({ canvas }) => zoom * canvas.height)) + LINE + GAP;
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(WIDTH, 2 * MARGIN + widest);
  canvas.height = 2 * MARGIN + 2 * LINE + high + GAP + (rows.length + 2) * LINE + GAP + Math.ceil(figures.length / across) * tall;
  const context = canvas.getContext("2d");
  context.fillStyle = css("--paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { font: FONT, textBaseline: "top", fillStyle: css("--ink"), imageSmoothingEnabled: false });
  const write = (text, left, top, room = inside) => context.fillText(text, left, top, room);
  let top = MARGIN;
  write(`${t("race.up")} · ${t("race.across")}`, MARGIN, top);
  context.imageSmoothingEnabled = true;
  context.drawImage(plot, MARGIN, (top += LINE), inside, high);
  context.imageSmoothingEnabled = false;
  top += high + GAP;
  // The table: the colour of the curve, the name, a column for each number of evaluations, and the measured order.
  const column = (i) => MARGIN + 220 + i * Math.min(90, (inside - 220) / (evaluations.length + 1));
  [...evaluations.map(String), t("race.measured")].forEach((text, i) => write(text, column(i), top, 85));
  for (const [place, { sampler, distances, order }] of rows.entries()) {
    top += LINE;
    context.fillStyle = css(board.colour(sampler));
    context.fillRect(MARGIN, top + 6, 18, 3);
    context.fillStyle = css("--ink");
    write(`${place + 1}. ${board.names[sampler]}`, MARGIN + 26, top, 185);
    [...distances.map(power), order === null ? "" : order.toFixed(1)].forEach((text, i) => write(text, column(i), top, 85));
  }
  top += LINE + GAP;
  for (const [i, { canvas: sheet, caption }] of figures.entries()) {
    const [left, upper] = [MARGIN + (i % across) * (widest + GAP), top + Math.floor(i / across) * tall];
    context.drawImage(sheet, left, upper + LINE, zoom * sheet.width, zoom * sheet.height);
    write(caption.textContent, left, upper, widest);
  }
  return encoded(canvas);
}
