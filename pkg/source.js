/** Where the files of a model come from: a folder on a server, or anything that can read a path. */

import { absolute, download, prune } from "./download.js";
import { UnnoiseError } from "./error.js";
import { CARD, guess } from "./layout.js";

/**
 * @typedef {import("./index.js").Source} Source
 * @typedef {import("./index.js").LoadOptions} LoadOptions
 */

/** The files of a classifier's folder. */
const CLASSIFIER = { config: "config.json", weights: "diffusion_pytorch_model.safetensors" };

/** The address of a folder, with the slash that relative paths need. */
export const folderOf = (url) => absolute(String(url).replace(/\/?$/, "/"));

/** Whether a source reads by itself. */
export const reads = (source) => typeof source?.read === "function";

/** A model's folder: the engine asks for the list of its files and for those that it wants. */
export class Folder {
  #read;
  #list;
  /** What is under way or was not asked for yet. @type {Map<string, Promise<Uint8Array>>} */
  #held = new Map();
  #loaded = {};
  #totals = {};
  #progress;
  #known;

  /** @param {Source} source @param {LoadOptions} [options] */
  constructor(source, { signal, progress = () => {}, files } = {}) {
    this.#progress = progress;
    this.#read = reads(source) ? reader(source, signal) : fetcher(folderOf(source), files, signal);
    const sized = files && Object.values(files);
    if (!reads(source) && sized) {
      prune(folderOf(source), files).catch(() => {}); // the cache is a convenience
      this.#known = sized.reduce((total, { bytes }) => total + bytes, 0);
    }
    const listed = !reads(source) && files ? Object.keys(files) : undefined;
    /** Whether files are at hand, so that none is read before it is asked for. */
    this.local = reads(source) && typeof source.list === "function";
    this.#list = async () => listed ?? (this.local ? source.list({ signal }) : guess((path) => this.#fetch(path)));
  }

  /** The paths of its files, found once. @returns {Promise<string[]>} */
  list() {
    return (this.listing ??= this.#list());
  }

  /** The bytes of a file, which are the caller's then; weights are read once, and small files may be wanted again. @returns {Promise<Uint8Array>} */
  async read(path) {
    const data = await this.#fetch(path);
    if (!path.endsWith(".safetensors")) return data.slice();
    this.#held.delete(path);
    return data;
  }

  /** Reads everything that has to come over a network, all at once. */
  async fetch() {
    const paths = await this.list();
    if (!this.local) await Promise.all(paths.map((path) => this.#fetch(path)));
  }

  /** The model's card, as far as it can be read; what is wrong with it the engine says. */
  async card() {
    if (!(await this.list()).includes(CARD)) return {};
    try {
      return JSON.parse(new TextDecoder().decode(await this.#fetch(CARD))) ?? {};
    } catch {
      return {};
    }
  }

  #fetch(path) {
    const read = () => this.#read(path, (count, total) => this.#report(path, count, total));
    if (!this.#held.has(path)) this.#held.set(path, read());
    const held = this.#held.get(path);
    held.catch(() => this.#held.delete(path)); // to be tried anew
    return held;
  }

  #report(path, count, total) {
    const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);
    this.#loaded[path] = count;
    if (total !== undefined) this.#totals[path] = total;
    const whole = path in this.#totals ? sum(this.#totals) : undefined;
    this.#progress({ loaded: sum(this.#loaded), total: this.#known ?? whole, file: path });
  }
}

/**
 * Downloads a model before there is an engine to load it: the answer is a source that has its files at hand.
 * @param {Source} source @param {LoadOptions} [options] @returns {Promise<Source>}
 */
export async function fetch_model(source, options = {}) {
  const folder = new Folder(source, options);
  await folder.fetch();
  const paths = await folder.list();
  const elsewhere = reads(source) ? reader(source) : fetcher(folderOf(source));
  return { list: () => paths, read: (path) => (paths.includes(path) ? folder.read(path) : elsewhere(path, () => {})) };
}

/** The two files of a classifier. @param {Source} source @param {LoadOptions} options */
export async function readClassifier(source, options) {
  const folder = new Folder(source, options);
  const [config, weights] = await Promise.all([folder.read(CLASSIFIER.config), folder.read(CLASSIFIER.weights)]);
  return { config: new TextDecoder().decode(config), weights };
}

/** Reads from a server. */
function fetcher(folder, files, signal) {
  const name = (path) => shorten(new URL(path, folder));
  return async (path, progress) => {
    const facts = files?.[path];
    if (files && !facts) throw new UnnoiseError("not-listed", { file: name(path) });
    return download(new URL(path, folder), { signal, progress, facts, name: name(path) });
  };
}

/** Reads from an object of the caller's, which answers bytes in any of their forms, or undefined for what is not there. */
function reader(source, signal) {
  return async (path, progress) => {
    const given = await source.read(path, { signal });
    if (signal?.aborted) throw new UnnoiseError("aborted");
    if (given === undefined || given === null) throw new UnnoiseError("missing", { file: path, status: "404" });
    const data = await bytesOf(given);
    progress(data.length, data.length);
    return data;
  };
}

async function bytesOf(given) {
  if (typeof given === "string") return new TextEncoder().encode(given);
  // The engine's worker takes the bytes away, so that what belongs to the caller is copied.
  if (ArrayBuffer.isView(given)) return new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice();
  return new Uint8Array(given instanceof ArrayBuffer ? given.slice(0) : await given.arrayBuffer()); // or a Blob, a File, a Response
}

/** An address as a person would name it: relative to the page where it is below it. */
function shorten(url) {
  const base = globalThis.document ? new URL(".", document.baseURI).href : "";
  return base && url.href.startsWith(base) ? url.href.slice(base.length) : url.href;
}
