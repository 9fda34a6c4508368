/** What a model of words was trained on: completes what is typed, and finds words that the model never saw. */

import { getText } from "./models.js";

/** Words of Latin letters and numbers, and runs of Chinese characters. */
const RUNS = /[\p{L}\p{N}]+/gu;
const CHINESE = /\p{Script=Han}/u;

/** @typedef {{things: string[], words: string[], surprise: string[]}} Listed the file of a language, made by training/vocabulary.py */

export class Vocabulary {
  /** @param {Record<"en" | "zh", Listed>} listed */
  constructor(listed) {
    this.listed = listed;
    const { en, zh } = listed;
    const runs = (texts) => texts.flatMap((text) => text.match(RUNS) ?? []);
    this.known = new Set(runs([...en.things, ...en.words, ...zh.things, ...zh.words]));
    this.longest = Math.max(...Array.from(this.known, (word) => word.length));
  }

  /** @param {string} file its address in the site */
  static read = async (file, options) => new Vocabulary(JSON.parse(await getText(file, options)));

  /**
   * Prompts that go on from what is typed: its end is taken for the beginning of a thing's name, or of a word of one.
   * @param {string} typed @param {"en" | "zh"} language @param {number} most
   */
  completions(typed, language, most) {
    const text = typed.toLowerCase();
    const { things } = this.listed[CHINESE.test(text) ? "zh" : language];
    for (const start of starts(text)) {
      const end = text.slice(start);
      const found = things.filter((thing) => thing !== end && thing.startsWith(end)).sort((a, b) => a.length - b.length);
      if (found.length < most) found.push(...things.filter((thing) => !thing.startsWith(end) && within(thing, end)));
      if (found.length > 0) return found.slice(0, most).map((thing) => typed.slice(0, start) + thing);
    }
    return [];
  }

  /** The words of a prompt that no caption had, but for the last one while it is `open`: it may become one that is known. */
  unknown(typed, open = false) {
    const text = typed.toLowerCase();
    const matches = [...text.matchAll(RUNS)];
    return matches.flatMap(({ 0: run, index }) => {
      if (this.known.has(run)) return [];
      if (CHINESE.test(run)) return this.strange(run);
      return open && index + run.length === text.length ? [] : [run];
    });
  }

  /** What is left of a run of Chinese when known words are taken out, the longest first. */
  strange(run) {
    const left = [];
    for (let i = 0; i < run.length; ) {
      let length = Math.min(this.longest, run.length - i);
      while (length > 0 && !this.known.has(run.slice(i, i + length))) length -= 1;
      if (length === 0) left.push(run[i]);
      i += Math.max(1, length);
    }
    return left;
  }
}

/** Where a name may begin that the end of the text is the beginning of: at its words, or at its characters in Chinese. */
function* starts(text) {
  for (let i = 0; i < text.length; i++) {
    const first = i === 0 || CHINESE.test(text[i]) || /[^\p{L}\p{N}]/u.test(text[i - 1]);
    if (first && /[\p{L}\p{N}]/u.test(text[i])) yield i;
  }
}

/** Whether a word of the name, or in Chinese any part of it, begins so. */
const within = (thing, end) => (CHINESE.test(end) ? thing.includes(end) : thing.includes(` ${end}`));
