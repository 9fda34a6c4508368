/** A large file of another host: downloaded piece by piece, going on where a connection broke, and checked as it arrives. */

import { UnnoiseError } from "./error.js";
import { Sha256 } from "./sha256.js";

/** Bytes of each piece but the last. */
const SIZE = 4 << 20;
/** Bytes of the beginning of a file, where safetensors have their header. */
const HEAD = 1 << 18;
/** How often a download that brought nothing new is tried again, and how long it waits before (milliseconds, doubled each time). */
const TRIES = 4;
const PAUSE = 500;
/** Failures that may be over a moment later. */
const PASSING = ["hub-unreachable", "hub-failed", "offline"];

/**
 * @typedef {(from: number, signal?: AbortSignal, to?: number) => Promise<{response: Response, at: number}>} Request asks for the
 * bytes from a place on, or up to another; the answer may begin before it, at `at`, and go on after it
 */

export class LargeFile {
  #pieces;
  #request;
  /** The beginning of a file that is not here. @type {Uint8Array | undefined} */
  #head;

  /**
   * @param {{name: string, key: string, bytes: number, sha256?: string}} facts `name` is what errors call it, `key` what it is kept under
   * @param {import("./pieces.js").Pieces} pieces @param {Request} request
   */
  constructor({ name, key, bytes, sha256 }, pieces, request) {
    Object.assign(this, { name, key, bytes, sha256 });
    this.#pieces = pieces;
    this.#request = request;
  }

  #at = (number) => `${this.key}&piece=${number}`;
  /** What says that all pieces are there and were checked. */
  #mark = () => this.#at("all");

  /** Whether it is here. */
  whole = async () => Boolean(await this.#pieces.get(this.#mark()));

  /** The pieces that are here, from its beginning on. @returns {AsyncGenerator<Blob>} */
  async *here() {
    for (let length = 0; length < this.bytes; length += SIZE) {
      const piece = await this.#pieces.get(this.#at(length / SIZE));
      if (piece?.size !== Math.min(SIZE, this.bytes - length)) return;
      yield piece;
    }
  }

  /** How many bytes have yet to come. */
  async missing() {
    if (await this.whole()) return 0;
    let missing = this.bytes;
    for await (const { size } of this.here()) missing -= size;
    return missing;
  }

  /**
   * Sees to it that it is here.
   * @param {{signal?: AbortSignal, progress?: (loaded: number) => void}} [options]
   */
  async fetch({ signal, progress = () => {} } = {}) {
    // Two tabs do not download the same file at once: the second finds what the first one left.
    const work = () => this.#fetch(signal, progress);
    if (!globalThis.navigator?.locks) return work();
    return navigator.locks.request(this.key, { signal }, work).catch((thrown) => {
      throw signal?.aborted ? new UnnoiseError("aborted") : thrown;
    });
  }

  async #fetch(signal, progress) {
    if (await this.whole()) return progress(this.bytes);
    const arriving = new Arriving(this, this.#pieces, this.#at);
    await arriving.kept();
    if (!arriving.length && this.#head) await arriving.take(this.#head);
    this.#head = undefined;
    progress(arriving.length);
    let [tries, before] = [0, arriving.length];
    while (arriving.length < this.bytes) {
      const broke = await this.#body(arriving, signal, progress);
      if (arriving.length >= this.bytes) break;
      tries = arriving.length > before ? 0 : tries + 1;
      before = arriving.length;
      if (tries < TRIES) await pause(PAUSE * 2 ** tries, signal);
      else throw broke ?? new UnnoiseError("truncated", { file: this.name, got: arriving.length, expected: this.bytes });
    }
    await arriving.end();
    await this.#pieces.put(this.#mark(), new Uint8Array());
  }

  /** Reads one answer, as far as it goes. @returns {Promise<UnnoiseError | undefined>} why it broke off, if it says why */
  async #body(arriving, signal, progress) {
    try {
      const { response, at } = await this.#request(arriving.length, signal);
      let known = arriving.length - at; // bytes that a host without ranges sends once more
      const reader = response.body.getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return undefined;
        const fresh = value.subarray(Math.min(known, value.length));
        known -= value.length - fresh.length;
        await arriving.take(fresh);
        progress(arriving.length);
      }
    } catch (thrown) {
      if (signal?.aborted) throw new UnnoiseError("aborted");
      if (!(thrown instanceof UnnoiseError)) return undefined; // the connection broke in the middle
      if (!PASSING.includes(thrown.code)) throw thrown;
      return thrown;
    }
  }

  /** Bytes of it. Of a file that is not here, they are asked for alone. @param {number} from @param {number} to @returns {Promise<Uint8Array>} */
  async range(from, to, signal) {
    if (await this.whole()) return this.#kept(from, to);
    if (to > HEAD) return this.#remote(from, to, signal);
    this.#head ??= await this.#remote(0, Math.min(HEAD, this.bytes), signal);
    return this.#head.slice(from, to);
  }

  async #remote(from, to, signal) {
    const { response, at } = await this.#request(from, signal, to);
    const out = new Uint8Array(to - from);
    const reader = response.body.getReader();
    for (let place = at; place < to; ) {
      const { done, value } = await reader.read().catch(() => ({ done: true, value: undefined }));
      if (signal?.aborted) throw new UnnoiseError("aborted");
      if (done) throw new UnnoiseError("truncated", { file: this.name, got: place, expected: to });
      const part = value.subarray(Math.max(from - place, 0), to - place);
      if (place + value.length > from) out.set(part, Math.max(place - from, 0));
      place += value.length;
    }
    reader.cancel().catch(() => {}); // what a host without ranges would send besides
    return out;
  }

  async #kept(from, to) {
    const out = new Uint8Array(to - from);
    for (let at = from; at < to; ) {
      const number = Math.floor(at / SIZE);
      const piece = await this.#pieces.get(this.#at(number));
      const start = at - number * SIZE;
      const part = piece?.slice(start, start + (to - at));
      if (!part?.size) throw new UnnoiseError("removed", { file: this.name });
      out.set(new Uint8Array(await part.arrayBuffer()), at - from);
      at += part.size;
    }
    return out;
  }
}

/** The bytes of a file as they arrive. */
class Arriving {
  length = 0;
  #piece = new Uint8Array(SIZE);
  /** How much of the piece there is. */
  #filled = 0;
  #hash;

  constructor(file, pieces, at) {
    Object.assign(this, { file, pieces, at });
    this.#hash = file.sha256 ? new Sha256() : undefined;
  }

  /** Takes up what an earlier visit left. */
  async kept() {
    for await (const piece of this.file.here()) {
      this.#hash?.update(new Uint8Array(await piece.arrayBuffer()));
      this.length += piece.size;
    }
  }

  /** @param {Uint8Array} bytes */
  async take(bytes) {
    if (this.length + bytes.length > this.file.bytes) throw await this.#refuse();
    this.#hash?.update(bytes);
    for (let from = 0; from < bytes.length; ) {
      const part = bytes.subarray(from, from + SIZE - this.#filled);
      this.#piece.set(part, this.#filled);
      this.#filled += part.length;
      this.length += part.length;
      from += part.length;
      if (this.#filled === SIZE) await this.#keep();
    }
  }

  /** Keeps the last piece, and checks the whole. */
  async end() {
    if (this.#filled) await this.#keep();
    if (this.#hash && this.#hash.hex() !== this.file.sha256) throw await this.#refuse();
  }

  async #keep() {
    await this.pieces.put(this.at(Math.ceil(this.length / SIZE) - 1), this.#piece.slice(0, this.#filled));
    this.#filled = 0;
  }

  /** Nothing stays of a file that is not what it should be. */
  async #refuse() {
    const count = Math.ceil(this.file.bytes / SIZE);
    await this.pieces.delete(Array.from({ length: count }, (_, number) => this.at(number)));
    return new UnnoiseError("damaged", { file: this.file.name });
  }
}

const pause = (milliseconds, signal) =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new UnnoiseError("aborted"));
    });
  });
