/** Where the files of a model come from: a folder on a server, or anything that can read a path. */

import { Cursor } from "./cursor.js";
import { absolute, download, prune } from "./download.js";
import { UnnoiseError } from "./error.js";
import { CARD, guess } from "./layout.js";

/**
 * @typedef {import("./index.js").Source} Source
 * @typedef {import("./index.js").LoadOptions} LoadOptions
 * @typedef {{size: () => Promise<number | null>, range: (from: number, to: number) => Promise<Uint8Array>, store: () => Promise<void>, pause: () => Promise<void>}} Cut a file in pieces
 */

/** The files of a classifier's folder. */
const CLASSIFIER = ["config.json", "diffusion_pytorch_model.safetensors"];

/** The address of a folder, with the slash that relative paths need. */
export const folderOf = (url) => absolute(String(url).replace(/\/?$/, "/"));

/** Whether a source reads by itself. */
export const reads = (source) => typeof source?.read === "function";

/** Files that are read a few megabytes at a time, and never held. */
const isWeights = (path) => path.endsWith(".safetensors");

/** A model's folder: the engine asks for the list of its files and for those that it wants, and for weights in pieces. */
export class Folder {
  #files;
  #list;
  /** Small files, under way or read. @type {Map<string, Promise<Uint8Array>>} */
  #held = new Map();
  /** Files that are read in pieces, and the one that is under way. @type {Map<string, Cut>} */
  #cut = new Map();
  #current;
  #sizes = {};
  #loaded = {};
  #progress;
  #known;

  /** @param {Source} source @param {LoadOptions & {paths?: string[]}} [options] `paths`: what is in it, where that is known */
  constructor(source, { signal, progress = () => {}, files, paths } = {}) {
    this.#progress = progress;
    this.#files = reads(source) ? new Given(source, signal) : new Hosted(folderOf(source), files, signal);
    if (!reads(source) && files) {
      prune(folderOf(source), files).catch(() => {}); // the cache is a convenience
      this.#sizes = Object.fromEntries(Object.entries(files).map(([path, { bytes }]) => [path, bytes]));
      this.#known = sum(this.#sizes);
    }
    /** Whether files are at hand, so that none is read before it is asked for. */
    this.local = reads(source) && typeof source.list === "function";
    this.#list = async () => {
      if (paths ?? (!reads(source) && files)) return paths ?? Object.keys(files);
      return this.local ? this.#sized(await source.list({ signal })) : guess((path) => this.#fetch(path));
    };
  }

  /** The paths of its files, found once. @returns {Promise<string[]>} */
  list() {
    return (this.listing ??= this.#list());
  }

  /** The bytes of a file, which are the caller's then. @returns {Promise<Uint8Array>} */
  async read(path) {
    return (await this.#fetch(path)).slice();
  }

  /** How many bytes a file has; null where that is not known. @returns {Promise<number | null>} */
  async size(path) {
    return (await this.#turn(path)).size();
  }

  /** The bytes of a file from one place to another, which are the caller's then. @returns {Promise<Uint8Array>} */
  async range(path, from, to) {
    return (await this.#turn(path)).range(from, to);
  }

  /** A file that one caller reads in pieces; another has one of its own. @returns {Cut} */
  cut(path) {
    const file = this.#files.open(path);
    const size = async () => {
      if (path in this.#sizes) return this.#sizes[path];
      const size = await file.size();
      if (size !== null) this.#sizes[path] = size;
      return size;
    };
    const range = async (from, to) => {
      const data = await file.range(from, to);
      if (data.length !== to - from) throw new UnnoiseError("truncated", { file: path, got: from + data.length, expected: this.#sizes[path] ?? to });
      this.#report(path, to, this.#sizes[path]);
      return data;
    };
    const store = async () => file.store?.((count) => this.#report(path, count, this.#sizes[path]));
    return { size, range, store, pause: async () => file.pause?.() };
  }

  /** Reads every small file that has to come over a network, all at once. */
  async fetch() {
    const paths = await this.list();
    if (!this.local) await Promise.all(paths.filter((path) => !isWeights(path)).map((path) => this.#fetch(path)));
  }

  /** Brings the weights into the cache as well, where there is one. */
  async store() {
    await this.fetch();
    for (const path of (await this.list()).filter(isWeights)) {
      const file = this.cut(path);
      await file.store().finally(file.pause);
    }
  }

  /** Gives back what a file that is half read holds. */
  async close() {
    await this.#current?.pause();
    this.#current = undefined;
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

  /** A file whose turn it is; the one before waits. */
  async #turn(path) {
    if (!this.#cut.has(path)) this.#cut.set(path, this.cut(path));
    const file = this.#cut.get(path);
    if (this.#current !== file) await this.close();
    return (this.#current = file);
  }

  #fetch(path) {
    const read = () => this.#files.read(path, (count, total) => this.#report(path, count, total));
    if (!this.#held.has(path)) this.#held.set(path, read());
    const held = this.#held.get(path);
    held.catch(() => this.#held.delete(path)); // to be tried anew
    return held;
  }

  /** The paths of a list that may have sizes. */
  #sized(list) {
    return list.map((entry) => {
      if (typeof entry === "string") return entry;
      this.#sizes[entry.path] = entry.bytes;
      return entry.path;
    });
  }

  #report(path, count, total) {
    this.#loaded[path] = Math.max(count, this.#loaded[path] ?? 0);
    if (total !== undefined) this.#sizes[path] = total;
    const read = Object.keys(this.#loaded);
    const whole = read.every((path) => path in this.#sizes) ? read.reduce((sum, path) => sum + this.#sizes[path], 0) : undefined;
    this.#progress({ loaded: sum(this.#loaded), total: this.#known ?? whole, file: path, file_loaded: this.#loaded[path], file_total: total });
  }
}

const sum = (counts) => Object.values(counts).reduce((a, b) => a + b, 0);

/**
 * Downloads a model before there is an engine to load it: the answer is a source that has its files at hand, the large ones in the
 * browser's cache where there is one.
 * @param {Source} source @param {LoadOptions} [options] @returns {Promise<Source>}
 */
export async function fetch_model(source, options = {}) {
  const folder = new Folder(source, options);
  await folder.store();
  const paths = await folder.list();
  const elsewhere = new Folder(source, { signal: options.signal });
  const holding = (path) => (paths.includes(path) ? folder : elsewhere);
  return {
    list: () => paths,
    read: (path) => holding(path).read(path),
    size: (path) => holding(path).size(path),
    range: (path, from, to) => holding(path).range(path, from, to),
    [CUT]: (path) => holding(path).cut(path),
  };
}

/** What a downloaded model has so that several can read it at the same time. */
const CUT = Symbol("cut");

/** The folder of a classifier, of which two files are read. @param {Source} source @param {LoadOptions} options */
export const classifierOf = (source, options) => new Folder(source, { ...options, paths: CLASSIFIER });

/** The files of a server's folder. */
class Hosted {
  constructor(folder, files, signal) {
    /** The address of a file, and what is known of it. */
    this.at = (path) => {
      const [url, facts] = [new URL(path, folder), files?.[path]];
      const name = shorten(url);
      if (files && !facts) throw new UnnoiseError("not-listed", { file: name });
      return [url, { signal, facts, name }];
    };
  }

  async read(path, progress) {
    const [url, options] = this.at(path);
    return download(url, { ...options, progress });
  }

  open(path) {
    return new Cursor(...this.at(path));
  }
}

/** The files of an object of the caller's, which answers bytes in any of their forms, or undefined for what is not there. */
class Given {
  #source;
  #signal;

  constructor(source, signal) {
    this.#source = source;
    this.#signal = signal;
  }

  async read(path, progress) {
    const data = await bytesOf(await this.#content(path));
    progress(data.length, data.length);
    return data;
  }

  open(path) {
    const [source, signal] = [this.#source, this.#signal];
    if (source[CUT]) return source[CUT](path);
    const ask = async (method, ...args) => {
      const given = await source[method](path, ...args, { signal });
      if (signal?.aborted) throw new UnnoiseError("aborted");
      return given;
    };
    // Without ranges it is read whole, and cut where it lies.
    let whole;
    const held = async () => (whole ??= blobOf(await this.#content(path)));
    const ranges = typeof source.range === "function";
    return {
      size: async () => (source.size ? ((await ask("size")) ?? null) : ranges ? null : (await held()).size),
      range: async (from, to) => bytesOf(ranges ? await ask("range", from, to) : (await held()).slice(from, to)),
    };
  }

  async #content(path) {
    const given = await this.#source.read(path, { signal: this.#signal });
    if (this.#signal?.aborted) throw new UnnoiseError("aborted");
    if (given === undefined || given === null) throw new UnnoiseError("missing", { file: path, status: "404" });
    return given;
  }
}

const blobOf = (given) => (given instanceof Blob ? given : given instanceof Response ? given.blob() : new Blob([given]));

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
