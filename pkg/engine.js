/** Models of pictures on a device. */

import { UnnoiseError } from "./error.js";
import { fit, init } from "./settings.js";
import { Folder, classifierOf, folderOf, reads } from "./source.js";
import { Wire } from "./wire.js";

export class Engine {
  #wire;
  #loads = 0;

  constructor(wire, { backend, adapter, reason }) {
    this.#wire = wire;
    /** `cpu` or `webgpu`. */
    this.backend = backend;
    /** The device in words. */
    this.adapter = adapter;
    /** Why this backend: `{code, values}`. */
    this.reason = reason;
  }

  /** @param {import("./index.js").OpenOptions} [options] */
  static async open({ device = "auto", signal, stage = () => {} } = {}) {
    const wire = new Wire(stage);
    try {
      const [, opened] = await Promise.all([init(), wire.ask("open", [device], { signal })]);
      return new Engine(wire, opened);
    } catch (thrown) {
      wire.close();
      throw thrown;
    }
  }

  /** @param {import("./index.js").Source} source @param {import("./index.js").LoadOptions} [options] */
  async load(source, options = {}) {
    const { id = nameOf(source), signal } = options;
    const folder = new Folder(source, options);
    const card = await folder.card();
    await folder.fetch();
    if (signal?.aborted) throw new UnnoiseError("aborted");
    const number = ++this.#loads;
    const about = await this.#wire.ask("load", [number], { signal, files: folder }).finally(() => folder.close());
    const { classifier, defaults = {}, prompts = {} } = card;
    const beside = options.classifier ?? (classifier && sibling(source, classifier));
    return new Model(this.#wire, { number, about, id, defaults, prompts, classifier: beside });
  }

  /** What the engine needs of a source, without loading it. @param {import("./index.js").Source} source @param {{signal?: AbortSignal}} [options] */
  async needs(source, { signal } = {}) {
    const folder = new Folder(source, { signal });
    return this.#wire.ask("needs", [], { signal, files: folder }).finally(() => folder.close());
  }

  close() {
    this.#wire.close();
  }
}

class Model {
  #wire;
  #number;
  #classifier;
  #leading;

  constructor(wire, { number, about, id, defaults, prompts, classifier }) {
    this.#wire = wire;
    this.#number = number;
    this.#classifier = classifier;
    /** What the engine knows of the model. */
    this.about = about;
    /** The row that functions of settings want of a model. */
    this.listed = { id, defaults, classifier: classifier ? {} : null, conditioning: about.conditioning };
    /** What they want to know of it once it is loaded. */
    this.facts = facts(about);
    /** Prompts that show what it can do, by language. */
    this.prompts = prompts;
  }

  /** @param {import("./index.js").Settings} settings @param {import("./index.js").RunOptions} [options] */
  async *run(settings = {}, { picture, mask, signal } = {}) {
    if (Number(settings.classifier ?? this.listed.defaults.classifier ?? 0) > 0) await this.#lead(signal);
    yield* this.#wire.stream("run", [this.#number, settings, { picture, mask }], { signal, ahead: true });
  }

  /** The run as a Python script on diffusers. @param {import("./index.js").Settings} settings */
  python(settings = {}, options = {}) {
    return this.#wire.ask("python", [this.#number, settings], options);
  }

  /** How it reads a prompt. @param {string} text */
  tokens(text, options = {}) {
    return this.#wire.ask("tokens", [this.#number, text], options);
  }

  /** The settings as this model can run them, and what had to be changed. @param {import("./index.js").Settings} settings */
  fit(settings) {
    return fit({ ...settings, model: this.listed.id }, [this.listed], this.facts);
  }

  /** Puts the classifier beside the model, once. */
  async #lead(signal) {
    if (!this.#classifier) return; // the engine says that there is none
    this.#leading ??= (async () => {
      const { source = this.#classifier, files } = this.#classifier;
      const folder = classifierOf(source, { signal, files });
      await this.#wire.ask("load_classifier", [this.#number], { signal, files: folder }).finally(() => folder.close());
    })();
    try {
      await this.#leading;
    } catch (thrown) {
      this.#leading = undefined; // to be tried anew
      throw thrown;
    }
  }
}

/** A model is called as its folder is. */
const nameOf = (source) => (reads(source) ? "model" : decodeURIComponent(folderOf(source).pathname.split("/").at(-2)) || "model");

/** What the rules of fit have to know of a loaded model. @param {import("./index.js").About} about */
export const facts = ({ classes, null_class, conditioning, latent }) => ({ classes: classes.length, null_class, text: conditioning === "text", latent });

/** The folder beside a model's. */
function sibling(source, name) {
  if (!reads(source)) return folderOf(new URL(`../${encodeURIComponent(name)}/`, folderOf(source)));
  const beside = (method) => source[method] && ((path, ...args) => source[method](`../${name}/${path}`, ...args));
  return { read: beside("read"), size: beside("size"), range: beside("range") };
}
