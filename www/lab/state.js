/**
 * What a link to the lab carries: one row a key. The engine reads and judges the keys (`lab_check`), and its catalogue
 * has their limits and defaults; the keys of the page itself are the rows of `PAGE`.
 */

import { TABLE, pageSettings, toHash } from "../state.js";

/**
 * `part`: the part of the form that has a field for it; the other keys have tools of their own.
 * `kind`: choice, slider, whole or number. `options`: what there is to choose from, by the catalogue and the settings.
 * `anew`: what has to be made anew when it changes: nothing, the background of the planes, all that is on show, or the
 * network too.
 */
export const KEYS = [
  { key: "data", part: "data", kind: "choice", options: sets, anew: "network" },
  { key: "points", anew: "network" },
  { key: "process", part: "process", kind: "choice", options: ({ processes }) => processes, anew: "network" },
  { key: "curve", anew: "network" },
  { key: "model", part: "model", kind: "choice", options: () => ["exact", "learned"], anew: "all" },
  { key: "objective", part: "network", kind: "choice", options: ({ objectives }) => objectives, anew: "network" },
  { key: "depth", part: "network", kind: "whole", anew: "network" },
  { key: "width", part: "network", kind: "whole", anew: "network" },
  { key: "lr", part: "network", kind: "number", anew: "network" },
  { key: "batch", part: "network", kind: "whole", anew: "network" },
  { key: "ema", part: "network", kind: "number", anew: "network" },
  { key: "train-seed", part: "network", kind: "whole", anew: "network" },
  { key: "train-steps", anew: "all" },
  { key: "class", part: "guidance", kind: "choice", options: classes, anew: "all" },
  { key: "guide", part: "guidance", kind: "choice", options: () => ["free", "classifier", "learned-classifier"], anew: "all" },
  { key: "guidance", part: "guidance", kind: "slider", step: 0.1, anew: "all" },
  { key: "field", part: "show", kind: "choice", options: () => ["none", "exact", "learned", "difference"], anew: "background" },
  { key: "heat", part: "show", kind: "choice", options: () => ["on", "off"], anew: "background" },
  { key: "particles", part: "show", kind: "whole", anew: "all" },
  { key: "seed", part: "show", kind: "whole", anew: "all" },
  ...[1, 2, 3, 4].map((pane) => ({ key: `pane${pane}`, anew: "all" })),
  { key: "view", anew: "all" },
  { key: "clock", anew: "nothing" },
  { key: "temperature", anew: "all" },
  { key: "cooling", anew: "all" },
  { key: "places", anew: "nothing" },
];

/** How many stops the guided tour has. */
export const STOPS = 10;
const PAGE = [...TABLE, { key: "tour", oneOf: Array.from({ length: STOPS }, (_, i) => String(i + 1)), fallback: null }];
/** Every link to the lab says these. */
const ALWAYS = ["data", "seed"];
/** What a link calls data of one's own. */
export const OWN = "own";
/** What a link says of a pane that is not there. */
const EMPTY = "none";

/** The page's own part of a link. */
export const pageKeys = (hash) => pageSettings(hash, PAGE);

/** Settings as a link. @param {{defaults: import("../state.js").Settings}} catalogue */
export const labHash = (settings, { defaults }, options = {}) => "#lab&" + toHash(settings, { always: ALWAYS, defaults }, { ...options, table: PAGE }).slice(1);

/** The panes that there are: a sampler and its steps each. @returns {{sampler: string, steps: number}[]} */
export const panes = (settings) =>
  [1, 2, 3, 4]
    .map((pane) => settings[`pane${pane}`])
    .filter((text) => text !== EMPTY)
    .map((text) => ({ sampler: text.split("~")[0], steps: Number(text.split("~")[1]) }));

/** Writes panes into the settings, closed up. */
export function setPanes(settings, all) {
  for (const pane of [1, 2, 3, 4]) {
    const wanted = all[pane - 1];
    settings[`pane${pane}`] = wanted ? `${wanted.sampler}~${wanted.steps}` : EMPTY;
  }
}

/** The data sets; one's own only once there are points. */
function sets({ data }, settings) {
  return [...data.map(({ id }) => id), ...(settings.data === OWN ? [OWN] : [])];
}

/** No component, or one of those that the data has. */
function classes({ data }, settings, own) {
  const components = data.find(({ id }) => id === settings.data)?.components ?? own;
  return Array.from({ length: components + 1 }, (_, i) => String(i - 1));
}
