/** The frames of a run, and the slider that goes through them: forward, backward, and while they still arrive. */

import { t } from "./strings.js";

/**
 * @typedef {{step: number, steps: number | null, done: number, accepted: number | null, rejected: number | null, images: number, channels: number, height: number, width: number,
 *            x: Uint8Array, denoised?: Uint8Array, noise?: Uint8Array, posterior?: Uint8Array, numbers?: import("../pkg/index.js").StepNumbers[], log_snr: number, attention?: Uint8Array, attention_height: number | null, attention_width: number | null, t: number, alpha: number, sigma: number,
 *            evaluations: number, network_ms: number, total_ms: number, queue?: {submissions: number, idle_ms: number, ms: number}}} Frame
 */

/** Frames of one run may take this many bytes; a longer run keeps every k-th step. */
const BUDGET = 512 * 2 ** 20;
/** Of each image a frame has as many pictures: the point, the estimate, the noise, the posterior's mean. */
const PICTURES = 4;
/** As many steps as a method that chooses them itself is expected to take at most. */
const UNKNOWN = 1000;
/** A replay takes about this long, however many steps there are, within these bounds a frame (milliseconds). */
const REPLAY = { whole: 4000, fastest: 33, slowest: 250 };

/** How much of a point is signal, and how much is noise, at unit variance. @param {{alpha: number, sigma: number}} level */
export function share({ alpha, sigma }) {
  const std = Math.hypot(alpha, sigma);
  return { alpha: alpha / std, sigma: sigma / std };
}

export class Timeline {
  /**
   * @param {{slider: HTMLInputElement, play: HTMLButtonElement, curves: SVGElement}} elements
   * @param {(frame: Frame) => void} show paints a frame
   */
  constructor({ slider, play, curves }, show) {
    Object.assign(this, { slider, play, show });
    this.paths = { alpha: curves.querySelector(".alpha"), sigma: curves.querySelector(".sigma") };
    slider.addEventListener("input", () => {
      this.pause();
      this.seek(Number(slider.value));
    });
    play.addEventListener("click", () => this.toggle());
    this.clear();
  }

  clear() {
    this.pause();
    cancelAnimationFrame(this.painting);
    /** @type {Map<number, Frame>} the kept frames, by place on the slider */
    this.kept = new Map();
    /** @type {Frame | undefined} */
    this.newest = undefined;
    /** @type {Frame | undefined} */
    this.shown = undefined;
    this.painting = 0;
    this.following = true;
    this.every = 1;
    /** How much of the picture is signal at each step, and how much is noise, at unit variance. @type {{alpha: number, sigma: number}[]} */
    this.shares = [];
    this.slider.disabled = this.play.disabled = true;
    this.slider.value = this.slider.max = "0";
    this.draw();
  }

  /** @param {Frame} frame the next one of the run @param {boolean} [ends] whether only the start and the end of it have pictures. @returns {number} only every so-many-th step is kept */
  add(frame, ends = false) {
    if (frame.step === 0) this.begin(frame, ends);
    this.newest = frame;
    if (frame.steps === null) this.slider.max = String(this.place(frame.step)); // it is not known how many will come
    if (frame.step % this.every === 0 || frame.done === 1) this.kept.set(this.place(frame.step), frame);
    this.plot(frame);
    if (this.following) this.slider.value = String(this.place(frame.step));
    // One paint a screen refresh is enough when steps are faster than the screen; a hidden tab has no refreshes, and
    // shows the end all the same.
    if (frame.done === 1) this.paint();
    else this.painting ||= requestAnimationFrame(() => this.paint());
    return this.every;
  }

  paint() {
    cancelAnimationFrame(this.painting);
    this.painting = 0;
    this.draw();
    if (this.following) this.display(this.newest);
  }

  begin(frame, ends) {
    this.clear();
    this.every = ends ? Number.MAX_SAFE_INTEGER : Math.ceil((((frame.steps ?? UNKNOWN) + 1) * frame.x.length * PICTURES) / BUDGET);
    this.slider.max = String(this.place(frame.steps ?? 0));
    this.slider.disabled = this.play.disabled = false;
  }

  /** The last frame of a run alone, of which there are no others to go to. @param {Frame} frame */
  restore(frame) {
    this.clear();
    this.newest = frame;
    this.kept.set(frame.step, frame);
    this.slider.max = this.slider.value = String(frame.step);
    this.display(frame);
  }

  /** The kept frames in their order, the newest among them if it has pictures. @returns {Frame[]} */
  frames() {
    const kept = [...this.kept.values()];
    return !this.newest?.x.length || kept.at(-1) === this.newest ? kept : [...kept, this.newest];
  }

  /** Place on the slider of a step; the last step has one even when it is between two kept ones. */
  place(step) {
    return Math.ceil(step / this.every);
  }

  /** Goes to a place, or as near as there are frames. The newest place means: follow the run. */
  seek(place) {
    const last = this.place(this.newest.step);
    this.following = place >= last;
    const frame = this.following ? this.newest : this.kept.get(place);
    this.slider.value = String(this.place(frame.step));
    this.display(frame);
  }

  display(frame) {
    this.shown = frame;
    this.relabel();
    this.show(frame);
  }

  /** The slider's value in words, in the language of the moment. */
  relabel() {
    if (!this.shown) return;
    this.slider.setAttribute("aria-valuetext", t(this.shown.steps === null ? "timeline.place.open" : "timeline.place", this.shown));
  }

  replay() {
    const atEnd = Number(this.slider.value) >= this.place(this.newest.step);
    this.seek(atEnd ? 0 : Number(this.slider.value));
    const pace = Math.min(Math.max(REPLAY.whole / this.kept.size, REPLAY.fastest), REPLAY.slowest);
    this.timer = setInterval(() => {
      this.seek(Number(this.slider.value) + 1);
      if (this.following) this.pause();
    }, pace);
    this.play.setAttribute("aria-pressed", "true");
  }

  /** What a key does where no control has the focus, as in the lab. @returns {boolean} whether it does anything */
  key(name) {
    if (this.slider.disabled) return false;
    const at = Number(this.slider.value);
    const places = { ArrowLeft: Math.max(at - 1, 0), ArrowRight: at + 1, Home: 0, End: Infinity };
    if (name === " ") this.toggle();
    else if (name in places) {
      this.pause();
      this.seek(places[name]);
    } else return false;
    return true;
  }

  toggle() {
    if (this.timer) this.pause();
    else this.replay();
  }

  pause() {
    clearInterval(this.timer);
    this.timer = undefined;
    this.play.setAttribute("aria-pressed", "false");
  }

  plot(frame) {
    this.shares.push(share(frame));
  }

  /** Draws the two curves. Where the number of steps is not known, those there are fill the width, as on the slider. */
  draw() {
    const width = 1000 / Math.max(this.newest?.steps ?? this.shares.length - 1, 1);
    const point = (share, step) => `${(width * step).toFixed(1)} ${(100 - 100 * share).toFixed(1)}`;
    for (const [name, path] of Object.entries(this.paths)) {
      path.setAttribute("d", this.shares.length ? `M${this.shares.map((shares, step) => point(shares[name], step)).join("L")}` : "");
    }
  }
}
