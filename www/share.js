/** The Share button: a link on the clipboard, or selected to be copied by hand where the clipboard is denied. */

import { hush, say } from "./strings.js";

/** How long the confirmation stays (milliseconds). */
const STAY = 4000;
let timer;

/**
 * @param {string} hash
 * @param {{wants?: "" | "own" | "picture", prefix?: string}} [run] what whoever opens it needs besides: the files of a model, a picture that is too
 * large for a link; what the view's ids begin with
 */
export async function share(hash, { wants = "", prefix = "" } = {}) {
  const $ = (id) => document.getElementById(prefix + id);
  clearTimeout(timer);
  const address = new URL(hash, location.href).href;
  try {
    await navigator.clipboard.writeText(address);
    $("link").hidden = true;
    say($("shared-text"), `share.done${wants && `.${wants}`}`);
    timer = setTimeout(() => hush($("shared-text")), STAY);
  } catch {
    say($("shared-text"), `share.copy${wants && `.${wants}`}`);
    $("link").hidden = false;
    $("link").value = address;
    $("link").select();
  }
}
