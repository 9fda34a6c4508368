/** A curve that is shaped by dragging its handles up and down, or with the arrow keys. */

import { el, label } from "../strings.js";

const SVG = "http://www.w3.org/2000/svg";
/** The drawing's size, and the room around the curve: at the left and below, for the numbers of the axes. */
const [WIDTH, HEIGHT, EDGE] = [320, 160, 12];
const [LEFT, BELOW] = [44, 24];
/** Handles that a curve may have. */
const LIMIT = [2, 12];
/** How far an arrow key moves a handle, as a share of the height; with Shift ten times as far. */
const NUDGE = 0.01;

export class CurveEditor {
  /**
   * @param {HTMLElement} box
   * @param {{range: number[], marks: number[], apart?: number, name: string, word: (value: number) => string, changed: (values: number[]) => void}} given
   * `marks`: values whose heights are marked; `apart`: how far each handle has to be above the one before, where the curve has to rise, or, negative, below it; `name`: the key of a handle's name; `word`: a value for people
   */
  constructor(box, { range, marks, apart, name, word, changed }) {
    Object.assign(this, { range, marks, apart, name, word, changed, values: [], points: [], ends: ["", ""] });
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.classList.add("curve");
    this.axes = this.svg.appendChild(document.createElementNS(SVG, "g"));
    this.axes.setAttribute("aria-hidden", "true"); // each handle says its value
    this.line = this.svg.appendChild(document.createElementNS(SVG, "path"));
    this.handles = this.svg.appendChild(document.createElementNS(SVG, "g"));
    const less = el("button", "lab.curve.less", {}, { type: "button", onclick: () => this.resample(this.values.length - 1) });
    const more = el("button", "lab.curve.more", {}, { type: "button", onclick: () => this.resample(this.values.length + 1) });
    Object.assign(this, { less, more });
    const row = el("div", "", {}, { className: "row" });
    row.append(less, more);
    box.prepend(this.svg, row);
  }

  /**
   * @param {number[]} values at equal distances, in the units of the range
   * @param {object} [more]
   * @param {number[]} [more.line] what the engine makes of them, at equal distances too
   * @param {string[]} more.ends what stands under both ends
   */
  show(values, { line = values, ends }) {
    const focused = [...this.handles.children].indexOf(document.activeElement);
    Object.assign(this, { values, points: line, ends });
    this.mark();
    if (this.handles.children.length !== values.length) this.handles.replaceChildren(...values.map((_, i) => this.handle(i, values.length)));
    this.draw();
    [this.less.disabled, this.more.disabled] = [values.length <= LIMIT[0], values.length >= LIMIT[1]];
    if (focused >= 0) this.handles.children[Math.min(focused, values.length - 1)].focus();
  }

  /** How high a value is drawn. */
  height(value) {
    const [low, high] = this.range;
    const up = (Math.min(Math.max(value, low), high) - low) / (high - low);
    return HEIGHT - BELOW - (HEIGHT - BELOW - EDGE) * up;
  }

  /** Draws the axes with their numbers. */
  mark() {
    const text = (x, y, anchor, words) => {
      const element = document.createElementNS(SVG, "text");
      for (const [name, value] of Object.entries({ x, y, "text-anchor": anchor })) element.setAttribute(name, value);
      element.textContent = words;
      return element;
    };
    const lines = document.createElementNS(SVG, "path");
    lines.setAttribute("d", this.marks.map((value) => `M${LEFT} ${this.height(value).toFixed(1)}H${WIDTH - EDGE}`).join(""));
    const up = this.marks.map((value) => text(LEFT - 12, this.height(value) + 3.5, "end", this.word(value)));
    this.axes.replaceChildren(lines, ...up, text(LEFT, HEIGHT - 6, "start", this.ends[0]), text(WIDTH - EDGE, HEIGHT - 6, "end", this.ends[1]));
  }

  draw() {
    const place = (value, i, { length }) => [LEFT + ((WIDTH - EDGE - LEFT) * i) / (length - 1), this.height(value)];
    const points = this.values.map(place);
    this.line.setAttribute("d", `M${this.points.map(place).map((point) => point.map((n) => n.toFixed(1)).join(" ")).join("L")}`);
    for (const [i, handle] of [...this.handles.children].entries()) {
      handle.setAttribute("cx", String(points[i][0]));
      handle.setAttribute("cy", String(points[i][1]));
      handle.setAttribute("aria-valuenow", this.values[i].toFixed(3));
      handle.setAttribute("aria-valuetext", this.word(this.values[i]));
    }
  }

  handle(i, count) {
    const handle = document.createElementNS(SVG, "circle");
    const facts = { r: 8, role: "slider", tabindex: 0, "aria-orientation": "vertical", "aria-valuemin": this.range[0], "aria-valuemax": this.range[1] };
    for (const [name, value] of Object.entries(facts)) handle.setAttribute(name, String(value));
    label(handle, this.name, { place: i + 1, count });
    handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
    handle.addEventListener("pointermove", (event) => event.buttons && this.move(i, this.under(event)));
    handle.addEventListener("pointerup", () => this.changed(this.values));
    handle.addEventListener("keydown", (event) => {
      const ways = { ArrowUp: 1, ArrowRight: 1, ArrowDown: -1, ArrowLeft: -1 };
      if (!(event.key in ways)) return;
      event.preventDefault();
      event.stopPropagation();
      const step = ways[event.key] * NUDGE * (event.shiftKey ? 10 : 1) * (this.range[1] - this.range[0]);
      this.move(i, this.values[i] + step);
      this.changed(this.values);
    });
    return handle;
  }

  /** The value at the height of a pointer. */
  under({ clientY }) {
    const box = this.svg.getBoundingClientRect();
    const y = ((clientY - box.top) / box.height) * HEIGHT;
    return this.range[0] + ((HEIGHT - BELOW - y) / (HEIGHT - BELOW - EDGE)) * (this.range[1] - this.range[0]);
  }

  /** Moves a handle as far as it may go. */
  move(i, value) {
    const [low, high] = this.range;
    const { apart = 0, values } = this;
    // On a curve that rises the handle before is below this one, on one that falls the one after.
    const [under, over] = apart < 0 ? [values[i + 1], values[i - 1]] : [values[i - 1], values[i + 1]];
    const floor = apart && under !== undefined ? under + Math.abs(apart) : low;
    const roof = apart && over !== undefined ? over - Math.abs(apart) : high;
    this.values = this.values.map((old, other) => (other === i ? Math.min(Math.max(value, floor), roof) : old));
    this.points = this.values; // until the engine has read them
    this.draw();
  }

  /** The same curve with more or fewer handles. */
  resample(count) {
    const last = this.values.length - 1;
    const at = (i) => {
      const place = (i * last) / (count - 1);
      const before = Math.min(Math.floor(place), last - 1);
      return this.values[before] * (before + 1 - place) + this.values[before + 1] * (place - before);
    };
    this.changed(Array.from({ length: count }, (_, i) => at(i)));
  }
}
