import { UnnoiseError } from "./error.js";

/**
 * Waits for the engine. A trap inside WebAssembly leaves its promise pending for ever and only raises an event, so that
 * counts as an answer too.
 * @template T
 * @param {Promise<T> | T} promise
 * @param {string} code of the error, where the engine's own has no better one
 * @returns {Promise<T>}
 */
export async function guard(promise, code) {
  let stop;
  const trapped = new Promise((_, reject) => {
    const listener = (event) => {
      event.preventDefault();
      reject(crashed(event.reason ?? event));
    };
    addEventListener("error", listener);
    addEventListener("unhandledrejection", listener);
    stop = () => {
      removeEventListener("error", listener);
      removeEventListener("unhandledrejection", listener);
    };
  });
  try {
    return await Promise.race([promise, trapped]);
  } catch (thrown) {
    throw faultOf(thrown, code);
  } finally {
    stop();
  }
}

/** What was thrown in or around the engine, as an error of ours. After a trap its memory is in an unknown state. */
export const faultOf = (thrown, code) => (thrown?.name === "RuntimeError" ? crashed(thrown) : UnnoiseError.from(thrown, code));

const crashed = ({ message = "" }) => new UnnoiseError("engine-crashed", { message: String(message) });
