/** The frames of one trajectory of the particles, and where the particles are between two of them. */

/**
 * @typedef {{step: number, steps: number | null, clock?: number, alpha?: number, sigma?: number, evaluations?: number, x: Float32Array,
 *            [more: string]: unknown}} Frame
 */

/** The frames of one recording may take this many bytes; a longer one keeps every k-th step. */
const BUDGET = 64 * 2 ** 20;
/** A trail has at most this many points. */
const TRAIL = 60;

export class Recording {
  /** @param {boolean} [stepped] whether the particles stay at a frame until the next: between two there is nothing that they could be at */
  constructor(stepped = false) {
    this.stepped = stepped;
    /** @type {Frame[]} */
    this.frames = [];
    /** Where on the clock each frame is, 0 to 1, rising. @type {number[]} */
    this.places = [];
    this.falling = true;
    /** Room for the particles' places, used again and again. */
    this.room = new Float32Array(0);
  }

  get newest() {
    return this.frames.at(-1);
  }

  /** @param {Frame} frame the next one of the trajectory */
  add(frame) {
    const every = Math.ceil((((frame.steps ?? 1000) + 1) * frame.x.byteLength) / BUDGET);
    const last = frame.steps === null ? frame.clock === 0 : frame.step === frame.steps;
    if (frame.step % every !== 0 && !last) return;
    this.frames.push(frame);
    // Trajectories that come down through the noise levels are shown level beside level, the others step beside step.
    const [first] = this.frames;
    const before = this.frames.at(-2);
    this.falling &&= before === undefined || frame.clock < before.clock;
    this.places = this.falling ? [...this.places, 1 - frame.clock / first.clock] : this.frames.map(({ step, steps }) => step / (steps || 1));
  }

  /** The frame before a place, the one after, and how far between. */
  around(place) {
    let after = this.places.findIndex((at) => at > place);
    if (after < 0) after = this.frames.length;
    const before = Math.max(after - 1, 0);
    after = Math.min(after, this.frames.length - 1);
    const span = this.places[after] - this.places[before];
    return { before, after, share: span > 0 && !this.stepped ? (place - this.places[before]) / span : 0 };
  }

  /**
   * The trajectory at a place: the particles on the straight way from one frame to the next, and the frame's own numbers.
   * @returns {{x: Float32Array, frame: Frame, clock: number, alpha: number, sigma: number}}
   */
  at(place) {
    const { before, after, share } = this.around(place);
    const [from, to] = [this.frames[before], this.frames[after]];
    const mix = (a = 0, b = 0) => a * (1 - share) + b * share;
    if (this.room.length !== from.x.length) this.room = new Float32Array(from.x.length);
    for (let i = 0; i < from.x.length; i++) this.room[i] = from.x[i] * (1 - share) + to.x[i] * share;
    return { x: this.room, frame: from, clock: mix(from.clock, to.clock), alpha: mix(from.alpha ?? 1, to.alpha ?? 1), sigma: mix(from.sigma, to.sigma) };
  }

  /** The latest frames up to a place, few enough to be drawn as trails. @param {number} tail at most so many @returns {Frame[]} */
  past(place, tail) {
    const { before } = this.around(place);
    const every = Math.ceil(Math.min(this.frames.length, tail) / TRAIL);
    return this.frames.slice(Math.max(before - tail, 0), before + 1).filter((_, i) => (before - i) % every === 0);
  }
}
