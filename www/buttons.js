/** The buttons that begin a run and end it. */

import { $ } from "./dom.js";
import { dice } from "./field.js";
import { loading } from "./loading.js";

/**
 * @param {object} page
 * @param {import("./controls.js").Controls} page.controls
 * @param {() => void} page.run
 * @param {() => void} page.stop
 * @param {(key: string) => void} page.status
 */
export function listen({ controls, run, stop, status }) {
  $("controls").addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  dice($("again"), (seed) => {
    controls.set("from", ""); // another seed begins another run
    controls.set("seed", seed);
    run();
  });
  $("stop").addEventListener("click", stop);
  $("cancel").addEventListener("click", () => {
    status("cancelled");
    $("cancel").hidden = true;
    loading.abort.abort();
  });
}
