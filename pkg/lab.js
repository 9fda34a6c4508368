/** The laboratory of the plane, in workers of its own. */

import { LabPool } from "./lab-pool.js";
import { init } from "./settings.js";
import { Wire } from "./wire.js";

/** What has one answer. */
const CALLS = ["data", "levels", "noised", "chain", "density", "field", "likelihood", "bound", "floor", "inversion", "latent", "reconstructed", "latent_density", "reached", "masked", "unmasked", "shown", "discrete", "weights"];
/** Readers of points of one's own, which need no laboratory. */
const READERS = ["csv", "image", "pack", "unpack"];
/** What replaces the network. */
const NETWORK_CHANGES = ["reset", "use_weights"];
/** What answers item by item. */
const STREAMS = ["latent_run", "anneal", "race", "classify"];

export class Lab {
  #wire = new Wire();
  #pool = new LabPool(this.#wire);

  /** @param {import("./index.js").Settings} [settings] @param {{signal?: AbortSignal}} [options] */
  static async open(settings = {}, options) {
    const lab = new Lab();
    try {
      lab.#pool.settings_changed(settings);
      await Promise.all([init(), lab.#wire.ask("open_lab", [settings], options)]);
      return lab;
    } catch (thrown) {
      lab.close();
      throw thrown;
    }
  }

  change(settings) {
    this.#pool.settings_changed(settings);
    return this.#wire.ask("lab", ["change", settings]);
  }

  async *run(pane) {
    const wire = await this.#pool.of(pane);
    yield* wire.stream("lab_run", [pane]);
  }

  async *train(until) {
    for await (const trained of this.#wire.stream("lab_train", [until])) {
      this.#pool.network_changed();
      yield trained;
    }
  }

  close() {
    this.#pool.close();
    this.#wire.close();
  }

  static {
    for (const name of CALLS) this.prototype[name] = function (...args) { return this.#wire.ask("lab", [name, ...args]); };
    for (const name of NETWORK_CHANGES) {
      this.prototype[name] = function (...args) {
        this.#pool.network_changed();
        return this.#wire.ask("lab", [name, ...args]);
      };
    }
    for (const name of READERS) this.prototype[name] = function (...args) { return this.#wire.ask("lab_reader", [`lab_${name}`, ...args]); };
    for (const name of STREAMS) this.prototype[name] = function (...args) { return this.#wire.stream(`lab_${name}`, args); };
  }
}
