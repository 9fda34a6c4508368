/** Models of pictures on a device. */

import { UnnoiseError } from "./error.js";
import { Pool, runShares } from "./pool.js";
import { fit, init } from "./settings.js";
import { Folder, classifierOf, folderOf, reads } from "./source.js";
import { Wire } from "./wire.js";

/** Steps of the run of which the second is timed. */
const PACE_STEPS = 3;

export class Engine {
  #pool;
  #loads = 0;

  constructor(pool, { backend, adapter, reason }) {
    this.#pool = pool;
    /** `cpu` or `webgpu`. */
    this.backend = backend;
    /** The device in words. */
    this.adapter = adapter;
    /** Why this backend: `{code, values}`. */
    this.reason = reason;
  }

  /** @param {import("./index.js").OpenOptions} [options] */
  static async open({ device = "auto", workers, signal, stage = () => {} } = {}) {
    const wire = new Wire(stage);
    try {
      const [, opened] = await Promise.all([init(), wire.ask("open", [device], { signal })]);
      const pool = new Pool(wire, { limit: opened.backend === "cpu" ? workers : 1, report: stage });
      return new Engine(pool, opened);
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
    const open = () => new Folder(source, { files: options.files });
    const about = await this.#pool.load({ number, open }, folder, signal);
    const { classifier, defaults = {}, prompts = {} } = card;
    const beside = options.classifier ?? (classifier && sibling(source, classifier));
    const ahead = this.backend === "cpu"; // on a graphics card the engine itself is a step ahead
    return new Model(this.#pool, { number, about, id, defaults, prompts, classifier: beside, ahead, draws: this.backend === "webgpu" });
  }

  /** What the engine needs of a source, without loading it. @param {import("./index.js").Source} source @param {{signal?: AbortSignal}} [options] */
  async needs(source, { signal } = {}) {
    const folder = new Folder(source, { signal });
    return this.#pool.first.wire.ask("needs", [], { signal, files: folder }).finally(() => folder.close());
  }

  /** Times the kernels on the graphics card. @param {{signal?: AbortSignal}} [options] */
  bench({ signal } = {}) {
    return this.#pool.first.wire.stream("bench", [], { signal });
  }

  close() {
    this.#pool.close();
  }
}

class Model {
  #pool;
  #number;
  #ahead;
  /** Whether its device can draw on canvases. */
  #draws;
  #classifier;
  /** The loading of the classifier, by worker, and the last that was begun. */
  #classifiers = new WeakMap();
  #lastClassifier;

  constructor(pool, { number, about, id, defaults, prompts, classifier, ahead, draws }) {
    this.#pool = pool;
    this.#number = number;
    this.#ahead = ahead;
    this.#draws = draws;
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

  /** How many workers share a run's pictures out among them, where there are so many. */
  get workers() {
    return this.#pool.size(this.about.parameters);
  }

  /** @param {import("./index.js").Settings} settings @param {import("./index.js").RunOptions} [options] */
  async *run(settings = {}, { picture, mask, attention = false, details = false, present, signal } = {}) {
    if (present && !this.#draws) throw new UnnoiseError("canvas-cpu");
    const images = this.workers > 1 ? await this.#ask("images", [settings], { signal }) : 1;
    const workers = this.#pool.workers(images, this.about.parameters);
    const draw = (worker, share) => this.#draw(worker, settings, { picture, mask, attention, details, present: present && worker.wire.canvases(present), share }, signal);
    yield* workers.length > 1 ? runShares(this.#pool, workers, images, draw) : draw(workers[0]);
  }

  /** Milliseconds of a step of these settings. @param {import("./index.js").Settings} settings @param {{signal?: AbortSignal}} [options] */
  async pace(settings = {}, { signal } = {}) {
    let before = 0;
    for await (const { step } of this.run({ ...settings, steps: PACE_STEPS }, { signal })) {
      const now = performance.now();
      if (step === 2) return now - before;
      before = now;
    }
    throw new UnnoiseError("aborted"); // it ended before its second step
  }

  /** Draws on one worker. */
  async *#draw(worker, settings, given, signal) {
    if (given.share) await this.#pool.ready(worker, this.#number);
    if (Number(settings.classifier ?? this.listed.defaults.classifier ?? 0) > 0) await this.#loadClassifier(worker, signal);
    yield* worker.wire.stream("run", [this.#number, settings, given], { signal, ahead: this.#ahead });
  }

  /** The forward process on a picture. @param {import("./index.js").Settings} settings @param {import("./index.js").ForwardOptions} [options] */
  forward(settings = {}, { picture, signal } = {}) {
    return this.#pool.first.wire.stream("forward", [this.#number, settings, { picture }], { signal });
  }

  /** The race of samplers that the settings name. @param {import("./index.js").Settings} settings @param {{signal?: AbortSignal}} [options] */
  race(settings = {}, { signal } = {}) {
    return this.#pool.first.wire.stream("race", [this.#number, settings], { signal, ahead: true });
  }

  /** The noise levels of a run. @param {import("./index.js").Settings} settings */
  levels(settings = {}, options = {}) {
    return this.#ask("levels", [settings], options);
  }

  /** The run as a Python script on diffusers. @param {import("./index.js").Settings} settings */
  python(settings = {}, options = {}) {
    return this.#ask("python", [settings], options);
  }

  /** How it reads a prompt under these settings. @param {string} text @param {import("./index.js").Settings} settings */
  tokens(text, settings = {}, options = {}) {
    return this.#ask("tokens", [text, settings], options);
  }

  /** The settings as this model can run them, and what had to be changed. @param {import("./index.js").Settings} settings */
  fit(settings) {
    return fit({ ...settings, model: this.listed.id }, [this.listed], this.facts);
  }

  #ask(call, args, options) {
    return this.#pool.first.wire.ask(call, [this.#number, ...args], options);
  }

  /** Puts the classifier beside the model, once on every worker. */
  async #loadClassifier(worker, signal) {
    if (!this.#classifier) return; // the engine says that there is none
    const load = async () => {
      const { source = this.#classifier, files } = this.#classifier;
      const folder = classifierOf(source, { signal, files });
      await worker.wire.ask("load_classifier", [this.#number], { signal, files: folder }).finally(() => folder.close());
    };
    if (!this.#classifiers.has(worker)) {
      // One after the other, so that what the first fetched is at worker for the next.
      const before = this.#lastClassifier;
      this.#lastClassifier = (before ?? Promise.resolve()).catch(() => {}).then(load);
      this.#classifiers.set(worker, this.#lastClassifier);
    }
    try {
      await this.#classifiers.get(worker);
    } catch (thrown) {
      this.#classifiers.delete(worker); // to be tried anew
      throw thrown;
    }
  }
}

/** A model is called as its folder is. */
const nameOf = (source) => (reads(source) ? "model" : decodeURIComponent(folderOf(source).pathname.split("/").at(-2)) || "model");

/** What the rules of fit have to know of a loaded model. @param {import("./index.js").About} about */
export const facts = ({ classes, null_class, conditioning, latent, sizes }) => ({ classes: classes.length, null_class, text: conditioning === "text", latent, sizes });

/** The folder beside a model's. */
function sibling(source, name) {
  if (!reads(source)) return folderOf(new URL(`../${encodeURIComponent(name)}/`, folderOf(source)));
  const beside = (method) => source[method] && ((path, ...args) => source[method](`../${name}/${path}`, ...args));
  return { read: beside("read"), size: beside("size"), range: beside("range") };
}
