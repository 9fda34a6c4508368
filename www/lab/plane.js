/**
 * One view of the plane, on two canvases: behind, the density and the field, which change seldom; in front, the
 * particles and their trails, which move sixty times a second.
 */

import { DOTS, css, rgb } from "../colours.js";

/** Half of the side of what is shown, where alpha² + sigma² is at most 1 (in the units of the data). */
export const HALF = 4.6;
/** How much of the density's colour its top has. */
const DEEPEST = 0.5;
/** Trails of this many particles are drawn. */
const TRAILS = 48;
/** From this many particles on, they are drawn smaller. */
const CROWD = 3000;

export class Plane {
  constructor() {
    this.element = Object.assign(document.createElement("div"), { className: "plane" });
    this.back = document.createElement("canvas");
    this.front = document.createElement("canvas");
    this.front.setAttribute("role", "img");
    this.element.append(this.back, this.front);
    this.changed = () => {};
    new ResizeObserver(() => this.fit()).observe(this.element);
  }

  /** Gives the canvases as many pixels as the screen has for them. */
  fit() {
    const size = Math.round(this.element.clientWidth * Math.min(devicePixelRatio, 2));
    if (size === 0 || size === this.front.width) return;
    for (const canvas of [this.back, this.front]) canvas.width = canvas.height = size;
    this.sheet = new ImageData(size, size);
    this.words = new Uint32Array(this.sheet.data.buffer);
    this.changed();
  }

  /** Where a pointer is on the plane, in the units of the data at scale 1. */
  under({ clientX, clientY }) {
    const box = this.front.getBoundingClientRect();
    return [((clientX - box.left) / box.width - 0.5) * 2 * HALF, (0.5 - (clientY - box.top) / box.height) * 2 * HALF];
  }

  /**
   * Draws what is behind.
   * @param {HTMLCanvasElement | undefined} heat
   * @param {{score: Float32Array, cells: number, sigma: number} | undefined} field
   * @param {Float32Array} [curve] the points of a line
   */
  behind(heat, field, curve) {
    const context = this.back.getContext("2d");
    const size = this.back.width;
    context.clearRect(0, 0, size, size);
    if (heat) context.drawImage(heat, 0, 0, size, size);
    if (field) arrows(context, size, field);
    if (curve) line(context, size, curve);
  }

  /**
   * Draws the particles.
   * @param {Float32Array} x pairs
   * @param {Uint8Array} kinds the component of each, which is its colour
   * @param {number} scale how many times more than the data's own size is shown
   */
  dots(x, kinds, scale) {
    const { words, sheet } = this;
    if (!words) return;
    const size = sheet.width;
    const inks = DOTS.map((property) => word(rgb(property)));
    words.fill(0);
    const stamp = disc(size, x.length > 2 * CROWD ? 1 : 1.6);
    const zoom = size / (2 * HALF * scale);
    for (let i = 0; 2 * i < x.length; i++) {
      const column = Math.floor(size / 2 + x[2 * i] * zoom);
      const row = Math.floor(size / 2 - x[2 * i + 1] * zoom);
      if (!(column > 4 && column < size - 5 && row > 4 && row < size - 5)) continue;
      const at = row * size + column;
      const ink = inks[kinds[i] % inks.length];
      for (let k = 0; k < stamp.length; k++) words[at + stamp[k]] = ink;
    }
    this.front.getContext("2d").putImageData(sheet, 0, 0);
  }

  /**
   * Draws the way that some particles came, under the particles.
   * @param {{x: Float32Array, scale: number}[]} past
   * @param {Uint8Array} kinds
   */
  trails(past, kinds) {
    if (past.length < 2) return;
    const context = this.front.getContext("2d");
    const size = this.front.width;
    const particles = past[0].x.length / 2;
    const every = Math.ceil(particles / TRAILS);
    context.globalCompositeOperation = "destination-over";
    context.lineWidth = Math.max(size / 500, 1);
    for (let kind = 0; kind < DOTS.length; kind++) {
      context.strokeStyle = css(DOTS[kind], 0.4);
      context.beginPath();
      for (let i = 0; i < particles; i += every) {
        if (kinds[i] % DOTS.length !== kind) continue;
        past.forEach(({ x, scale }, step) => {
          const zoom = size / (2 * HALF * scale);
          const [column, row] = [size / 2 + x[2 * i] * zoom, size / 2 - x[2 * i + 1] * zoom];
          if (step === 0) context.moveTo(column, row);
          else context.lineTo(column, row);
        });
      }
      context.stroke();
    }
    context.globalCompositeOperation = "source-over";
  }

  /** Marks places with their numbers. @param {number[][]} places */
  marks(places) {
    const context = this.front.getContext("2d");
    const size = this.front.width;
    const unit = size / 400;
    context.font = `600 ${13 * unit}px system-ui, sans-serif`;
    for (const [i, [x, y]] of places.entries()) {
      const [column, row] = [size / 2 + (x * size) / (2 * HALF), size / 2 - (y * size) / (2 * HALF)];
      context.fillStyle = css("--paper");
      context.lineWidth = 2 * unit;
      context.strokeStyle = css("--ink");
      context.beginPath();
      context.arc(column, row, 9 * unit, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      context.fillStyle = css("--ink");
      context.textAlign = "center";
      context.textBaseline = "middle";
      context.fillText(String(i + 1), column, row);
    }
  }
}

/** A density as a picture: the more likely, the warmer. @param {Float32Array} logs cells × cells, the top row first */
export function heatMap(logs) {
  const cells = Math.sqrt(logs.length);
  const picture = new ImageData(cells, cells);
  const [red, green, blue] = rgb("--signal");
  const top = logs.reduce((most, value) => Math.max(most, value), -Infinity);
  for (let i = 0; i < logs.length; i++) {
    // The root spreads what is thin enough to be seen beside what is dense.
    picture.data.set([red, green, blue, 255 * DEEPEST * Math.sqrt(Math.exp(logs[i] - top))], 4 * i);
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: cells, height: cells });
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

/** An energy as a landscape with lines of equal height. @param {Float32Array} logs minus the energy */
export function landscape(logs) {
  const cells = Math.sqrt(logs.length);
  const picture = new ImageData(cells, cells);
  const [red, green, blue] = rgb("--noise");
  const top = logs.reduce((most, value) => Math.max(most, value), -Infinity);
  const height = (i) => top - logs[i];
  // Around a Gaussian the energy is a parabola: by its root the lines are equally far apart.
  const band = (i) => Math.floor(Math.sqrt(2 * height(i)));
  for (let i = 0; i < logs.length; i++) {
    const contour = i >= cells && i % cells > 0 && [i - 1, i - cells].some((j) => band(i) !== band(j));
    picture.data.set([red, green, blue, contour ? 90 : 75 * Math.exp(-height(i) / 6)], 4 * i);
  }
  const canvas = Object.assign(document.createElement("canvas"), { width: cells, height: cells });
  canvas.getContext("2d").putImageData(picture, 0, 0);
  return canvas;
}

/** A line through points. */
function line(context, size, points) {
  context.strokeStyle = css("--ink", 0.6);
  context.lineWidth = Math.max(size / 300, 1);
  context.beginPath();
  for (let i = 0; 2 * i < points.length; i++) context.lineTo((points[2 * i] / HALF + 1) * (size / 2), (1 - points[2 * i + 1] / HALF) * (size / 2));
  context.stroke();
}

/** Arrows of sigma times the score: how many sigmas away, and which way, the data is expected. */
function arrows(context, size, { score, cells, sigma }) {
  const cell = size / cells;
  const longest = 0.9 * cell;
  context.strokeStyle = context.fillStyle = css("--ink", 0.75);
  context.lineWidth = Math.max(size / 400, 1);
  context.beginPath();
  for (let i = 0; i < cells * cells; i++) {
    const [u, v] = [sigma * score[2 * i], -sigma * score[2 * i + 1]];
    const strength = Math.hypot(u, v);
    const length = longest * Math.tanh(strength / 2);
    if (!(length > 0.5)) continue;
    const [dx, dy] = [(u / strength) * length, (v / strength) * length];
    const [x, y] = [((i % cells) + 0.5) * cell - dx / 2, (Math.floor(i / cells) + 0.5) * cell - dy / 2];
    const [tipX, tipY] = [x + dx, y + dy];
    context.moveTo(x, y);
    context.lineTo(tipX, tipY);
    context.lineTo(tipX - 0.32 * dx - 0.2 * dy, tipY - 0.32 * dy + 0.2 * dx);
    context.moveTo(tipX, tipY);
    context.lineTo(tipX - 0.32 * dx + 0.2 * dy, tipY - 0.32 * dy - 0.2 * dx);
  }
  context.stroke();
}

/** Where the pixels of a dot are, relative to its middle, on a sheet that is `size` pixels wide. */
function disc(size, radius) {
  const reach = (radius * size) / 400;
  const places = [];
  for (let y = -4; y <= 4; y++) for (let x = -4; x <= 4; x++) if (x * x + y * y <= reach * reach) places.push(y * size + x);
  return places;
}

/** A colour as the bytes of one pixel. */
const word = ([red, green, blue]) => new Uint32Array(new Uint8Array([red, green, blue, 225]).buffer)[0];
