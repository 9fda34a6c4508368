/** The workers of an engine. Pictures do not depend on each other, so that several workers can share a run out among them. */

import { UnnoiseError } from "./error.js";
import { Wire } from "./wire.js";

/** Workers at most, and memory in bytes that one needs besides its weights. */
const MOST = 8;
const APART = 64 * 2 ** 20;
/** Share of the machine's memory that the workers may take, and gigabytes of a machine that does not say what it has. */
const SHARE = 1 / 4;
const GIGABYTES = 4;

/** How many workers may hold weights of that many bytes, stored as 16-bit floats. */
export function most(bytes, { hardwareConcurrency = 1, deviceMemory = GIGABYTES } = globalThis.navigator ?? {}) {
  const memory = Math.floor((deviceMemory * 2 ** 30 * SHARE) / (2 * bytes + APART));
  return Math.max(1, Math.min(MOST, hardwareConcurrency, memory));
}

/** @typedef {import("./wire.js").Files} Files */
/** @typedef {{number: number, open: () => Files}} Loadable a model, and what opens its files anew */

/** A worker, and the model that it has. */
class Hand {
  /** Pictures a millisecond that it evaluated last. */
  pace = 0;
  #opened;
  #model;
  #loaded;

  /** @param {Wire} wire @param {Promise<any>} [opened] */
  constructor(wire, opened) {
    this.wire = wire;
    this.#opened = opened;
  }

  /** What loads the model, or has. @param {Loadable} model @param {Files} [files] @param {AbortSignal} [signal] */
  hold(model, files = undefined, signal = undefined) {
    if (this.#model === model) return this.#loaded;
    const [before, loaded] = [this.#model, this.#loaded];
    this.#model = model;
    this.#loaded = this.#load(model, files ?? model.open(), signal);
    this.#loaded.catch(() => {
      if (this.#model === model) [this.#model, this.#loaded] = [before, loaded]; // which is still there, as far as anyone knows
    });
    return this.#loaded;
  }

  async #load({ number }, files, signal) {
    await this.#opened;
    return this.wire.ask("load", [number], { signal, files }).finally(() => files.close());
  }
}

export class Pool {
  #hands;
  #limit;
  #told;
  #model;

  /** @param {Wire} wire of the worker that is open @param {{workers?: number, told: (note: any) => void}} options `told` hears of a worker that broke down */
  constructor(wire, { workers, told }) {
    this.#hands = [new Hand(wire)];
    this.#limit = workers;
    this.#told = told;
  }

  /** The worker that has the model for certain. */
  get first() {
    return this.#hands[0];
  }

  /** Puts a model on the first worker; the others follow when a run wants them. @param {Loadable} model @param {Files} files @param {AbortSignal} [signal] */
  async load(model, files, signal) {
    const about = await this.first.hold(model, files, signal);
    this.#model = model;
    return about;
  }

  /** How many workers draw, where there are pictures enough. @param {number} bytes of the weights */
  size(bytes) {
    return this.#limit ?? most(bytes);
  }

  /** Workers for so many pictures of a model. */
  hands(pictures, bytes) {
    const count = Math.max(1, Math.min(pictures, this.size(bytes)));
    while (this.#hands.length < count) {
      const wire = new Wire();
      const opened = wire.ask("open", ["cpu"]);
      opened.catch(() => {}); // told when its share is wanted
      this.#hands.push(new Hand(wire, opened));
    }
    return this.#hands.slice(0, count);
  }

  /** Waits until the worker has the model of that number. */
  async ready(hand, number) {
    if (this.#model?.number !== number) throw new UnnoiseError("model-replaced");
    try {
      await hand.hold(this.#model);
    } catch ({ message }) {
      throw new UnnoiseError("worker", { message, file: "pkg/worker.js" }); // another may have the model
    }
  }

  /** Does without a worker. @returns {Hand | undefined} one that can take over what it had to do */
  lose(hand, error) {
    hand.wire.close(error);
    const others = this.#hands.filter((other) => other !== hand);
    if (!others.length) return undefined; // whoever asks the last one hears what became of it
    this.#hands = others;
    this.#told({ stage: "worker-lost", workers: others.length });
    return others[0];
  }

  close() {
    for (const { wire } of this.#hands) wire.close();
  }
}

/**
 * Draws the pictures of a run on several workers. A step is there when all of them have it.
 * @param {Pool} pool
 * @param {Hand[]} hands
 * @param {number} images
 * @param {(hand: Hand, share: [number, number]) => AsyncGenerator<any>} draw
 */
export async function* together(pool, hands, images, draw) {
  const shares = divided(images, hands.map(({ pace }) => pace)).map((share, i) => new Share(pool, hands[i], share, draw));
  try {
    while ((await Promise.all(shares.map((share) => share.next()))).some(Boolean)) yield merged(shares.map(({ frame }) => frame));
    for (const share of shares) share.measure();
  } finally {
    for (const share of shares) share.end();
  }
}

/** Ranges of pictures, as long as the paces say; of workers that were not measured, equally long. @param {number[]} paces */
export function divided(images, paces) {
  const known = paces.every((pace) => pace > 0) ? paces : paces.map(() => 1);
  const whole = known.reduce((sum, pace) => sum + pace, 0);
  let [before, from] = [0, 0];
  return known.map((pace, i) => {
    before += pace;
    const rest = known.length - 1 - i; // everyone gets one at least
    const to = Math.min(Math.max(Math.round((images * before) / whole), from + 1), images - rest);
    const range = [from, to];
    from = to;
    return range;
  });
}

/** Some pictures of a run, on one worker or, where that breaks down, on another. */
class Share {
  /** The last one that there was. */
  frame;
  #pool;
  #hand;
  #range;
  #draw;
  #frames;
  #taken = 0;

  constructor(pool, hand, range, draw) {
    [this.#pool, this.#hand, this.#range, this.#draw] = [pool, hand, range, draw];
    this.#frames = draw(hand, range);
  }

  /** Takes the next frame, if there is one. */
  async next() {
    for (;;) {
      try {
        const { value, done } = await this.#frames.next();
        if (done) return false;
        this.frame = value;
        this.#taken += 1;
        return true;
      } catch (thrown) {
        const error = UnnoiseError.from(thrown, "run");
        // The run's own faults would be the same everywhere.
        const other = BROKEN.has(error.code) && this.#pool.lose(this.#hand, error);
        if (!other) throw error;
        [this.#hand, this.#frames] = [other, this.#draw(other, this.#range)];
        for (let i = 0; i < this.#taken; i++) await this.#frames.next();
      }
    }
  }

  measure() {
    const { images, evaluations, network_ms } = this.frame;
    if (network_ms > 0) this.#hand.pace = (images * evaluations) / network_ms;
  }

  end() {
    this.#frames.return();
  }
}

/** What only tells of the worker that it happened in. */
const BROKEN = new Set(["engine-crashed", "engine-open", "engine-wasm", "engine-test", "disagrees-cpu", "worker"]);

/** One frame of all pictures from those of the shares. */
function merged(frames) {
  const sum = (key) => frames.reduce((total, frame) => total + frame[key], 0);
  const most = (key) => Math.max(...frames.map((frame) => frame[key]));
  const noise = ({ alpha, sigma }) => sigma / alpha;
  const noisiest = frames.reduce((a, b) => (noise(b) > noise(a) ? b : a));
  // Where a sampler chooses its steps every picture has its own, and else all are evaluated together.
  const own = noisiest.steps === null;
  const joined = (key) => frames.every((frame) => frame[key]) && { [key]: join(frames.map((frame) => frame[key])) };
  return {
    ...noisiest,
    step: most("step"),
    done: Math.min(...frames.map(({ done }) => done)),
    images: sum("images"),
    evaluations: own ? sum("evaluations") : most("evaluations"),
    accepted: noisiest.accepted === null ? null : sum("accepted"),
    rejected: noisiest.rejected === null ? null : sum("rejected"),
    network_ms: most("network_ms"),
    read_ms: most("read_ms"),
    total_ms: most("total_ms"),
    ...joined("x"),
    ...joined("denoised"),
    ...joined("attention"),
  };
}

function join(parts) {
  const whole = new Uint8Array(parts.reduce((total, { length }) => total + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
