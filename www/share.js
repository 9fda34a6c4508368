/**
 * The Share button: the system's own way of sharing on a phone; elsewhere a link on the clipboard, or selected to be copied by hand where
 * the clipboard is denied, as over plain http.
 */

import { hush, label, say } from "./strings.js";

/** How long the confirmation stays (milliseconds). */
const STAY = 6000;
let timer;

/** @typedef {{settings: import("../pkg/index.js").Settings, name: import("./models.js").Text}} Run what is shared, where it is a run, and the name of its model */

/** Whether the system's own way is the usual one here: that of a device without a mouse. */
const systems = () => Boolean(navigator.share) && matchMedia("(pointer: coarse)").matches;

/** Hands an address to the system. @returns {Promise<boolean>} whether that answered, if only that a person thought better of it */
export const hand = (address, text) =>
  navigator.share({ title: "unnoise", text, url: address }).then(
    () => true,
    ({ name }) => name === "AbortError",
  );

/**
 * @param {string} hash
 * @param {{wants?: "" | "own" | "picture", prefix?: string, run?: Run}} [given] what whoever opens it needs besides: the files of a model, a
 * picture that is too large for a link; what the view's ids begin with; and what has more to share than a link
 */
export async function share(hash, { wants = "", prefix = "", run } = {}) {
  const $ = (id) => document.getElementById(prefix + id);
  clearTimeout(timer);
  const address = new URL(hash, location.href).href;
  $("link").hidden = true;
  more($, address, run);
  if (systems() && (await hand(address, await text(run)))) return;
  try {
    await navigator.clipboard.writeText(address);
    say($("shared-text"), `share.done${wants && `.${wants}`}`);
    timer = setTimeout(() => clear($), STAY);
  } catch {
    say($("shared-text"), `share.copy${wants && `.${wants}`}`);
    $("link").hidden = false;
    $("link").value = address;
    $("link").select();
  }
}

const text = async (run) => (run ? (await import("./summary.js")).summary(run.settings, run.name) : "");

function clear($) {
  hush($("shared-text"));
  $("link").hidden = true;
  for (const id of ["share-more", "share-close"]) if ($(id)) $(id).hidden = true;
}

/** What stands beside the confirmation, where the view has it. */
function more($, address, run) {
  if ($("share-more")) {
    $("share-more").hidden = !run;
    $("share-more").onclick = async () => (await import("./share-dialog.js")).open({ address, ...run });
  }
  if (!$("share-close")) return;
  $("share-close").hidden = false;
  label($("share-close"), "dismiss");
  $("share-close").onclick = () => clear($);
}
