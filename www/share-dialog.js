/** All ways of sharing a run: its link, that as a QR code, a summary in words, and what puts the run into another page. */

import { write_link } from "../pkg/index.js";
import { Dialog } from "./dialog.js";
import { hand } from "./share.js";
import { el, hush, language, say } from "./strings.js";
import { summary } from "./summary.js";
import { encode } from "./vendor/uqr.js";

/** Canvas pixels a module of the code, and modules of the margin that readers ask for. */
const [MODULE, MARGIN] = [4, 4];
/** The size of the frame that holds stage, timeline and buttons, in pixels. */
const FRAME = { width: 640, height: 560 };

/** @type {Dialog} */
let dialog;
/** @type {{address: string, settings: import("../pkg/index.js").Settings, name: import("./models.js").Text}} */
let run;

const code = el("canvas", "", {}, { className: "code" });
const why = el("p", "", {}, { className: "hint", role: "status" });
const said = el("p", "", {}, { className: "hint", role: "status" });
const system = el("button", "share.system", {}, { type: "button", onclick: () => hand(run.address, text()) });
/** What can be copied, by name: its field, and what it says. */
const TEXTS = { address: () => run.address, summary: () => `${text()}\n${run.address}`, embed };
const fields = {};

/** @param {typeof run} given */
export function open(given) {
  run = given;
  if (!dialog) build();
  hush(said);
  for (const [name, words] of Object.entries(TEXTS)) fields[name].value = words();
  draw();
  dialog.show();
}

const text = () => summary(run.settings, run.name);

/** The snippet for another page. The link alone can hold what HTML would misread: an ampersand. */
function embed() {
  const src = new URL(write_link({ ...run.settings, lang: language(), show: undefined, embed: "1" }), run.address).href;
  const escaped = (words) => words.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  return `<iframe src="${escaped(src)}" width="${FRAME.width}" height="${FRAME.height}" title="${escaped(text())}" loading="lazy"></iframe>`;
}

function build() {
  dialog = new Dialog("sharing", { closed: () => {} });
  code.setAttribute("role", "img");
  code.dataset.i18nLabel = "share.code";
  const parts = Object.keys(TEXTS).map((name) => {
    const field = el("textarea", "", {}, { id: `sharing-${name}`, readOnly: true, rows: name === "embed" ? 4 : 3, spellcheck: false });
    fields[name] = field;
    const button = el("button", `share.${name}.copy`, {}, { type: "button", onclick: () => copy(field) });
    const box = el("div", "", {}, { className: "part" });
    box.append(el("label", `share.${name}`, {}, { htmlFor: field.id }), field, button);
    return box;
  });
  const figure = el("figure");
  figure.append(code, why);
  const row = el("div", "", {}, { className: "row" });
  row.append(system);
  system.hidden = !navigator.share;
  const sides = el("div", "", {}, { className: "sharing" });
  const left = el("div");
  left.append(...parts, row, said);
  sides.append(left, figure);
  dialog.fill(sides);
}

async function copy(field) {
  try {
    await navigator.clipboard.writeText(field.value);
    say(said, "share.copied");
  } catch {
    field.select();
    say(said, "share.select");
  }
}

/** Draws the code, dark on light in both themes: not every reader reads the inverse. */
function draw() {
  let bits;
  try {
    bits = encode(run.address, { ecc: "L", border: MARGIN }).data;
  } catch {
    // More than the largest code has room for.
  }
  code.hidden = !bits;
  if (!bits) return say(why, "share.code.long");
  hush(why);
  code.width = code.height = bits.length * MODULE;
  const context = code.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, code.width, code.height);
  context.fillStyle = "#000";
  for (const [y, row] of bits.entries()) for (const [x, dark] of row.entries()) if (dark) context.fillRect(x * MODULE, y * MODULE, MODULE, MODULE);
  return undefined;
}
