/** Reverse: noise becomes data, in two to four panes that start from the same noise. */

import { el, label } from "../strings.js";
import { choices, draws } from "./samplers.js";
import { paneKeys, panes } from "./state.js";

const LIMIT = { least: 2, most: 4 };
/** Samplers whose trajectories never come to rest, and the steps that their trails go back: all of them would hide the particles. */
const WANDERERS = ["langevin", "annealed-langevin", "predictor-corrector"];
const TAIL = 8;
/** The part of the steps that the trails of other samplers go back which draw noise. */
const ROUGH = 1 / 4;
const NEW = { sampler: "dpmpp-2m", steps: 20 };

export function words({ frame, sigma }) {
  const { step, steps, evaluations } = frame;
  return [steps === null ? "lab.at.open" : "lab.at.run", { step, steps, sigma: sigma.toFixed(3), evaluations }];
}

/** @param {import("./view.js").Lab} lab */
export async function open(lab) {
  const { engine, stage } = lab;
  await lay(lab);
  if (!lab.live()) return;
  lab.begin();
  await Promise.all(stage.panes.map((pane, i) => lab.stream(engine.run(i + 1), (frame) => stage.add(pane, frame))));
}

/** What needs no model: the noise that all panes start from. @param {import("./view.js").Lab} lab */
export async function wait(lab) {
  const { engine, stage } = lab;
  await lay(lab);
  for (const [i, pane] of stage.panes.entries()) {
    if (!lab.live()) return;
    await lab.stream(engine.run(i + 1), (frame) => {
      stage.add(pane, frame);
      return false; // the next one would be the model's
    });
  }
}

async function lay(lab) {
  const { catalogue, engine, stage, settings } = lab;
  const all = panes(settings);
  const tail = ({ sampler, steps }) => (WANDERERS.includes(sampler) ? TAIL : draws(catalogue, sampler, settings) ? Math.ceil(ROUGH * steps) : Infinity);
  stage.layout(all.map((pane, i) => ({ seen: "lab.see.run", words, head: head(lab, all, i), tail: tail(pane) })), settings);
  lab.add.hidden = all.length >= LIMIT.most;
  lab.add.onclick = () => choose(lab, [...all, NEW]);
  stage.territories(await engine.data(settings.particles));
}

function choose(lab, all) {
  lab.change(paneKeys(all));
}

/** A pane's sampler and steps, to be chosen anew. @param {boolean} [removable] whether the pane may be removed */
export function head(lab, all, i, removable = all.length > LIMIT.least) {
  const { sampler, steps } = all[i];
  const put = (more) => choose(lab, all.map((pane, other) => (other === i ? { ...pane, ...more } : pane)));
  const select = el("select", "", {}, {});
  label(select, "lab.pane.sampler");
  select.append(...choices(lab.catalogue));
  select.value = sampler;
  select.addEventListener("change", () => put({ sampler: select.value }));
  const [min, max] = lab.catalogue.lab_limits.steps;
  const count = el("input", "", {}, { type: "number", min, max, step: 1, value: steps });
  label(count, "steps");
  count.addEventListener("change", () => put({ steps: Math.min(Math.max(Math.round(Number(count.value)) || steps, min), max) }));
  const box = el("div", "", {}, { className: "head" });
  box.append(select, count);
  if (removable) {
    const remove = el("button", "cross", {}, { type: "button", className: "icon" });
    label(remove, "lab.pane.remove");
    remove.addEventListener("click", () => choose(lab, all.filter((_, other) => other !== i)));
    box.append(remove);
  }
  return box;
}
