/** The planes of the activity on show, drawn at the place of the clock, with what stands behind them. */

import { el, label, say } from "../strings.js";
import { onTheme } from "../colours.js";
import { HALF, Plane, heatMap, landscape } from "./plane.js";
import { Recording } from "./recording.js";

/** Cells across a density and across a field. */
const CELLS = { density: 72, landscape: 160, field: 19 };
/** What stands behind the planes is computed at so many places of the clock. */
const PLACES = 48;
/** Cells across the map that says to which component a place belongs, and data points that it is made from. */
const MAP = { cells: 48, points: 600 };

/**
 * @typedef {object} Pane
 * @property {Plane} plane
 * @property {Recording} recording
 * @property {HTMLElement} figure
 * @property {HTMLElement} caption
 * @property {number} tail
 * @property {boolean} still whether it shows data as they are, whatever the noise: nothing is zoomed out, and the density is that of the data
 * @property {HTMLCanvasElement} [picture] what is behind it in place of the density
 * @property {Float32Array} [curve] a line behind the particles
 * @property {(at: ReturnType<Recording["at"]>) => [string, object]} words what the caption says
 */

export class Stage {
  /** @param {HTMLElement} box @param {import("./view.js").Lab} lab */
  constructor(box, lab) {
    Object.assign(this, { box, lab, place: 1, painting: 0, busy: false, round: 0 });
    /** @type {Pane[]} */
    this.panes = [];
    this.clear();
    onTheme(() => {
      this.heats.clear();
      this.paint();
    });
  }

  /** Forgets what was computed for other settings. */
  clear() {
    /** @type {Map<number, HTMLCanvasElement>} */
    this.heats = new Map();
    /** @type {Map<number, {score: Float32Array, cells: number, sigma: number}>} */
    this.fields = new Map();
    this.round += 1;
  }

  /** Forgets the field alone, because the network has learned. */
  clearField() {
    this.fields.clear();
    this.paint();
  }

  /**
   * Lays out panes.
   * @param {{seen: string, words: Pane["words"], head: HTMLElement, tail?: number, still?: boolean, stepped?: boolean, curve?: Float32Array}[]} wanted
   * `seen`: the key of what is seen; `tail`: frames that a trail goes back; `stepped`: see Recording
   * @param {{field: string, heat: string}} settings
   * @param {"density" | "landscape"} ground what the colour behind shows
   */
  layout(wanted, settings, ground = "density") {
    Object.assign(this, { settings, ground, marked: [] });
    this.panes = wanted.map(({ seen, words, head, tail = Infinity, still = false, stepped, curve }) => {
      const plane = new Plane();
      plane.changed = () => this.paint();
      label(plane.front, seen);
      const figure = el("figure", "", {}, { className: "pane" });
      const caption = el("p", "", {}, { className: "figures" });
      figure.append(head, plane.element, caption);
      return { plane, recording: new Recording(stepped), figure, caption, words, tail, still, curve };
    });
    const controls = () => [...this.box.querySelectorAll("select, input, button")];
    const focused = controls().indexOf(document.activeElement);
    this.box.replaceChildren(...this.panes.map(({ figure }) => figure));
    if (focused >= 0) controls()[Math.min(focused, controls().length - 1)]?.focus(); // who chose with the keyboard goes on there
    this.box.dataset.panes = String(this.panes.length);
  }

  /** Learns where the components are, to colour the particles by where they end. @param {{x: Float32Array, label: Uint8Array}} data */
  territories({ x, label }) {
    const { cells, points } = MAP;
    const every = Math.ceil(label.length / points);
    this.map = new Uint8Array(cells * cells);
    for (let cell = 0; cell < cells * cells; cell++) {
      const [u, v] = [(((cell % cells) + 0.5) / cells - 0.5) * 2 * HALF, (0.5 - (Math.floor(cell / cells) + 0.5) / cells) * 2 * HALF];
      let nearest = Infinity;
      for (let i = 0; i < label.length; i += every) {
        const distance = (x[2 * i] - u) ** 2 + (x[2 * i + 1] - v) ** 2;
        if (distance < nearest) [nearest, this.map[cell]] = [distance, label[i]];
      }
    }
  }

  /** The component of each particle. */
  kinds(x) {
    const { cells } = MAP;
    const kinds = new Uint8Array(x.length / 2);
    const index = (value) => Math.min(Math.max(Math.floor((value / (2 * HALF) + 0.5) * cells), 0), cells - 1);
    for (let i = 0; i < kinds.length; i++) kinds[i] = this.map[(cells - 1 - index(x[2 * i + 1])) * cells + index(x[2 * i])];
    return kinds;
  }

  /** Takes in a frame of a pane's trajectory. */
  add(pane, frame) {
    pane.recording.add(frame);
    // Colours say where a particle ends, as far as that is known.
    if (!pane.labels) pane.ends = this.kinds(pane.recording.newest.x);
    this.paint();
  }

  /** Goes to a place of the clock. */
  go(place) {
    this.place = place;
    this.paint();
  }

  /** Draws at the next refresh of the screen. */
  paint() {
    this.painting ||= requestAnimationFrame(() => {
      this.painting = 0;
      for (const pane of this.panes) this.draw(pane);
      this.ask();
    });
  }

  draw({ plane, recording, caption, words, labels, ends, tail, still, picture, curve }) {
    if (recording.frames.length === 0 || !plane.words) return;
    const at = recording.at(this.place);
    const scale = still ? 1 : scaleOf(at);
    const { heat, field } = this.settings;
    const key = keyOf(still ? 0 : at.clock);
    const ground = heat === "on" ? picture ?? this.heats.get(key) ?? plane.shown?.ground : undefined;
    const arrows = field === "none" || this.ground === "landscape" ? undefined : this.fields.get(key) ?? plane.shown?.arrows;
    const seen = { ground, arrows, curve, size: plane.back.width };
    if (Object.keys(seen).some((name) => seen[name] !== plane.shown?.[name])) plane.behind(ground, arrows, curve);
    plane.shown = seen;
    const kinds = labels ?? ends;
    plane.dots(at.x, kinds, scale);
    const past = recording.past(this.place, tail).map((frame) => ({ x: frame.x, scale: still ? 1 : scaleOf({ alpha: 1, sigma: 0, ...frame }) }));
    plane.trails([...past, { x: at.x, scale }], kinds);
    plane.marks(this.marked);
    say(caption, ...words(at));
  }

  /** Has the engine compute what is missing behind the planes, one thing after the other. */
  async ask() {
    if (this.busy || !this.settings || !this.lab.engine) return;
    const wish = this.panes.filter(({ recording, picture }) => recording.frames.length > 0 && !picture).map((pane) => this.missing(pane)).find(Boolean);
    if (!wish) return;
    this.busy = true;
    const { round, settings: { field } } = this;
    const { key, what, clock, half, sigma } = wish;
    try {
      if (what === "heat") {
        const logs = await this.lab.engine.density(clock, CELLS[this.ground], half);
        if (round === this.round) this.heats.set(key, this.ground === "landscape" ? landscape(logs) : heatMap(logs));
      } else {
        const score = await this.lab.engine.field(clock, CELLS.field, half, field);
        if (round === this.round && field === this.settings.field) this.fields.set(key, { score, cells: CELLS.field, sigma });
      }
    } catch (thrown) {
      this.settings = { ...this.settings, [what]: what === "heat" ? "off" : "none" }; // once is enough
      this.lab.tell(thrown);
    }
    this.busy = false;
    this.paint();
  }

  /** The first thing that is missing behind a pane. */
  missing({ recording, still }) {
    const { heat, field } = this.settings;
    const at = recording.at(this.place);
    const key = keyOf(still ? 0 : at.clock);
    const what = heat === "on" && !this.heats.has(key) ? "heat" : field !== "none" && this.ground !== "landscape" && !this.fields.has(key) ? "field" : "";
    return what && { key, what, clock: key / PLACES, half: HALF * (still ? 1 : scaleOf(at)), sigma: at.sigma };
  }
}

/** Where noise has spread the particles beyond the data's own size, the plane shows more. */
const scaleOf = ({ alpha, sigma }) => Math.max(Math.hypot(alpha, sigma), 1);
const keyOf = (clock) => Math.round(clock * PLACES);
