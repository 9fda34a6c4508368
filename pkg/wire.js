/** The calling side of the worker: requests with one answer each, and streams that are read one item at a time. */

import { UnnoiseError } from "./error.js";
import { script_url } from "./trusted.js";

/**
 * @typedef {import("./source.js").Folder} Files
 * @typedef {{signal?: AbortSignal, transfer?: Transferable[], files?: Files}} Options `files`: what the worker may ask for in the course of it
 */

export class Wire {
  /** @param {(note: any) => void} [noted] hears what the worker says on its own, such as the stages of its start */
  constructor(noted = () => {}) {
    /** @type {Map<number, {resolve: Function, reject: Function, files?: Files}>} */
    this.waiting = new Map();
    this.requests = 0;
    this.streams = 0;
    /** The numbers of canvases that the worker has. @type {WeakMap<OffscreenCanvas, number>} */
    this.numbers = new WeakMap();
    this.owned = 0;
    /** Why requests are refused from now on. @type {UnnoiseError | undefined} */
    this.broken = undefined;
    this.worker = new Worker(script_url(new URL("./worker.js", import.meta.url)), { type: "module" });
    this.worker.onmessage = ({ data }) => {
      const { id, result, error, note } = data;
      if (note) return noted(note);
      if (data.question) return this.answer(data);
      const { resolve, reject } = this.waiting.get(id) ?? {};
      if (!error) return resolve?.(result);
      const known = new UnnoiseError(error.code, error.values, error.message);
      if (error.code === "engine-crashed") this.close(known); // after a trap its memory is in an unknown state
      reject?.(known);
    };
    this.worker.onerror = (event) => {
      event.preventDefault();
      const offline = globalThis.navigator?.onLine === false;
      const file = "pkg/worker.js";
      this.close(offline ? new UnnoiseError("offline", { file }) : new UnnoiseError("worker", { message: event.message || file, file }));
    };
  }

  /** Sends a request. An abort answers it at once; whatever the worker still says of it is dropped. @param {Options} [options] @returns {Promise<any>} */
  ask(call, args = [], { signal, transfer = [], files } = {}) {
    const id = ++this.requests;
    let abort;
    return new Promise((resolve, reject) => {
      if (this.broken) return reject(this.broken);
      abort = () => reject(new UnnoiseError("aborted"));
      if (signal?.aborted) return abort();
      signal?.addEventListener("abort", abort);
      this.waiting.set(id, { resolve, reject, files });
      this.worker.postMessage({ id, call, args }, transfer);
    }).finally(() => {
      this.waiting.delete(id);
      signal?.removeEventListener("abort", abort);
    });
  }

  /** What a run is drawn on, with the numbers of canvases in the place of the canvases. @param {import("./index.js").Presented} present */
  canvases({ x, denoised, gap = 0 }) {
    return { x: x && this.own(x), denoised: denoised && this.own(denoised), gap };
  }

  /** The number of a canvas, which is the worker's from its first run on. @param {OffscreenCanvas} canvas */
  own(canvas) {
    if (!(globalThis.OffscreenCanvas && canvas instanceof OffscreenCanvas)) throw new UnnoiseError("canvas", { why: "it is no OffscreenCanvas" });
    if (this.numbers.has(canvas)) return this.numbers.get(canvas);
    try {
      this.worker.postMessage({ call: "own", args: [++this.owned, canvas] }, [canvas]);
    } catch ({ message }) {
      throw new UnnoiseError("canvas", { why: message.replace(/\.$/, "") }); // it has a context, or is another worker's
    }
    this.numbers.set(canvas, this.owned);
    return this.owned;
  }

  /** Answers what the worker asks of the files of a request; one that was aborted has none any more. */
  async answer({ question, of, name, args }) {
    try {
      const { files } = this.waiting.get(of) ?? {};
      if (!files) throw new UnnoiseError("aborted");
      const result = await files[name](...args);
      this.worker.postMessage({ answer: question, result }, ArrayBuffer.isView(result) ? [result.buffer] : []);
    } catch (thrown) {
      const { code, values, message } = UnnoiseError.from(thrown, "unreadable");
      this.worker.postMessage({ answer: question, error: { code, values, message } });
    }
  }

  /**
   * Opens a stream, which the worker goes on with as it is read, and ends where reading ends.
   * @param {Options & {ahead?: boolean}} [options] `ahead`: the next item is made while one is looked at
   */
  async *stream(call, args = [], { signal, ahead = false } = {}) {
    const stream = ++this.streams;
    try {
      await this.ask("begin", [stream, call, ...args], { signal });
      let early;
      for (;;) {
        const item = await (early ?? this.ask("next", [stream], { signal }));
        if (item === undefined) return;
        if (ahead) early = this.ask("next", [stream], { signal });
        early?.catch(() => {}); // reported when it is read, if it is
        yield item;
      }
    } finally {
      if (!this.broken) this.worker.postMessage({ call: "end", args: [stream] });
    }
  }

  /** Ends the worker, and rejects the requests that wait for it. @param {UnnoiseError} [why] */
  close(why = new UnnoiseError("closed")) {
    this.broken ??= why;
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(this.broken);
  }
}
