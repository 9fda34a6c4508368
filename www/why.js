/** Which backend computes, and why; aloud, when it is not what was to be expected. */

import { $ } from "./dom.js";
import { sentence } from "./notices.js";
import { knows, say, t } from "./strings.js";

/** @param {import("../pkg/index.js").Engine} engine @param {string | undefined} wanted @param {(key: string, values: object) => void} notice */
export function explain({ backend, reason: { code, values } }, wanted, notice) {
  const expected = knows(`backend.why.${code}`);
  const why = expected ? [`backend.why.${code}`, values] : ["backend.why.failed", { sentence: () => t(...sentence(code, values)) }];
  say($("backend-hint"), ...why);
  const disappointed = wanted === "webgpu" && backend === "cpu";
  if (!expected || disappointed || code === "software-asked") notice(...why);
}
