/** What went wrong, as one kind of error: a sentence, a short name (`code`), and what the sentence is filled with (`values`). */

/** The sentences of the package itself; those of the engine come with their own. */
const SENTENCES = {
  aborted: "The operation was aborted.",
  canvas: "The graphics card cannot draw on this canvas ({why}); run without it, and the pictures are read back.",
  "canvas-cpu": "Only an engine on WebGPU draws on canvases, and this one is on the CPU; leave out `present`, and draw the bytes of the frames.",
  closed: "The engine was closed.",
  damaged: "{file} is damaged: its checksum is not the listed one.",
  "disagrees-cpu": "The CPU engine computes wrong numbers here: a stored result is off by {worst}, and at most {tolerance} is allowed.",
  "disagrees-webgpu": "WebGPU computes wrong numbers here: a stored result is off by {worst}, and at most {tolerance} is allowed.",
  "engine-crashed": "The engine broke down ({message}); open a new one.",
  "engine-missing": "The engine {file} could not be loaded.",
  "engine-open": "The engine could not open its device: {message}",
  "engine-test": "The engine could not recompute the stored result: {message}",
  "engine-wasm": "The engine's WebAssembly could not be started: {message}",
  film: "There is no film: {message}",
  "hub-busy": "{host} answers that it has had too many requests.",
  "hub-closed": "{host} shows no repository {id} to visitors: there is none of this name, or it is private or gated.",
  "hub-cors": "{host} does not let pages of other sites read its files.",
  "hub-failed": "{host} could not answer (status {status}).",
  "hub-frame": "This site forbids frames of its own pages, and a hub can only be contacted by one.",
  "hub-gated": "{id} is gated on {host}: whoever wants it has to sign in there.",
  "hub-repository": "{host} has no repository {id} with a revision {revision}.",
  "hub-revision": "The repository {id} on {host} has no revision {revision}.",
  "hub-strange": "{host} does not list {id} as a model hub does.",
  "hub-unreachable": "{host} could not be reached.",
  missing: "The server does not have {file} (it answered {status}).",
  "model-replaced": "This model is not on the device any more: another was loaded after it.",
  "no-webgpu": "The engine is not on a graphics card, so there is nothing to time.",
  "no-wasm": "There is no WebAssembly here.",
  "not-listed": "The list of files says nothing of {file}.",
  "not-ready": "unnoise is not ready yet: `await init()` first.",
  offline: "There is no connection, so {file} could not be fetched.",
  removed: "{file} was deleted from the browser's storage meanwhile.",
  truncated: "{file} is incomplete: {got} of {expected} bytes came.",
  unreachable: "{file} could not be fetched.",
  worker: "The worker could not start or broke down: {message}",
};

const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);

export class UnnoiseError extends Error {
  /** @param {string} code @param {Record<string, unknown>} [values] @param {string} [message] */
  constructor(code, values = {}, message = fill(SENTENCES[code] ?? values.message ?? code, values)) {
    super(message);
    this.name = code === "aborted" ? "AbortError" : "UnnoiseError";
    this.code = code;
    this.values = values;
  }

  /** Anything thrown, as one of these; what has no code of its own gets this one. */
  static from(thrown, code = "unexpected") {
    if (thrown instanceof UnnoiseError) return thrown;
    const message = String(thrown?.message ?? thrown);
    if (thrown?.code && typeof thrown.code === "string") return new UnnoiseError(thrown.code, thrown.values ?? { message }, message);
    return new UnnoiseError(code, { message });
  }
}
