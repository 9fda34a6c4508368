/** The workers of the laboratory. Panes do not depend on each other, so that each can run on a core of its own. */

import { Wire } from "./wire.js";

/** A worker more, and what it knows of the laboratory. */
class Helper {
  wire = new Wire();
  /** The settings and the network that it has. */
  settings;
  network;
  /** It is brought up to date by one pane after the other. */
  turn = Promise.resolve();

  /** Gives it the settings and, where panes show it, the network of the first worker. */
  update(settings, network) {
    return (this.turn = this.turn.then(async () => {
      if (this.settings !== settings) {
        await (this.settings ? this.wire.ask("lab", ["change", settings]) : this.wire.ask("open_lab", [settings]));
        [this.settings, this.network] = [settings, undefined];
      }
      if (!network || this.network === network) return;
      const [config, weights] = await network;
      await this.wire.ask("lab", ["use_weights", config, weights]);
      this.network = network;
    }));
  }
}

export class LabPool {
  #first;
  #settings;
  /** Configuration and weights of the network, once a pane has asked for them. @type {Promise<[string, Uint8Array]> | undefined} */
  #network;
  /** @type {Map<number, Helper>} */
  #helpers = new Map();

  /** @param {Wire} first the worker of everything but panes */
  constructor(first) {
    this.#first = first;
  }

  /** The settings have changed. @param {import("./index.js").Settings} settings */
  settings_changed(settings) {
    this.#settings = settings;
    this.network_changed();
  }

  /** The network was trained or replaced. */
  network_changed() {
    this.#network = undefined;
  }

  /** The worker that a pane, 1 to 4, is to run on, with all that the pane depends on. */
  async of(pane) {
    const cores = globalThis.navigator?.hardwareConcurrency ?? 1;
    const place = (pane - 1) % cores;
    // A classifier is trained where it guides.
    if (place === 0 || this.#settings.guide === "learned-classifier") return this.#first;
    const helper = this.#helpers.get(place) ?? new Helper();
    this.#helpers.set(place, helper);
    const ask = (name) => this.#first.ask("lab", [name]);
    if (this.#settings.model === "learned") this.#network ??= Promise.all([ask("config"), ask("weights")]);
    try {
      await helper.update(this.#settings, this.#settings.model === "learned" ? this.#network : undefined);
      return helper.wire;
    } catch {
      this.#helpers.delete(place); // the first one does it as well, and says what is wrong with settings or network
      helper.wire.close();
      return this.#first;
    }
  }

  close() {
    for (const { wire } of this.#helpers.values()) wire.close();
  }
}
