/** Which backend computes, and why; aloud, when it is not what was to be expected. */

import { $ } from "./dom.js";
import { sentence } from "./notices.js";
import { known } from "./pace.js";
import { knows, say, t } from "./strings.js";

/** @param {import("../pkg/index.js").Engine} engine @param {import("../pkg/index.js").Settings} settings @param {(key: string, values: object) => void} notice */
export function explain({ backend, reason: { code, values } }, { backend: wanted, model }, notice) {
  if (!wanted && known(model)) return say($("backend-hint"), `backend.why.faster-${backend}`, timed(model));
  const expected = knows(`backend.why.${code}`);
  const why = expected ? [`backend.why.${code}`, values] : ["backend.why.failed", { sentence: () => t(...sentence(code, values)) }];
  say($("backend-hint"), ...why);
  const disappointed = wanted === "webgpu" && backend === "cpu";
  if (!expected || disappointed || code === "software-asked") notice(...why);
}

/** What a step takes on both backends, in numbers for a person. @param {string} model of which it is known */
export function timed(model) {
  const { cpu, webgpu, adapter } = known(model);
  return { adapter, cpu: Number(cpu.toPrecision(2)), webgpu: Number(webgpu.toPrecision(2)) };
}
