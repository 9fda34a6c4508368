/** What the page says when something fails, with the ways out that there are. */

import { UnnoiseError } from "../pkg/index.js";
import * as embed from "./embed.js";
import * as lost from "./lost.js";
import { sentence } from "./notices.js";
import { reload } from "./offline/offline.js";
import { outdated, renew } from "./release.js";
import { t } from "./strings.js";

/**
 * @typedef {object} Page
 * @property {(key: string) => void} status
 * @property {(fault: object, actions: object) => void} fault
 * @property {() => void} over nothing runs any more
 * @property {() => void} giveUp drops the engine
 * @property {() => void} reopen opens a device that was lost anew, and goes on
 * @property {() => {backend: string, held: boolean}} now
 * @property {Record<"load" | "relist" | "boot" | "onCpu" | "back", () => void>} ways
 */

/** @param {Page} page @returns {(during: "start" | "load" | "run", thrown: unknown) => Promise<void>} */
export const failures = (page) => async (during, thrown) => {
  const { code, values } = UnnoiseError.from(thrown);
  const { backend, held } = page.now();
  if (during === "run" && lost.is(backend, code)) return page.reopen();
  page.over();
  const crashed = code === "engine-crashed" || code === "worker";
  if (crashed) page.giveUp(); // nothing can be asked of it any more
  const stopped = code === "aborted";
  page.status(stopped ? "cancelled" : during === "run" ? "failed.run" : "failed.start");
  const { load, relist, boot, onCpu, back } = page.ways;
  const actions = {};
  if (during === "run" && backend === "webgpu") actions["continue.cpu"] = onCpu;
  if (stopped) actions["load"] = load;
  else if (during === "load") actions.retry = relist;
  else if (during !== "run" || crashed) actions.retry = () => renew(values.file).then(boot);
  if (during === "load" && held) actions["model.back"] = back;
  page.fault({ code, values }, actions);
  embed.tell("failed", { message: t(...sentence(code, values)) });
  // The files may be those of a site that was put up anew since this page was opened.
  if (!stopped && (await outdated())) page.fault({ code: "outdated", values: {} }, { reload });
};
