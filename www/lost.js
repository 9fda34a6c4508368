/** A graphics device that is lost in a run (a reset, sleep, no memory): the engine is opened anew, and the run goes on where it was. */

/** @typedef {{run: import("./history/queue.js").Waiting, last?: import("./timeline.js").Frame, backend: string}} Cut a run, the last frame that the stage has of it, and what drew it */

/** Failures that the loss of a device can be seen as. After any of them its engine is of no use. */
const LOSSES = ["device-failed", "engine-crashed", "worker"];
/** A device that is lost again within as many milliseconds is not to be relied on. */
const SOON = 60_000;

/** When one was lost last, by a clock that nobody sets. */
let before = -Infinity;
/** The run that is to go on. @type {Cut | undefined} */
let cut;

/** Whether a failure is the loss of a device. @param {string} backend @param {string} code */
export const is = (backend, code) => backend === "webgpu" && LOSSES.includes(code);

/**
 * A device is lost: it is opened anew and the run goes on, or the CPU takes its place if it was lost again soon.
 * @param {Cut | undefined} run that was under way on it
 * @param {{notice: (key: string, values: object, name: string) => void, onCpu: () => void, boot: () => void}} page
 */
export function reopen(run, { notice, onCpu, boot }) {
  cut = run;
  const again = performance.now() - before < SOON;
  before = performance.now();
  notice(`device.lost${again ? ".cpu" : ""}${cut ? "" : ".idle"}`, {}, "device.lost");
  if (again) onCpu(); // which starts it
  else boot();
}

/** The run that was cut off is not wanted any more. */
export const drop = () => (cut = undefined);

/** The run that was cut off on this model, once. @param {string} model @param {string} backend the one that there is now @returns {Cut | undefined} */
export function take(model, backend) {
  const found = cut?.run.model.id === model ? cut : undefined;
  drop();
  // Pictures of another backend differ in their last bits, so that none of the run's are kept.
  return found && { ...found, last: found.backend === backend ? found.last : undefined };
}

/**
 * The frames of a run after `last`, which the stage has: drawn anew they are the same. Its clock goes on from where it stood.
 * @param {import("./timeline.js").Frame} last @param {AsyncIterable<import("./timeline.js").Frame>} frames
 */
export async function* after(last, frames) {
  let ahead = 0;
  for await (const frame of frames) {
    if (frame.step <= last.step) ahead = last.total_ms - frame.total_ms;
    else yield { ...frame, total_ms: frame.total_ms + ahead };
  }
}
