/** Which backend computes, and why; aloud, when it is not what was to be expected. */

import { $ } from "./dom.js";
import * as drawing from "./drawing.js";
import * as embed from "./embed.js";
import { sentence } from "./notices.js";
import * as pace from "./pace.js";
import { knows, say, t } from "./strings.js";

/** @param {import("../pkg/index.js").Engine} engine @param {import("../pkg/index.js").Settings} settings @param {(key: string, values: object) => void} notice */
export function explain({ backend, reason: { code, values } }, settings, notice) {
  const { backend: wanted } = settings;
  // `asked` without a wish is what was timed; every other reason is one that has to be said.
  const fastest = !wanted && code === (backend === "cpu" ? "asked" : "adapter");
  if (fastest && pace.known(settings)) return say($("backend-hint"), `backend.why.faster-${backend}`, timed(settings));
  const expected = knows(`backend.why.${code}`);
  const why = expected ? [`backend.why.${code}`, values] : ["backend.why.failed", { sentence: () => t(...sentence(code, values)) }];
  say($("backend-hint"), ...why);
  const disappointed = wanted === "webgpu" && backend === "cpu";
  if (!expected || disappointed || code === "software-asked") notice(...why);
}

/** What a step takes on both backends, in numbers for a person. @param {import("../pkg/index.js").Settings} settings of which it is known */
export function timed(settings) {
  const { cpu, webgpu, adapter } = pace.known(settings);
  return { adapter, cpu: Number(cpu.toPrecision(2)), webgpu: Number(webgpu.toPrecision(2)) };
}

/**
 * A run is over: whether another backend is faster for its model is found out once, and then it draws there.
 * @param {{now: () => {engine: import("../pkg/index.js").Engine, held: import("../pkg/index.js").Model, device: string, model: import("./models.js").Model,
 *          settings: import("../pkg/index.js").Settings}, notice: (key: string, values: object) => void, boot: () => void}} page
 */
export async function rested({ now, notice, boot }) {
  const { engine } = now();
  if (embed.embedded() || !(await pace.compare(now()))) return;
  const { engine: still, device, settings } = now();
  // A view beside the stage may be drawing on this engine; the next start takes the faster one.
  if (still !== engine || drawing.going() || document.querySelector("dialog[open]")) return;
  explain(engine, settings, notice);
  if (pace.device(settings) === device) return;
  notice("faster", timed(settings));
  boot();
}
