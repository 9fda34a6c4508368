/** The keys of the view of pictures. */

import { $ } from "./dom.js";

/** What uses the keys itself. */
const BUSY = "button, input, select, textarea, a, summary, [role=slider], [role=option], [tabindex='0']";

/**
 * @param {{run: () => void, stop: () => void, timeline: import("./timeline.js").Timeline}} page
 */
export function listen({ run, stop, timeline }) {
  addEventListener("keydown", (event) => {
    const { key, target } = event;
    if ($("pictures").hidden || document.querySelector("dialog[open]")) return; // there Escape closes the dialog, and nothing else
    const chord = event.ctrlKey || event.metaKey;
    if (key === "Enter" && chord) {
      event.preventDefault();
      commit();
      return run();
    }
    if (key === "Escape") return stop();
    if (chord || event.altKey || event.shiftKey || target.closest(BUSY)) return;
    if (timeline.key(key)) event.preventDefault();
  });
}

/** A number that is still being typed counts, and whoever typed it goes on there. */
function commit() {
  const field = document.activeElement;
  if (!field?.matches("input, select, textarea")) return;
  field.blur();
  field.focus({ preventScroll: true });
}
