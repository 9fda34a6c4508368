/** Branches: a run that goes on from a step of the one on show with other settings, and the tree of those that were drawn. */

import { branch, read_legs } from "../pkg/index.js";
import { $ } from "./dom.js";
import * as shown from "./shown.js";
import * as beginning from "./start.js";
import { el, hush, say } from "./strings.js";
import { timeline } from "./viewer.js";
import { changed } from "./worded.js";

const SVG = "http://www.w3.org/2000/svg";

/**
 * @typedef {import("../pkg/index.js").Settings} Settings
 * @typedef {{parent?: string, step: number, steps: number | null, changes: import("../pkg/index.js").Change[], settings: Settings, begun: import("./shown.js").Begun}} Node a run: where it leaves its parent, how many steps it has, and what it began with
 */

/** The runs of the tree, by what decides their pictures. @type {Map<string, Node>} */
const tree = new Map();
/** The run on show. */
let current = "";
/** @type {{controls: import("./controls.js").Controls, tell: (problems: object[]) => void, run: () => void}} */
let page;

const id = (settings) => shown.drawn(settings);

/** The first frame of a run is there. @param {Settings} settings @param {number | null} steps */
export function arrived(settings, steps) {
  const legs = read_legs(settings);
  if (!tree.has(id(legs[0].settings))) tree.clear(); // another tree
  let parent;
  for (const { step, changes, settings } of legs) {
    current = id(settings);
    if (!tree.has(current)) tree.set(current, { parent, step, steps: null, changes, settings, begun: shown.run().begun });
    parent = current;
  }
  tree.get(current).steps = steps;
  draw();
}

/** Another step is on show, or the settings are others. */
export function stepped() {
  const run = shown.run();
  const frame = timeline.shown;
  $("branches").hidden = !frame || !tree.size;
  if ($("branches").hidden) return;
  const { settings, method } = page.controls;
  const possible = frame.done < 1 && settings.model === run.settings.model;
  $("branch").disabled = !possible;
  $("branch-more").disabled = !possible || method.adaptive || settings.steps >= most();
  say($("branch"), "branch", { step: frame.step });
  $("branch-leave").hidden = !settings.from;
  const legs = settings.from ? read_legs(settings) : [];
  if (legs.length > 1) say($("branch-hint"), "branch.on", { step: legs.at(-1).step });
  else if (frame.done === 1) say($("branch-hint"), "branch.end");
  else hush($("branch-hint"));
}

const most = () => page.controls.catalogue.settings.find(({ key }) => key === "steps").max;

/** Runs settings that the form shows from now on. @param {Settings} settings @param {object[]} problems @param {import("./shown.js").Begun} begun */
function take(settings, problems, begun) {
  beginning.restore(begun);
  page.controls.settings = settings;
  page.tell(problems);
  page.run();
}

/** Goes on from the step on show, as the form says. */
function go() {
  const { settings, problems } = branch(page.controls.settings, shown.run().settings, timeline.shown.step);
  if (problems.some(({ key }) => key === "from")) return page.tell(problems);
  take(settings, problems, shown.run().begun);
}

/** The same with steps half as long. */
function more() {
  const { controls } = page;
  if (!controls.set("steps", Math.min(2 * controls.settings.steps, most()))) go();
}

/** Draws the run of the form from its start, which is no branch. */
function leave() {
  page.controls.set("from", "");
  take(page.controls.settings, [], beginning.given());
}

/** The tree as a list: under each run those that go on from it. A line shows from which step to which each one goes. */
function draw() {
  const longest = Math.max(...[...tree.values()].map(({ step, steps }) => Math.max(step, steps ?? 0)), 1);
  const under = (parent) => {
    const items = [...tree].filter(([, node]) => node.parent === parent).map(([key, node]) => item(key, node, longest, under(key)));
    return items.length ? list(items) : undefined;
  };
  $("branch-tree").hidden = tree.size < 2;
  $("branch-tree").replaceChildren(...[under(undefined)].filter(Boolean));
}

/** Draws a run of the tree again. */
function show({ settings, begun }) {
  const { backend, lang } = page.controls.settings;
  take({ ...settings, backend, lang }, [], begun);
}

function list(items) {
  const box = document.createElement("ul");
  box.append(...items);
  return box;
}

function item(key, node, longest, rest) {
  const changes = () => node.changes.map((change) => changed(change, page.controls)).join(", ");
  const button = el("button", node.parent ? "branch.from" : "branch.root", { step: node.step, changes }, { type: "button" });
  if (key === current) button.setAttribute("aria-current", "true");
  else button.addEventListener("click", () => show(node));
  const box = document.createElement("li");
  box.append(line(node, longest), button, ...[rest].filter(Boolean));
  return box;
}

/** From the step at which a run begins to its end, along the timeline. */
function line({ step, steps }, longest) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 1000 10");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  const [begin, end] = [step, steps ?? longest].map((at) => (1000 * at) / longest);
  path.setAttribute("d", `M${begin.toFixed(1)} ${step ? 0 : 5}V5H${end.toFixed(1)}`);
  svg.append(path);
  return svg;
}

/** @param {typeof page} given `tell` shows the settings, and names what had to be changed in them */
export function listen(given) {
  page = given;
  $("branch").addEventListener("click", go);
  $("branch-more").addEventListener("click", more);
  $("branch-leave").addEventListener("click", leave);
}
