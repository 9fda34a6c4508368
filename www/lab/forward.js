/** Forward: data become noise, by the closed form at once and by the Markov chain step by step. */

import { el } from "../strings.js";

/** Places at which the closed form is evaluated, and steps of the chain. */
const FRAMES = 48;
const CHAIN = 120;
/** Steps that the chain's trails go back: all of them would be a tangle. */
const TAIL = 30;

const words = ({ frame, alpha, sigma }) => ["lab.at.level", { step: frame.step, steps: frame.steps, alpha: alpha.toFixed(3), sigma: sigma.toFixed(3) }];

/** @param {import("./view.js").Lab} lab */
export async function open(lab) {
  const { engine, stage, settings } = lab;
  stage.layout(["closed", "chain"].map((kind, i) => ({ seen: `lab.see.${kind}`, words, head: el("h2", `lab.head.${kind}`), tail: i * TAIL || Infinity })), settings);
  const [closed, chain] = stage.panes;
  const { label } = await engine.data(settings.particles);
  closed.labels = chain.labels = label;
  lab.begin();
  await fill(lab, closed, FRAMES, (step) => engine.noised(step / FRAMES));
  const trajectory = lab.live() && (await engine.chain(CHAIN));
  const size = 2 * label.length;
  await fill(lab, chain, CHAIN, (step) => trajectory.slice(step * size, (step + 1) * size));
}

/** Gives a pane its frames, unless something else is asked for meanwhile. */
async function fill({ engine, stage, live }, pane, steps, at) {
  const levels = await engine.levels(steps + 1);
  for (let step = 0; step <= steps && live(); step++) {
    const [, alpha, sigma] = levels.subarray(4 * step);
    stage.add(pane, { step, steps, clock: step / steps, alpha, sigma, x: await at(step) });
  }
}
