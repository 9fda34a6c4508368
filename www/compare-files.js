/** What a grid leaves: a picture with labelled axes, and a table of numbers. */

import { grid_csv } from "../pkg/index.js";
import { encoded } from "./paint.js";
import { t } from "./strings.js";
import { named, worded } from "./worded.js";

/** Pixels: around, between cells, of a line of text; the least width of a cell, so that its title has room. */
const [MARGIN, GAP, LINE, LEAST] = [16, 8, 20, 96];
const FONT = "13px system-ui, sans-serif";

/** @param {import("./compare-cells.js").Cells} cells @returns {Blob} */
export const csv = (cells, settings) => new Blob([grid_csv(settings, cells.measured())], { type: "text/csv" });

/** The grid at its clock's place, dark on white. @param {import("./compare-cells.js").Cells} cells @param {import("../pkg/index.js").Grid} plan @returns {Promise<Blob>} */
export function png(cells, { x, y }) {
  const canvas = document.createElement("canvas");
  const context = canvas.getContext("2d");
  context.font = FONT;
  const [columns, rows] = [x?.values ?? [""], y?.values ?? [""]];
  const texts = (axis, values) => (axis ? values.map((value) => String(worded(axis.key, value, cells.controls))) : []);
  const [across, down] = [texts(x, columns), texts(y, rows)];
  const drawn = cells.all.filter(({ frames }) => frames.length);
  const widest = Math.max(...drawn.map(({ canvas: { width } }) => width));
  // Whole canvas pixels a picture pixel, so that none is blurred.
  const zoom = Math.max(1, Math.ceil(LEAST / widest));
  const width = zoom * widest;
  const height = zoom * Math.max(...drawn.map(({ canvas }) => canvas.height));
  const head = x ? 2 * LINE : 0;
  const side = y ? Math.max(...[t(named(y.key)), ...down].map((text) => context.measureText(text).width)) + 2 * GAP : 0;
  canvas.width = Math.ceil(2 * MARGIN + side + columns.length * (width + GAP) - GAP);
  canvas.height = 2 * MARGIN + head + rows.length * (height + GAP) - GAP;
  Object.assign(context, { fillStyle: "#fff", imageSmoothingEnabled: false });
  context.fillRect(0, 0, canvas.width, canvas.height);
  Object.assign(context, { font: FONT, fillStyle: "#111", textBaseline: "top" });
  const left = (column) => Math.ceil(MARGIN + side) + column * (width + GAP);
  const top = (row) => MARGIN + head + row * (height + GAP);
  if (x) context.fillText(t(named(x.key)), left(0), MARGIN);
  if (y) context.fillText(t(named(y.key)), MARGIN, x ? MARGIN + LINE : MARGIN);
  across.forEach((text, column) => context.fillText(text, left(column), MARGIN + LINE, width));
  down.forEach((text, row) => context.fillText(text, MARGIN, top(row) + (x ? 0 : LINE)));
  for (const { canvas: cell, plan } of drawn) context.drawImage(cell, left(plan.column), top(plan.row), zoom * cell.width, zoom * cell.height);
  return encoded(canvas);
}
