/** How many tokens the prompts have, and which of their words have no place. */

import { $ } from "./dom.js";
import { hush, say } from "./strings.js";

/** How long a person pauses, in ms, before what is typed is counted. */
const PAUSE = 150;

/** @typedef {{tokens: (text: string) => Promise<import("../pkg/index.js").Tokens> | undefined, most: () => number | null}} Page `most` is what the model takes at most */

/** @type {Page} */
let page;
/** The fields that are counted. @type {Counter[]} */
let counters = [];

class Counter {
  #input;
  #hint;
  #pause = 0;
  /** What was counted last, to be counted anew only where it is another. */
  #counted = "";

  constructor(input, hint) {
    [this.#input, this.#hint] = [input, hint];
    input.addEventListener("input", () => this.soon());
  }

  soon() {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => this.count(), PAUSE);
  }

  /** @param {string} [by] what else the count depends on */
  async count(by = "") {
    const text = this.#input.value;
    const most = page.most();
    const counted = JSON.stringify([text, most, by]);
    if (by && counted === this.#counted) return;
    this.#counted = counted;
    if (!most || text === "") return hush(this.#hint);
    const read = await page.tokens(text)?.catch(() => undefined); // a run says what is wrong
    if (!read || text !== this.#input.value) return undefined;
    // The two that begin and end every text are no part of it.
    const values = { count: read.count - 2, most: most - 2, words: read.left_out.join(" ") };
    this.#hint.classList.toggle("bad", read.left_out.length > 0);
    return say(this.#hint, read.left_out.length > 0 ? "tokens.left-out" : "tokens", values);
  }
}

/** Counts anew what a change of settings or model may have changed. @param {string} by what the count depends on besides the text */
export const show = (by) => counters.forEach((counter) => counter.count(by));

/** @param {Page} given */
export function listen(given) {
  page = given;
}

/** Counts the tokens of these fields. @param {[HTMLInputElement, HTMLElement][]} fields each with where its count stands */
export function of(fields) {
  counters = fields.map(([input, hint]) => new Counter(input, hint));
}
