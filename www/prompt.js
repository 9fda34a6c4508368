/** The prompt of a model that reads texts: what is typed, what could be, and pictures that follow the typing. */

import { $ } from "./dom.js";
import { el, hush, label, language, say } from "./strings.js";
import { Vocabulary } from "./vocabulary.js";

/** So many examples or completions stand under the prompt. */
const CHIPS = 8;
/** A model that needs no more steps than these can follow the typing. */
const FEW_STEPS = 4;
/** How long a person pauses, in ms, before what is typed is drawn. */
const PAUSE = 200;
/** A picture that takes longer than this, in seconds, follows no typing. */
const SLOW = 1.5;

const input = $("prompt");
/** Vocabularies by their files; a failed download is tried again with the next model. @type {Map<string, Promise<Vocabulary>>} */
const read = new Map();
/** @type {Vocabulary | undefined} */
let vocabulary;
/** @type {import("./models.js").Model | undefined} */
let model;
/** What the settings have. */
let standing = "";
let pause = 0;
/** What the page does with a prompt, and how it draws it. */
let page = { take: (_text) => undefined, run: () => {} };

/** @param {{take: (text: string) => import("../pkg/index.js").Problem | undefined, run: () => void}} heard `take` says why a text cannot be had */
export function listen(heard) {
  page = heard;
  input.addEventListener("input", typed);
  input.addEventListener("change", () => take(input.value));
  input.addEventListener("compositionend", typed);
  $("prompt-chips").addEventListener("click", ({ target }) => {
    const text = target.closest("button")?.dataset.prompt;
    if (text !== undefined) draw(text);
  });
  $("surprise").addEventListener("click", () => {
    const all = surprises();
    draw(all[Math.floor(Math.random() * all.length)]);
  });
  $("live").addEventListener("change", () => hush($("live-hint")));
}

/**
 * Shows the prompt of the settings.
 * @param {import("./models.js").Model} listed the chosen model
 * @param {string} text
 */
export function show(listed, text) {
  const reads = listed.conditioning === "text";
  $("prompt-box").hidden = !reads;
  if (!reads) return;
  if (listed !== model) choose(listed);
  if (text !== standing || document.activeElement !== input) input.value = text;
  standing = text;
  propose();
}

/** The card's prompts in the page's language; a model from elsewhere may have none. @returns {string[]} */
const prompts = () => model.prompts[language()] ?? [];

/** What a surprise is drawn from. */
const surprises = () => vocabulary?.listed[language()].surprise ?? prompts();

/** Whether the model has drawn before. */
let prepared = false;

/** Whether pictures follow the typing. */
const live = () => !$("live-field").hidden && $("live").checked;

/** How long a run took: a machine that is too slow for it stops drawing along. A model's first run is not counted, as it prepares the next. */
export function took(seconds) {
  const first = !prepared;
  prepared = true;
  if (first || !live() || seconds <= SLOW) return;
  $("live").checked = false;
  say($("live-hint"), "prompt.live.slow");
}

function choose(listed) {
  model = listed;
  prepared = false;
  const few = Number(listed.defaults.steps) <= FEW_STEPS;
  $("live-field").hidden = !few;
  $("live").checked = few;
  hush($("live-hint"));
  vocabulary = undefined;
  const file = listed.vocabulary && `models/${listed.vocabulary}`;
  if (!file) return;
  if (!read.has(file)) read.set(file, Vocabulary.read(file));
  read.get(file).then(
    (found) => {
      if (model !== listed) return;
      vocabulary = found;
      propose();
    },
    () => read.delete(file), // a convenience: without it the examples still stand
  );
}

function typed(event) {
  clearTimeout(pause);
  propose();
  // What an input method has not finished is no prompt yet.
  if (event.isComposing || !live()) return;
  pause = setTimeout(() => draw(input.value), PAUSE);
}

function draw(text) {
  clearTimeout(pause);
  if (take(text)) page.run();
}

/** @returns {boolean} whether the settings have it now; a text that is too long stays to be mended */
function take(text) {
  const refused = page.take(text);
  if (refused) say($("prompt-refused"), "prompt.refused", { most: refused.most, count: [...text].length });
  else hush($("prompt-refused"));
  return !refused;
}

/** Completions of what is typed or, where there are none, examples; and the words that the model never saw. */
function propose() {
  const text = input.value;
  const typing = document.activeElement === input && text !== standing;
  const completions = typing ? (vocabulary?.completions(text, language(), CHIPS) ?? []) : [];
  const examples = prompts().filter((example) => example !== text);
  const texts = completions.length > 0 ? completions : examples.slice(0, CHIPS);
  label($("prompt-chips"), completions.length > 0 ? "prompt.completions" : "prompt.examples");
  const chip = (prompt) => {
    const item = document.createElement("li");
    item.append(el("button", "plain", { text: prompt }, { type: "button" }));
    item.firstChild.dataset.prompt = prompt;
    return item;
  };
  $("surprise").hidden = surprises().length === 0;
  const listed = JSON.stringify(texts);
  if ($("prompt-chips").dataset.listed !== listed) {
    $("prompt-chips").dataset.listed = listed;
    $("prompt-chips").replaceChildren(...texts.map(chip));
  }
  const words = vocabulary?.unknown(text, typing) ?? [];
  if (words.length > 0) say($("prompt-unknown"), "prompt.unknown", { words: [...new Set(words)].join(", "), count: words.length });
  else hush($("prompt-unknown"));
}
