/** Compare: a grid of runs whose axes are settings, drawn cell by cell, the cheapest first. */

import { UnnoiseError, grid, write_link } from "../pkg/index.js";
import { Axis } from "./compare-axis.js";
import { Cells } from "./compare-cells.js";
import * as files from "./compare-files.js";
import { duration } from "./cost.js";
import { Dialog } from "./dialog.js";
import { save, signed } from "./saved.js";
import { share } from "./share.js";
import { el, say, t } from "./strings.js";

/** @typedef {import("./beyond.js").Page} Page */

/** @type {Page} */
let page;
/** @type {Dialog} */
let dialog;
/** @type {{x: Axis, y: Axis}} */
let axes;
/** @type {Cells} */
let cells;
/** The grid that the axes make. @type {import("../pkg/index.js").Grid} */
let plan;
/** @type {AbortController | undefined} */
let running;
/** Milliseconds of an evaluation of one picture, as soon as one is known; of the chosen model. */
let pace = NaN;

/** @type {Record<string, HTMLButtonElement>} */
let buttons;
/** @type {HTMLProgressElement} */
let bar;
const said = el("p", "", {}, { className: "hint", role: "status" });

/** @param {Page} given */
export function open(given) {
  page = given;
  if (!dialog) build();
  pace = page.pace() ?? pace;
  for (const axis of Object.values(axes)) axis.show(page.controls);
  if (!plan) axes.x.suggest();
  dialog.show();
  planned();
}

/** Draws the grid of a link. @param {Page} given */
export function begin(given) {
  open(given);
  return run();
}

function build() {
  dialog = new Dialog("compare", { closed });
  axes = { x: new Axis("x", set), y: new Axis("y", set) };
  cells = new Cells({ open: take });
  const acts = Object.entries({ run, stop, png: picture, csv: table, share: give });
  let row;
  ({ buttons, row, bar } = dialog.actions(Object.fromEntries(acts.map(([key, act]) => [key, { text: `compare.${key}`, act }]))));
  dialog.fill(axes.x.box, axes.y.box, said, row, dialog.shared("compare-"), bar, cells.box);
}

/** Takes what a person wants of an axis. @returns {import("../pkg/index.js").Problem | undefined} why it cannot be had */
function set(key, value) {
  stop();
  const refused = page.controls.set(key, value || null);
  if (!refused) planned();
  return refused;
}

/** What the axes make, and what it costs. */
function planned() {
  const { settings, models, facts } = page.controls;
  plan = grid(settings, models, facts);
  cells.plan(plan, page.controls);
  idle();
  cost();
}

/** Whether a cell can be drawn and is not. */
const due = ({ problem }) => !problem;

/** Says what is left to draw: cells, evaluations, and the time that they take, as far as it is known. */
function cost(left = plan.cells.filter(due)) {
  const refused = plan.cells.filter(({ problem }) => problem).length;
  const evaluations = left.reduce((sum, cell) => sum + (cell.evaluations ?? 0), 0);
  const open = left.some((cell) => cell.evaluations === null);
  const images = Number(page.controls.settings.images);
  const ms = evaluations * images * pace;
  const time = () => duration(ms);
  const none = () => (refused ? t("compare.refused", { refused }) : "");
  say(said, open ? "compare.cost.open" : "compare.cost", { cells: left.length, evaluations, images, time, none });
}

async function run() {
  stop();
  const mine = new AbortController();
  running = mine;
  cells.clear();
  const wanted = plan.cells.filter(due);
  idle();
  buttons.stop.focus();
  let elsewhere = false;
  try {
    for (const [i, cell] of wanted.entries()) {
      cost(wanted.slice(i));
      const model = cell.settings.model === page.controls.settings.model && !elsewhere ? page.model() : await page.load(cell.settings.model, mine.signal);
      elsewhere ||= model !== page.model();
      await draw(cell, model, mine);
      if (running !== mine) return;
      bar.value = (i + 1) / wanted.length;
    }
    say(said, "compare.done", { cells: wanted.length });
  } catch (thrown) {
    const { code, message } = UnnoiseError.from(thrown);
    if (code === "aborted") return;
    say(said, "compare.failed", { message });
    await page.failed(thrown);
  } finally {
    if (running === mine) running = undefined;
    idle();
    if (elsewhere) page.reload();
  }
}

/** Draws a cell. One whose settings its model refuses says so, and the others are drawn all the same. */
async function draw(cell, model, mine) {
  try {
    for await (const frame of model.run(cell.settings, { ...page.given(), signal: mine.signal })) {
      if (running !== mine) return;
      cells.add(cell, frame);
      if (frame.done === 1 && cell.settings.model === page.controls.settings.model) pace = frame.total_ms / (frame.evaluations * frame.images || 1);
    }
  } catch (thrown) {
    const { code, message, values } = UnnoiseError.from(thrown);
    if (code !== "setting") throw thrown;
    cells.refuse(cell, { ...values, message });
  }
}

function stop() {
  if (!running) return;
  running.abort();
  running = undefined;
  say(said, "compare.stopped");
  idle();
}

function idle() {
  const any = cells.drawn().length > 0;
  Object.assign(buttons.run, { disabled: Boolean(running) || !plan.cells.some(due) });
  buttons.stop.disabled = !running;
  for (const key of ["png", "csv"]) buttons[key].disabled = !any;
  if (!running) bar.value = 0;
}

/** A cell becomes the run of the page. */
function take({ settings }) {
  dialog.close();
  page.run(settings);
}

/** The settings without the grid, which is closed. */
function closed() {
  stop();
  page.controls.drop("x", "y");
}

const name = (ending) => `unnoise-${[plan.x, plan.y].filter(Boolean).map(({ key }) => key).join("-by-") || "grid"}.${ending}`;

async function picture() {
  const { settings, model } = page.controls;
  save(await signed(await files.png(cells, plan), { settings, model }, { shows: "grid" }), name("png"));
}

function table() {
  save(files.csv(cells, page.controls.settings), name("csv"));
}

const give = () => share(write_link(page.controls.settings, { share: true }), { prefix: "compare-" });

