/** Latent diffusion: an autoencoder whose latent is one number, and the same sampler in the plane and in the latent. */

import { $ } from "../dom.js";
import { el, number, say } from "../strings.js";
import { cell, table } from "./numbers.js";
import { HALF, heatMap } from "./plane.js";
import { head, words } from "./reverse.js";
import { panes } from "./state.js";

/** Cells across the density of latents. */
const CELLS = 160;
/** Steps that trails in the plane go back: all of them would hide the particles. */
const TAIL = 8;

const reconstructed = (error) => ({ frame }) => [frame.step > 0 ? "lab.at.decoded" : "lab.at.encoded", { error: () => number(error, 3) }];

/** @param {import("./view.js").Lab} lab */
export async function open(lab) {
  const { engine, stage, settings, live } = lab;
  const { curve, error, scale, spread } = await engine.latent();
  if (!live()) return;
  say($("lab-latent-about"), "lab.latent.about", { spread: () => number(spread, 2), scale: () => number(scale, 4), std: () => number(settings["latent-std"], 2) });
  $("lab-latent").replaceChildren();
  const title = (kind) => el("h2", `lab.head.${kind}`);
  const chooser = el("div", "", {}, { className: "titled" });
  chooser.append(title("plane"), head(lab, panes(settings), 0, false));
  stage.layout(
    [
      { seen: "lab.see.autoencoder", words: reconstructed(error), head: title("autoencoder"), still: true, curve },
      { seen: "lab.see.run", words, head: chooser, tail: TAIL, curve },
      { seen: "lab.see.decoded", words, head: title("decoded"), tail: 0, still: true, stepped: true, curve },
      { seen: "lab.see.latent", words, head: title("latent"), still: true },
    ],
    { ...settings, field: "none" },
  );
  const [auto, plane, decoded, latent] = stage.panes;
  const data = await engine.data(settings.particles);
  stage.territories(data);
  const again = await engine.reconstructed();
  latent.picture = heatMap(await engine.latent_density(CELLS));
  if (!live()) return;
  auto.labels = data.label;
  stage.add(auto, { step: 0, steps: 1, x: data.x });
  stage.add(auto, { step: 1, steps: 1, x: again });
  lab.begin();
  await lab.stream(engine.latent_run(false), (frame) => stage.add(plane, frame));
  if (!live()) return;
  await lab.stream(engine.latent_run(true), ({ z, ...frame }) => {
    stage.add(decoded, frame);
    latent.labels = decoded.ends; // by where they end
    stage.add(latent, { ...frame, x: z.map((place) => place * HALF) });
  });
  if (live()) await tell(lab);
}

/** How near to the curve and to the data each way came. */
async function tell({ engine, stage, live }) {
  const [auto, plane, decoded] = stage.panes.map(({ recording }) => recording);
  const ways = [["data", auto.frames[0]], ["decoder", auto.newest], ["plane", plane.newest], ["latent", decoded.newest]];
  const rows = [];
  for (const [way, { x, evaluations }] of ways) {
    const { off, astray, sliced_wasserstein } = await engine.reached(x);
    const share = el("td", "plain", { text: () => `${number(100 * astray, 1)} %` });
    rows.push([el("th", `lab.latent.${way}`, {}, { scope: "row" }), cell(off, 3), share, cell(sliced_wasserstein, 3), el("td", "plain", { text: evaluations === undefined ? "–" : String(evaluations) })]);
  }
  if (live()) table($("lab-latent"), ["lab.latent.points", "lab.latent.off", "lab.latent.astray", "lab.latent.distance", "lab.nfe.short"], rows);
}
