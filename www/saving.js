/** "Save…": the pictures of the run on show as files and on the clipboard, whether they say how they were made, and the run as an animation. */

import { Dialog } from "./dialog.js";
import { FilmForm } from "./film.js";
import { copy, tell, tells } from "./saved.js";
import { el, hush, say } from "./strings.js";

/** @type {{sheet: () => Promise<Blob>, keep: () => void, film: () => import("./film.js").Given}} */
let run;
/** @type {Dialog | undefined} */
let dialog;
/** @type {FilmForm} */
let film;
const said = el("p", "", {}, { className: "hint", role: "status", id: "saving-said" });
const told = el("input", "", {}, { type: "checkbox", id: "saving-told" });

/** @param {typeof run} given `sheet` is the PNG of the step on show, `keep` saves it, `film` is what an animation is made of */
export function open(given) {
  run = given;
  if (!dialog) build();
  hush(said);
  told.checked = tells();
  dialog.show();
  film.show();
}

function build() {
  dialog = new Dialog("saving", { closed: () => film.cancel() });
  const row = el("div", "", {}, { className: "row" });
  row.append(
    el("button", "save", {}, { type: "button", id: "saving-png", onclick: () => run.keep() }),
    el("button", "copy", {}, { type: "button", id: "saving-copy", onclick: async () => say(said, (await copy(run.sheet())) ? "copied" : "copied.not") }),
  );
  const switched = el("label", "", {}, { className: "live" });
  switched.append(told, " ", el("span", "saving.told"));
  told.addEventListener("change", () => tell(told.checked));
  told.setAttribute("aria-describedby", "saving-told-hint");
  const part = el("section", "", {}, { className: "saving" });
  part.append(el("h3", "saving.picture"), row, switched, el("p", "saving.told.hint", {}, { className: "hint", id: "saving-told-hint" }), said);
  film = new FilmForm("film", () => run.film());
  dialog.fill(part, film.box);
}
