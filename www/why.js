/** Which backend computes, and why; aloud, when it is not what was to be expected. */

import { $ } from "./dom.js";
import * as drawing from "./drawing.js";
import * as embed from "./embed.js";
import { sentence } from "./notices.js";
import * as pace from "./pace.js";
import { knows, say, t } from "./strings.js";

/** @param {import("../pkg/index.js").Engine} engine @param {import("../pkg/index.js").Settings} settings @param {(key: string, values: object) => void} notice */
export function explain({ backend, reason: { code, values } }, { backend: wanted, model }, notice) {
  if (!wanted && pace.known(model)) return say($("backend-hint"), `backend.why.faster-${backend}`, timed(model));
  const expected = knows(`backend.why.${code}`);
  const why = expected ? [`backend.why.${code}`, values] : ["backend.why.failed", { sentence: () => t(...sentence(code, values)) }];
  say($("backend-hint"), ...why);
  const disappointed = wanted === "webgpu" && backend === "cpu";
  if (!expected || disappointed || code === "software-asked") notice(...why);
}

/** What a step takes on both backends, in numbers for a person. @param {string} model of which it is known */
export function timed(model) {
  const { cpu, webgpu, adapter } = pace.known(model);
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
  if (still !== engine || drawing.going()) return;
  explain(engine, settings, notice);
  if (pace.device(settings) === device) return;
  notice("backend.faster", timed(settings.model));
  boot();
}
