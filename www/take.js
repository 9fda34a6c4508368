/** What can be taken along of the run on show: its pictures, a link, a script. Before there is a run, what the settings would make. */

import { model_origin, write_link } from "../pkg/index.js";
import * as code from "./code.js";
import { $ } from "./dom.js";
import { named, save, signed } from "./saved.js";
import { share } from "./share.js";
import * as shown from "./shown.js";
import * as viewer from "./viewer.js";

/** The step on show as a PNG. */
async function sheet() {
  const { step, done } = viewer.timeline.shown;
  return signed(await viewer.picture(), shown.run(), done < 1 ? { step } : {});
}

async function keep() {
  const { step, done } = viewer.timeline.shown;
  save(await sheet(), named(shown.run().settings, `${done < 1 ? `-step-${step}` : ""}.png`));
}

/** What an animation of the run is made of. */
const film = () => ({ frames: viewer.timeline.frames(), run: shown.run(), image: viewer.choice() });

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
  $("save").addEventListener("click", keep);
  $("save-more").addEventListener("click", async () => (await import("./saving.js")).open({ sheet, keep, film }));
  // What is looked at is not of the run, and may be another by now.
  const looked = ({ show: _, ...run }) => (settings().show ? { ...run, show: settings().show } : run);
  $("share").addEventListener("click", () => give(looked(shown.run()?.settings ?? settings()), shown.run()?.model ?? model()));
  $("code").addEventListener("click", async () => code.show(await (shown.run()?.script ?? script(shown.run()?.settings ?? settings()))));
}
