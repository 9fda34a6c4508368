/** The cells of a grid: their pictures, the one clock that scrubs them all, and the difference of one to the pinned one. */

import { picture_difference, picture_rms } from "../pkg/index.js";
import { named, worded } from "./worded.js";
import { Clock } from "./lab/clock.js";
import { Sheet } from "./paint.js";
import { el, hush, label, number, say, t } from "./strings.js";
import { explain } from "./unfit.js";

/** Frames of all cells together may take this many bytes; longer runs keep every k-th step. */
const BUDGET = 384 * 2 ** 20;

/** One run of the grid. */
class Cell {
  /** @param {import("../pkg/index.js").GridCell} plan */
  constructor(plan, share) {
    Object.assign(this, { plan, share });
    this.place = el("td");
    this.button = el("button", "", {}, { type: "button", className: "cell", tabIndex: -1 });
    this.canvas = el("canvas", "", {}, { width: 8, height: 8 });
    this.button.append(this.canvas);
    this.place.append(this.button);
    this.clear();
  }

  clear() {
    /** @type {import("./timeline.js").Frame[]} */
    this.frames = [];
    this.shown = undefined;
    this.place.classList.remove("drawn");
  }

  /** Why there is no such run. @param {import("../pkg/index.js").Problem} problem */
  refuse(problem) {
    const line = el("p", "", {}, { className: "hint bad" });
    explain(line, problem);
    this.refused = true;
    this.place.replaceChildren(line);
  }

  add(frame) {
    if (frame.step === 0) {
      this.clear();
      this.sheet = new Sheet(this.canvas);
      this.sheet.layout(frame);
      this.every = Math.ceil((((frame.steps ?? 1000) + 1) * frame.x.length * 2) / this.share);
    }
    if (this.frames.length && this.frames.at(-1).step % this.every) this.frames.pop();
    this.frames.push(frame);
    this.place.classList.toggle("drawn", frame.done === 1);
  }

  get done() {
    return this.frames.at(-1)?.done === 1;
  }

  /** Shows the step that the clock has come to. */
  go(clock, estimate) {
    let at = this.frames.length - 1;
    while (at > 0 && this.frames[at].done > clock + 1e-9) at -= 1;
    const frame = this.frames[at];
    if (!frame) return;
    const bytes = (estimate && frame.denoised) || frame.x;
    if (this.shown === bytes) return;
    this.shown = bytes;
    this.sheet.draw(bytes);
  }
}

export class Cells {
  /** @param {{open: (cell: import("../pkg/index.js").GridCell) => void}} hears */
  constructor({ open }) {
    this.hears = { open };
    /** @type {Cell[]} */
    this.all = [];
    this.box = el("div", "", {}, { className: "grid" });
    this.table = el("table", "", {}, { className: "cells" });
    this.scroll = el("div", "", {}, { className: "scroll" });
    this.scroll.append(this.table);
    const slider = el("input", "", {}, { type: "range", min: "0", max: "1", step: "any", value: "1", id: "compare-clock" });
    const play = el("button", "compare.play", {}, { type: "button", id: "compare-play" });
    play.setAttribute("aria-pressed", "false");
    label(slider, "compare.clock");
    this.estimate = el("input", "", {}, { type: "checkbox", id: "compare-estimate" });
    const which = el("label", "", {}, { className: "live" });
    which.append(this.estimate, " ", el("span", "compare.estimate"));
    this.estimate.addEventListener("change", () => this.paint());
    const clock = el("div", "", {}, { className: "clock" });
    clock.append(play, slider, which);
    this.clock = new Clock({ slider, play }, { moved: () => this.paint(), rested: () => {} });
    this.box.append(clock, this.scroll, this.beside());
    this.table.addEventListener("keydown", (event) => this.key(event));
  }

  /** The panel of two cells and their difference. */
  beside() {
    this.panel = el("div", "", {}, { className: "beside", id: "compare-beside" });
    const figure = (key) => {
      const canvas = el("canvas", "", {}, { width: 8, height: 8, role: "img" });
      label(canvas, `compare.${key}`);
      const box = el("figure");
      box.append(canvas, el("figcaption", `compare.${key}`));
      return { box, sheet: new Sheet(canvas) };
    };
    this.figures = { pinned: figure("pinned"), this: figure("this"), difference: figure("difference") };
    this.words = el("p", "", {}, { id: "compare-words", role: "status" });
    this.pin = el("button", "compare.pin", {}, { type: "button", onclick: () => this.pinned(this.chosen) });
    this.open = el("button", "compare.open", {}, { type: "button", onclick: () => this.hears.open(this.chosen.plan) });
    const row = el("div", "", {}, { className: "row" });
    row.append(this.pin, this.open);
    this.panel.append(this.words, row, ...Object.values(this.figures).map(({ box }) => box));
    return this.panel;
  }

  /** Empty places for the cells of a grid. @param {import("../pkg/index.js").Grid} plan @param {import("./controls.js").Controls} controls */
  plan(plan, controls) {
    Object.assign(this, { grid: plan, controls });
    const { x, y } = plan;
    const [columns, rows] = [x?.values ?? [""], y?.values ?? [""]];
    this.all = plan.cells.map((cell) => new Cell(cell, BUDGET / plan.cells.length));
    const head = el("tr");
    if (y) head.append(el("td"));
    head.append(...columns.map((value) => this.title(x, value, "col")));
    const body = rows.map((value, row) => {
      const line = el("tr");
      if (y) line.append(this.title(y, value, "row"));
      line.append(...columns.map((_, column) => this.at(column, row).place));
      return line;
    });
    this.table.replaceChildren(...(x ? [head] : []), ...body);
    label(this.table, "compare.cells");
    for (const cell of this.all) this.wire(cell);
    this.pin0 = this.chosen = this.over = undefined;
    const first = this.at(0, 0);
    this.pinned(first.plan.problem ? this.all.find(({ plan: { problem } }) => !problem) : first);
    this.panel.hidden = true;
  }

  title = (axis, value, scope) => {
    const text = () => `${axis ? `${t(named(axis.key))} ` : ""}${axis ? worded(axis.key, value, this.controls) : ""}`;
    return el("th", "plain", { text }, { scope });
  };

  wire(cell) {
    const { button, plan } = cell;
    if (plan.problem) return cell.refuse(plan.problem);
    const place = () => this.place(cell);
    label(button, "compare.cell", { place });
    button.addEventListener("focus", () => this.choose(cell));
    button.addEventListener("click", () => this.choose(cell));
    button.addEventListener("pointerenter", () => this.hover(cell));
    button.addEventListener("pointerleave", () => this.hover(undefined));
    return undefined;
  }

  /** A cell by its values. */
  place({ plan: { column, row } }) {
    const { x, y } = this.grid;
    const part = (axis, i) => axis && `${t(named(axis.key))} ${worded(axis.key, axis.values[i], this.controls)}`;
    return [part(x, column), part(y, row)].filter(Boolean).join(" · ");
  }

  at = (column, row) => this.all.find(({ plan }) => plan.column === column && plan.row === row);
  of = (plan) => this.at(plan.column, plan.row);
  drawn = () => this.all.filter(({ done }) => done);

  clear() {
    for (const cell of this.all) cell.clear();
    this.clock.pause();
    this.clock.go(1);
  }

  refuse(plan, problem) {
    this.of(plan).refuse(problem);
  }

  add(plan, frame) {
    const cell = this.of(plan);
    cell.add(frame);
    this.panel.hidden = false;
    if (!this.chosen) this.choose(cell);
    cell.go(this.clock.place, this.estimate.checked);
    if (frame.done === 1) this.compare();
  }

  paint() {
    for (const cell of this.all) cell.go(this.clock.place, this.estimate.checked);
    this.compare();
  }

  /** The cell that difference and buttons speak of. */
  choose(cell) {
    this.chosen = cell;
    for (const other of this.all) other.button.tabIndex = other === cell ? 0 : -1;
    this.compare();
  }

  hover(cell) {
    this.over = cell?.frames.length ? cell : undefined;
    this.compare();
  }

  /** The cell that the others are compared with. */
  pinned(cell) {
    this.pin0 = cell;
    for (const other of this.all) other.place.classList.toggle("pinned", other === cell);
    this.compare();
  }

  compare() {
    const [one, other] = [this.pin0, this.over ?? this.chosen];
    for (const cell of this.all) cell.place.classList.toggle("chosen", cell === this.chosen);
    this.pin.disabled = !this.chosen || this.chosen === this.pin0;
    this.open.disabled = !this.chosen;
    this.put("pinned", one);
    this.put("this", other);
    if (!one?.shown || !other?.shown) return hush(this.words);
    const rms = picture_rms(one.shown, other.shown);
    const place = () => this.place(other);
    if (rms === undefined) {
      this.figures.difference.box.hidden = true;
      return say(this.words, "compare.sizes", { place });
    }
    this.put("difference", other, picture_difference(one.shown, other.shown));
    return say(this.words, one === other ? "compare.same" : "compare.rms", { place, pinned: () => this.place(one), rms: () => number(rms, 4) });
  }

  put(name, cell, bytes = cell?.shown) {
    const { box, sheet } = this.figures[name];
    box.hidden = !cell?.shown;
    if (!cell?.shown) return;
    if (sheet.shape !== cell.sheet.shape) sheet.layout(cell.sheet.shape);
    sheet.draw(bytes);
  }

  /** The numbers of a cell at its end, beside the pinned one. */
  measured() {
    const end = (cell) => cell?.frames.at(-1);
    const pinned = end(this.pin0);
    const places = this.drawn().toSorted((a, b) => a.plan.row - b.plan.row || a.plan.column - b.plan.column);
    return places.map((cell) => {
      const { evaluations, total_ms, x } = end(cell);
      const rms = (pinned && picture_rms(pinned.x, x)) ?? null;
      return { column: cell.plan.column, row: cell.plan.row, evaluations, seconds: total_ms / 1000, rms };
    });
  }

  key(event) {
    const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    const from = this.all.find(({ button }) => button === event.target);
    const step = steps[event.key];
    if (!from || !step) return;
    event.preventDefault();
    let { column, row } = from.plan;
    // Over cells that there are not.
    for (let to = from; to; ) {
      [column, row] = [column + step[0], row + step[1]];
      to = this.at(column, row);
      if (to && !to.refused) return to.button.focus();
    }
  }
}
