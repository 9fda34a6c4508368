/** What the page itself knows of the lab's settings: what has to be made anew when one changes, and the panes. */

/** What a link calls data of one's own. */
export const OWN = "own";
/** What a link says of a pane that is not there. */
const EMPTY = "none";
const PANES = [1, 2, 3, 4].map((pane) => `pane${pane}`);

/** What is shown with exact models alone: no network, no guidance and no arrows. */
export const EXACT = ["latent", "discrete"];

const NETWORK = ["data", "points", "process", "curve", "objective", "depth", "width", "lr", "batch", "ema", "train-seed"];
const BACKGROUND = ["field", "heat"];

/** What has to be made anew when a key changes: the background of the planes, all that is on show, or the network too. */
export const anew = (key) => (NETWORK.includes(key) ? "network" : BACKGROUND.includes(key) ? "background" : "all");

/** What stands where a link says nothing. */
export const defaultOf = ({ lab }, key) => lab.find((row) => row.key === key).default;

/** The panes that there are: a sampler and its steps each. @returns {{sampler: string, steps: number}[]} */
export const panes = (settings) =>
  PANES.map((key) => settings[key])
    .filter((text) => text !== EMPTY)
    .map((text) => ({ sampler: text.split("~")[0], steps: Number(text.split("~")[1]) }));

/** Panes as settings have them, closed up. */
export const paneKeys = (all) => Object.fromEntries(PANES.map((key, i) => [key, all[i] ? `${all[i].sampler}~${all[i].steps}` : EMPTY]));
