/** The buttons that begin a run and end it. */

import { $ } from "./dom.js";
import { dice } from "./field.js";

/**
 * @param {object} page
 * @param {import("./controls.js").Controls} page.controls
 * @param {() => void} page.run
 * @param {() => void} page.stop
 * @param {() => void} page.cancel gives a download up
 */
export function listen({ controls, run, stop, cancel }) {
  $("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  dice($("again"), (seed) => {
    controls.set("seed", seed);
    run();
  });
  $("stop").addEventListener("click", stop);
  $("cancel").addEventListener("click", () => {
    $("cancel").hidden = true;
    cancel();
  });
}
