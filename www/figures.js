/** Numbers of steps and levels, as people read them. */

import { number } from "./strings.js";

/** A number, infinite or none at all. @param {number | null | undefined} value */
export function figure(value) {
  if (value === null || value === undefined) return "–";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  return value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(2).replace("-", "−") : number(value, 3).replace("-", "−");
}
