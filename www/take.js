/** What can be taken along of the run on show: its pictures, a link, a script. Before there is a run, what the settings would make. */

import { model_origin, write_link } from "../pkg/index.js";
import * as code from "./code.js";
import { $ } from "./dom.js";
import { share } from "./share.js";
import * as shown from "./shown.js";
import { el } from "./strings.js";
import * as viewer from "./viewer.js";

/** The step on show as a PNG. */
async function save() {
  const { model, sampler, seed } = shown.run().settings;
  const { step, done } = viewer.timeline.shown;
  const url = URL.createObjectURL(await viewer.picture());
  el("a", "", {}, { href: url, download: `unnoise-${model.replace(/[:/@]/g, "-")}-${sampler}-seed-${seed}${done < 1 ? `-step-${step}` : ""}.png` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** What whoever opens the link has to have, besides it. */
function wants({ model, start }) {
  if (model_origin(model).kind === "own") return "own";
  return start === "asked" ? "picture" : "";
}

/** @param {import("../pkg/index.js").Settings} settings @param {import("./models.js").Model} model */
const give = (settings, model) => share(write_link(settings, { share: true }), { wants: wants(settings), run: { settings, name: model.name } });

/**
 * @param {object} page
 * @param {() => import("../pkg/index.js").Settings} page.settings as they stand
 * @param {() => import("./models.js").Model} page.model of these
 * @param {(settings: import("../pkg/index.js").Settings) => Promise<{text?: string, why?: string}>} page.script
 */
export function listen({ settings, model, script }) {
  $("save").addEventListener("click", save);
  // What is looked at is not of the run, and may be another by now.
  const looked = ({ show: _, ...run }) => (settings().show ? { ...run, show: settings().show } : run);
  $("share").addEventListener("click", () => give(looked(shown.run()?.settings ?? settings()), shown.run()?.model ?? model()));
  $("code").addEventListener("click", async () => code.show(await (shown.run()?.script ?? script(shown.run()?.settings ?? settings()))));
}
