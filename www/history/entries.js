/**
 * The browser's back and forward, which walk through runs: each has an entry of its own, and what is set after a run is written
 * into the next one.
 */

import { embedded } from "../embed.js";

/** @typedef {{run: string, id?: string}} Entry the link of what decides the run's pictures, and what it is kept as */

/** @returns {Entry | null} of a run, where the address is one's. Entries of a frame would be those of the page around it, too. */
const entry = () => (history.state?.run === undefined || embedded() ? null : history.state);

/** Writes the address. @param {string} link @param {string} run the link of what decides the pictures */
export function write(link, run) {
  const here = entry();
  if (here && here.run !== run) history.pushState(null, "", link);
  else history.replaceState(here, "", link);
}

/** The run of the address begins. @param {string} run as above */
export function began(run) {
  if (entry()?.run !== run) history.replaceState({ run }, "", location.href);
}

/** A run is kept. @param {string} run as above @param {string} id */
export function kept(run, id) {
  if (entry()?.run === run) history.replaceState({ run, id }, "", location.href);
}

/** What the run of this entry is kept as. */
export const id = () => entry()?.id;

/** Opens a kept run in an entry of its own. @param {{link: string, run: string, id: string}} kept */
export function visit({ link, run, id }) {
  const here = entry();
  history[here && here.run !== run ? "pushState" : "replaceState"]({ run, id }, "", link);
}
