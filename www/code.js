/** The run as a Python script for diffusers, in a dialog. */

import { $ } from "./dom.js";
import { say } from "./strings.js";

/** Shows the script, or why there is none. @param {{text?: string, why?: string}} answer */
export function show({ text, why }) {
  $("code-text").hidden = $("code-copy").hidden = !text;
  $("code-text").textContent = text ?? "";
  if (text) say($("code-note"), "code.note");
  else say($("code-note"), "code.none", { why: why.replace(/\.?$/, ".") });
  $("code-dialog").showModal();
}

$("code-close").addEventListener("click", () => $("code-dialog").close());
$("code-copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText($("code-text").textContent);
    say($("code-note"), "code.copied");
  } catch {
    getSelection().selectAllChildren($("code-text"));
    say($("code-note"), "code.select");
  }
});
