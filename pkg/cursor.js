/**
 * A file of a server that is read forward, a few megabytes at a time: from the cache, or from the network and into the cache. No
 * more of it is in memory than what was asked for last.
 */

import { absolute, cache, keyOf, request } from "./download.js";
import { UnnoiseError } from "./error.js";
import { Sha256 } from "./sha256.js";

/** @typedef {import("./download.js").Facts} Facts */

/** As much of a file's beginning is held, so that its header can be read before the body of another file. */
const HEAD = 1 << 20;

/** Files of the cache whose checksum was right since the page was opened, by their key. */
const whole = new Set();

export class Cursor {
  #url;
  #facts;
  #signal;
  #name;
  #key;
  #size;
  /** What came from `#start` on and is still held; bytes up to `#received` have come. @type {Uint8Array[]} */
  #chunks = [];
  #start = 0;
  #received = 0;
  #reader;
  /** What a server that knows no ranges sends again. */
  #skip = 0;
  /** Where the connection broke last. */
  #broken = -1;
  #hash;
  #keep;

  /** @param {string | URL} url @param {{facts?: Facts, signal?: AbortSignal, name?: string}} options */
  constructor(url, { facts, signal, name = String(url) }) {
    this.#url = absolute(url);
    this.#facts = facts;
    this.#signal = signal;
    this.#name = name;
    this.#key = facts && keyOf(this.#url, facts);
    this.#size = facts?.bytes;
  }

  /** Its bytes; null where the server does not say. */
  async size() {
    if (this.#size === undefined) await this.#open();
    return this.#size ?? null;
  }

  /** The bytes from one place to another. Those that were passed long ago are fetched anew. @returns {Promise<Uint8Array>} */
  async range(from, to) {
    if (from < this.#start) await this.#rewind();
    while (this.#received < to) if (!(await this.#pull())) throw this.#truncated(to);
    if (this.#received === this.#size) await this.#finish();
    const wanted = new Uint8Array(to - from);
    let at = this.#start;
    for (const chunk of this.#chunks) {
      const [first, last] = [Math.max(from, at), Math.min(to, at + chunk.length)];
      if (first < last) wanted.set(chunk.subarray(first - at, last - at), first - from);
      at += chunk.length;
    }
    if (this.#received > HEAD) this.#drop(to);
    return wanted;
  }

  /** Brings the whole file into the cache, unless there is none or it is there. @param {(loaded: number) => void} progress */
  async store(progress) {
    if (!this.#facts || !(await cache()) || (await this.#kept())) return;
    while (this.#received < this.#size && (await this.#pull())) {
      this.#drop(this.#received);
      progress(this.#received);
    }
    if (this.#received < this.#size) throw this.#truncated(this.#size);
    await this.#finish();
  }

  /** Gives the connection back; the file can be read on. */
  async pause() {
    if (!this.#reader) return;
    if (this.#start > 0) return this.#rewind();
    await this.#close();
  }

  async #rewind() {
    await this.#close();
    [this.#chunks, this.#start, this.#received, this.#hash] = [[], 0, 0, undefined];
  }

  async #close() {
    const [reader, keep] = [this.#reader, this.#keep];
    this.#reader = this.#keep = undefined;
    await Promise.all([reader?.cancel().catch(() => {}), keep?.abort()]);
  }

  #drop(to) {
    while (this.#chunks.length && this.#start + this.#chunks[0].length <= to) this.#start += this.#chunks.shift().length;
  }

  /** Begins to read, where reading was left. */
  async #open() {
    const kept = await this.#kept();
    const headers = this.#received && !kept ? { range: `bytes=${this.#received}-` } : {};
    const options = { signal: this.#signal, cache: this.#facts ? "no-cache" : "default", headers };
    const response = kept ?? (await request(this.#url, options, this.#name));
    const goesOn = response.status === 206 && response.headers.get("content-range")?.startsWith(`bytes ${this.#received}-`);
    this.#skip = goesOn ? 0 : this.#received;
    // The length that a server states is that of what it sends, which may be compressed.
    const stated = response.headers.has("content-encoding") ? 0 : Number(response.headers.get("content-length"));
    this.#size ??= stated ? stated + this.#received - this.#skip : undefined;
    this.#reader = response.body.getReader();
    if (kept || !this.#facts) return;
    this.#hash ??= new Sha256();
    if (!this.#start) this.#keep ??= await keeping(this.#key, this.#size, this.#chunks);
  }

  /** Takes what comes next; false at the end. */
  async #pull() {
    if (!this.#reader) await this.#open();
    let next;
    try {
      next = await this.#reader.read();
    } catch {
      if (this.#signal?.aborted) throw new UnnoiseError("aborted");
      if (this.#received === this.#broken) throw this.#facts ? this.#truncated(this.#size) : new UnnoiseError("unreachable", { file: this.#name });
      this.#broken = this.#received;
      this.#reader = undefined; // a second try goes on from here
      return true;
    }
    if (next.done) return false;
    const chunk = next.value.subarray(Math.min(this.#skip, next.value.length));
    this.#skip -= next.value.length - chunk.length;
    this.#chunks.push(chunk);
    this.#received += chunk.length;
    this.#hash?.update(chunk);
    await this.#keep?.write(chunk);
    return true;
  }

  /** Checks a file of which all has come, and lets the cache have it. */
  async #finish() {
    const [reader, hash, keep] = [this.#reader, this.#hash, this.#keep];
    if (!reader) return;
    const { done } = await reader.read();
    const damaged = hash && hash.hex() !== this.#facts.sha256;
    if (!done || damaged) {
      await this.#rewind();
      throw damaged && done ? new UnnoiseError("damaged", { file: this.#name }) : this.#truncated(this.#size, this.#size + 1);
    }
    this.#reader = this.#keep = this.#hash = undefined;
    if (await keep?.close()) whole.add(this.#key);
  }

  #truncated(expected, got = this.#received) {
    return new UnnoiseError("truncated", { file: this.#name, got, expected: this.#size ?? expected });
  }

  /** What the cache has of it; a copy that is damaged is removed. @returns {Promise<Response | undefined>} */
  async #kept() {
    const store = this.#key && (await cache());
    const find = () => store?.match(this.#key).catch(() => undefined);
    if (!whole.has(this.#key)) {
      const copy = await find();
      if (!copy) return undefined;
      if ((await digest(copy)) !== this.#facts.sha256) return void (await store.delete(this.#key));
      whole.add(this.#key);
    }
    return find();
  }
}

async function digest(response) {
  const hash = new Sha256();
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return hash.hex();
    hash.update(value);
  }
}

/** Writes a file into the cache as it comes, after the chunks that have come. A full disk only costs the next visit its head start. */
async function keeping(key, size, chunks) {
  const store = await cache();
  if (!store) return undefined;
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const put = store.put(key, new Response(readable, { headers: { "content-length": String(size) } })).then(
    () => true,
    () => false,
  );
  const keep = {
    write: (chunk) => writer.write(chunk).catch(() => {}),
    close: () => writer.close().then(() => put, () => false),
    abort: () => writer.abort().catch(() => {}),
  };
  for (const chunk of chunks) await keep.write(chunk);
  return keep;
}
