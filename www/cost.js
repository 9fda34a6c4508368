/** What something takes, in words, before it begins. */

import { t } from "./strings.js";

/** About how long, as the end of a sentence; nothing where it is not known. @param {number} ms milliseconds */
export const duration = (ms) =>
  Number.isFinite(ms) ? t(ms < 90_000 ? "compare.seconds" : "compare.minutes", { seconds: Math.max(Math.round(ms / 1000), 1), minutes: Math.round(ms / 60_000) }) : "";
