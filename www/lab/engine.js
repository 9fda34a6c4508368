/** The page's side of the lab's worker: questions with one answer, and streams of frames. */

import { Fault } from "../fault.js";

/** @typedef {{done: Promise<boolean>, stop: () => void}} Stream some frames may still come after `stop`; none does after `done` */

export class Engine {
  /** @param {(fault: Fault) => void} failed hears that the worker broke down */
  constructor(failed) {
    /** @type {Map<number, {resolve: Function, reject: Function, frame: Function}>} */
    this.waiting = new Map();
    this.asked = 0;
    this.worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.hear(data);
    this.worker.onerror = (event) => {
      event.preventDefault();
      const file = "www/lab/worker.js";
      failed(navigator.onLine ? new Fault("worker", { message: event.message || file }) : new Fault("offline", { file }));
    };
  }

  hear({ id, frame, result, fault }) {
    const asker = this.waiting.get(id);
    if (frame !== undefined) return asker.frame(frame);
    this.waiting.delete(id);
    if (fault) asker.reject(new Fault(fault.code, fault.values));
    else asker.resolve(result);
  }

  /** Asks once. @param {string} call @returns {Promise<any>} */
  ask(call, ...args) {
    return this.send(call, args, () => {}).answer;
  }

  /** Asks for frames. @param {(frame: any) => void} frame @returns {Stream} */
  stream(call, args, frame) {
    const { id, answer } = this.send(call, args, frame);
    return { done: answer, stop: () => this.worker.postMessage({ stop: id }) };
  }

  /** Ends the worker, and whatever it was asked. */
  close() {
    this.worker.terminate();
    for (const { reject } of this.waiting.values()) reject(new Fault("cancelled"));
    this.waiting.clear();
  }

  send(call, args, frame) {
    const id = ++this.asked;
    const answer = new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject, frame }));
    this.worker.postMessage({ id, call, args });
    return { id, answer };
  }
}
