/** Runs as films: GIF, APNG, a ZIP of steps, MP4 and WebM. A worker of their own makes them, so that the page goes on and can cancel. */

import { UnnoiseError } from "./error.js";
import { script_url } from "./trusted.js";

/** One question to a worker that is there for it alone. @returns {Promise<any>} */
function ask(call, given, { signal, progress = () => {}, videos } = {}) {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(new UnnoiseError("aborted"));
    const worker = new Worker(script_url(new URL("./film-worker.js", import.meta.url)), { type: "module" });
    const over = (end, value) => {
      worker.terminate();
      signal?.removeEventListener("abort", abort);
      end(value);
    };
    const abort = () => over(reject, new UnnoiseError("aborted"));
    signal?.addEventListener("abort", abort);
    worker.onerror = (event) => {
      event.preventDefault();
      over(reject, new UnnoiseError("worker", { message: event.message || "pkg/film-worker.js", file: "pkg/film-worker.js" }));
    };
    worker.onmessage = ({ data }) => {
      if (data.done !== undefined) return progress(data.done);
      if (data.error) return over(reject, new UnnoiseError("film", { message: data.error }));
      over(resolve, data.result);
    };
    worker.postMessage({ call, given, videos });
  });
}

export const film = (frames, options, more) => ask("film", { frames: frames.map(part), options }, more);
export const film_sizes = (scene, zooms) => ask("sizes", { scene, zooms });

/** What a film needs of a frame. */
const part = ({ x, denoised, step, t, alpha, sigma, texts = [] }) => ({ x, denoised, step, t, alpha, sigma, texts });
