/** The laboratory of the plane, in a worker of its own. */

import { init } from "./settings.js";
import { Wire } from "./wire.js";

/** What has one answer. */
const CALLS = ["change", "data", "levels", "noised", "chain", "density", "field", "likelihood", "bound", "floor", "inversion", "latent", "reconstructed", "latent_density", "reached", "masked", "unmasked", "shown", "discrete", "reset", "weights", "use_weights"];
/** Readers of points of one's own, which need no laboratory. */
const READERS = ["csv", "image", "pack", "unpack"];
/** What answers item by item. */
const STREAMS = ["run", "latent_run", "anneal", "race", "train", "classify"];

export class Lab {
  #wire = new Wire();

  /** @param {import("./index.js").Settings} [settings] @param {{signal?: AbortSignal}} [options] */
  static async open(settings = {}, options) {
    const lab = new Lab();
    try {
      await Promise.all([init(), lab.#wire.ask("open_lab", [settings], options)]);
      return lab;
    } catch (thrown) {
      lab.close();
      throw thrown;
    }
  }

  close() {
    this.#wire.close();
  }

  static {
    for (const name of CALLS) this.prototype[name] = function (...args) { return this.#wire.ask("lab", [name, ...args]); };
    for (const name of READERS) this.prototype[name] = function (...args) { return this.#wire.ask("lab_reader", [`lab_${name}`, ...args]); };
    for (const name of STREAMS) this.prototype[name] = function (...args) { return this.#wire.stream(`lab_${name}`, args); };
  }
}
