/** The workers of an engine. Pictures do not depend on each other, so that several workers can share a run out among them. */

import { UnnoiseError } from "./error.js";
import { Wire } from "./wire.js";

const MAX_WORKERS = 8;
/** Bytes of a parameter on the CPU, and of what a worker needs besides: the program, pictures, and small layers' weights in Winograd's
 * transform, which are 32 MB of `emoji-text`. */
const PARAMETER = 4;
const OVERHEAD = 112 * 2 ** 20;
/** Share of the machine's memory that the workers may take, and gigabytes of a machine that does not say what it has. */
const MEMORY_SHARE = 1 / 4;
const ASSUMED_GIGABYTES = 4;

/** How many workers may hold a model of that many parameters. */
export function maxWorkers(parameters, { hardwareConcurrency = 1, deviceMemory = ASSUMED_GIGABYTES } = globalThis.navigator ?? {}) {
  const memory = Math.floor((deviceMemory * 2 ** 30 * MEMORY_SHARE) / (PARAMETER * parameters + OVERHEAD));
  return Math.max(1, Math.min(MAX_WORKERS, hardwareConcurrency, memory));
}

/** @typedef {import("./wire.js").Files} Files */
/** @typedef {{number: number, open: () => Files}} Loadable a model, and what opens its files anew */

/** A worker, and the model that it has. */
class PoolWorker {
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
  load(model, files = undefined, signal = undefined) {
    if (this.#model === model) return this.#loaded;
    const [before, loaded] = [this.#model, this.#loaded];
    this.#model = model;
    this.#loaded = this.#fetch(model, files ?? model.open(), signal);
    this.#loaded.catch(() => {
      if (this.#model === model) [this.#model, this.#loaded] = [before, loaded]; // which is still there, as far as anyone knows
    });
    return this.#loaded;
  }

  async #fetch({ number }, files, signal) {
    await this.#opened;
    return this.wire.ask("load", [number], { signal, files }).finally(() => files.close());
  }
}

export class Pool {
  #workers;
  #limit;
  #report;
  #model;

  /** @param {Wire} wire of the worker that is open @param {{limit?: number, report: (note: any) => void}} options `limit` is of the number of workers; `report` is called when one crashes */
  constructor(wire, { limit, report }) {
    this.#workers = [new PoolWorker(wire)];
    this.#limit = limit;
    this.#report = report;
  }

  /** The worker that has the model for certain. */
  get first() {
    return this.#workers[0];
  }

  /** Puts a model on the first worker; the others follow when a run wants them. @param {Loadable} model @param {Files} files @param {AbortSignal} [signal] */
  async load(model, files, signal) {
    const about = await this.first.load(model, files, signal);
    this.#model = model;
    return about;
  }

  /** How many workers draw, where there are pictures enough. @param {number} parameters of the model */
  size(parameters) {
    return this.#limit ?? maxWorkers(parameters);
  }

  /** Workers for so many pictures of a model. */
  workers(pictures, parameters) {
    const count = Math.max(1, Math.min(pictures, this.size(parameters)));
    while (this.#workers.length < count) {
      const wire = new Wire();
      const opened = wire.ask("open", ["cpu"]);
      opened.catch(() => {}); // told when its share is wanted
      this.#workers.push(new PoolWorker(wire, opened));
    }
    return this.#workers.slice(0, count);
  }

  /** Waits until the worker has the model of that number. */
  async ready(worker, number) {
    if (this.#model?.number !== number) throw new UnnoiseError("model-replaced");
    try {
      await worker.load(this.#model);
    } catch ({ message }) {
      throw new UnnoiseError("worker", { message, file: "pkg/worker.js" }); // another may have the model
    }
  }

  /** Removes a worker that crashed. @returns {PoolWorker | undefined} one that can take over its share */
  remove(worker, error) {
    worker.wire.close(error);
    const others = this.#workers.filter((other) => other !== worker);
    if (!others.length) return undefined; // whoever asks the last one hears what became of it
    this.#workers = others;
    this.#report({ stage: "worker-lost", workers: others.length });
    return others[0];
  }

  close() {
    for (const { wire } of this.#workers) wire.close();
  }
}

/**
 * Draws the pictures of a run on several workers. A step is there when all of them have it.
 * @param {Pool} pool
 * @param {PoolWorker[]} workers
 * @param {number} images
 * @param {(worker: PoolWorker, share: [number, number]) => AsyncGenerator<any>} draw
 */
export async function* runShares(pool, workers, images, draw) {
  const shares = splitImages(images, workers.map(({ pace }) => pace)).map((share, i) => new Share(pool, workers[i], share, draw));
  try {
    while ((await Promise.all(shares.map((share) => share.next()))).some(Boolean)) yield merged(shares.map(({ frame }) => frame));
    for (const share of shares) share.measure();
  } finally {
    for (const share of shares) share.end();
  }
}

/** Ranges of pictures, as long as the paces say; of workers that were not measured, equally long. @param {number[]} paces */
export function splitImages(images, paces) {
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
  #worker;
  #range;
  #draw;
  #frames;
  #taken = 0;
  /** Frames that a worker has to draw again, since the one before had drawn them. */
  #repeated = 0;

  constructor(pool, worker, range, draw) {
    [this.#pool, this.#worker, this.#range, this.#draw] = [pool, worker, range, draw];
    this.#frames = draw(worker, range);
  }

  /** Takes the next frame, if there is one. */
  async next() {
    for (;;) {
      try {
        for (; this.#repeated > 0; this.#repeated -= 1) await this.#frames.next();
        const { value, done } = await this.#frames.next();
        if (done) return false;
        this.frame = value;
        this.#taken += 1;
        return true;
      } catch (thrown) {
        const error = UnnoiseError.from(thrown, "run");
        // The run's own errors would be the same on any worker.
        const other = CRASHES.has(error.code) && this.#pool.remove(this.#worker, error);
        if (!other) throw error;
        [this.#worker, this.#frames] = [other, this.#draw(other, this.#range)];
        this.#repeated = this.#taken;
      }
    }
  }

  measure() {
    const { images, evaluations, network_ms } = this.frame;
    if (network_ms > 0) this.#worker.pace = (images * evaluations) / network_ms;
  }

  end() {
    this.#frames.return();
  }
}

/** Errors of a worker and not of the run. */
const CRASHES = new Set(["engine-crashed", "engine-open", "engine-wasm", "engine-test", "disagrees-cpu", "worker"]);

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
    ...joined("noise"),
    ...joined("posterior"),
    ...(frames.every(({ numbers }) => numbers) && { numbers: frames.flatMap(({ numbers }) => numbers) }),
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
