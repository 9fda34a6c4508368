/** A picture that a person drops, pastes or chooses and that says how it was made: it can be made again, or a run can begin with it. */

import { catalogue, fit, other_weights, read_link, read_made } from "../pkg/index.js";
import { Dialog } from "./dialog.js";
import { rowOf } from "./open.js";
import { weights } from "./saved.js";
import { el, hush, knows, say } from "./strings.js";
import { named, summary } from "./summary.js";

/** Characters of a value that are shown. */
const SHOWN = 200;
/** Bytes of the largest file that is looked into. */
const LARGEST = 64e6;

/** @type {{controls: import("./controls.js").Controls, ready: () => boolean, open: (link: string) => void}} */
let page;
/** @type {Dialog | undefined} */
let dialog;
/** What becomes of the file. @type {{again: () => void, start: () => void}} */
let ways;

const picture = el("img", "", {}, { className: "came", alt: "" });
const from = el("p");
const what = el("p", "", {}, { className: "hint" });
const warning = el("p", "", {}, { className: "hint bad" });
const taken = el("dl", "", {}, { className: "taken" });
const left = el("dl", "", {}, { className: "taken" });
const leftTitle = el("h3", "made.left");
const buttons = {
  again: el("button", "made.again", {}, { type: "button", className: "main", id: "made-again", onclick: () => over("again") }),
  start: el("button", "made.start", {}, { type: "button", id: "made-start", onclick: () => over("start") }),
};

/** @param {typeof page} given `ready` says whether a run can begin with a picture now, `open` draws a link */
export function listen(given) {
  page = given;
}

/**
 * Asks what is to become of a picture that says how it was made; any other file is where a run begins.
 * @param {File} file @param {(file: File) => void} start begins a run with it
 */
export async function offer(file, start) {
  const small = page.controls.models.length && file.size <= LARGEST;
  const found = small ? read_made(new Uint8Array(await file.arrayBuffer())) : undefined;
  if (!found) return start(file);
  const { controls } = page;
  const ours = found.program === "unnoise";
  // Only the hash: the text may be anybody's. What is the page's own stays.
  const hash = `#${found.link.slice(found.link.indexOf("#") + 1)}`;
  if (/^#lab\b/.test(hash)) return start(file);
  const { embed, lang, model: here } = controls.settings;
  const more = Object.entries({ ...(!ours && { model: here }), embed, lang }).filter(([, value]) => value);
  const link = hash + more.map(([key, value]) => `&${key}=${encodeURIComponent(value)}`).join("");
  const { settings, problems: unread } = read_link(link, controls.models);
  // Those of another program act on the model that is there, which need not take them all.
  const problems = [...unread, ...(ours ? [] : fit(settings, controls.models, controls.facts).problems)];
  ways = { again: () => page.open(link), start: () => start(file) };
  if (!dialog) build();
  URL.revokeObjectURL(picture.src);
  picture.src = URL.createObjectURL(file);
  say(from, `made.from.${found.program}`);
  const model = controls.models.find(({ id }) => id === settings.model) ?? rowOf(settings.model) ?? controls.model;
  if (ours) say(what, found.step === null ? "plain" : "made.step", { text: summary(settings, model.name), run: summary(settings, model.name), step: found.step ?? 0 });
  else say(what, "made.model", { name: named(model.name) });
  const others = ours ? other_weights(found.weights, weights(model, settings)) : [];
  if (others.length) say(warning, "made.weights", { files: others.join(", ") });
  else hush(warning);
  const refused = new Map(problems.map((problem) => [problem.key, problem]));
  list(taken, found.settings.filter(([key]) => !refused.has(key)).map(([key, value]) => [el("dt", key), shown(key, value)]));
  const without = found.left.map(([name, value]) => [el("dt", "plain", { text: name }), shown("", value)]);
  const unusable = [...refused.values()].map(({ key, value }) => [knows(key) ? el("dt", key) : el("dt", "plain", { text: key }), shown("", value)]);
  list(left, [...without, ...unusable]);
  leftTitle.hidden = !left.children.length;
  buttons.start.disabled = !page.ready();
  dialog.show();
  buttons.again.focus();
}

/** The value of a setting, as a person reads it. */
function shown(key, value) {
  const name = key === "sampler" ? catalogue().samplers.find(({ id }) => id === value)?.name : undefined;
  const text = name ?? String(value);
  return el("dd", "", {}, { textContent: text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text });
}

/** @param {[HTMLElement, HTMLElement][]} pairs */
function list(element, pairs) {
  element.replaceChildren(...pairs.flat());
  element.hidden = !pairs.length;
}

function build() {
  dialog = new Dialog("made", { closed: () => {} });
  const row = el("div", "", {}, { className: "row" });
  row.append(...Object.values(buttons));
  const text = el("div");
  text.append(from, what, taken, leftTitle, left, warning);
  const sides = el("div", "", {}, { className: "made" });
  sides.append(picture, text);
  dialog.fill(sides, row);
}

function over(way) {
  dialog.close();
  ways[way]();
}
