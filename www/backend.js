/** Which backend computes, and why. */

import { $ } from "./dom.js";
import { sentence } from "./notices.js";
import { knows, say, t } from "./strings.js";

/**
 * Says it; aloud, when it is not what was to be expected.
 * @param {{code: string, values: Record<string, unknown>}} reason
 * @param {{asked?: string, used: string, notice: (key: string, values: object) => void}} page what the settings ask for, and what it became
 */
export function explain({ code, values }, { asked, used, notice }) {
  const expected = knows(`backend.why.${code}`);
  const why = expected ? [`backend.why.${code}`, values] : ["backend.why.failed", { sentence: () => t(...sentence(code, values)) }];
  say($("backend-hint"), ...why);
  const disappointed = asked === "webgpu" && used === "cpu";
  if (!expected || disappointed || code === "software-asked") notice(...why);
}
