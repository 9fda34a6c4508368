/** Discrete diffusion: words whose letters are masked, and shown again in few steps and in many. */

import { $ } from "../dom.js";
import { el, label, number, say } from "../strings.js";
import { Chart } from "./chart.js";
import { cell, table } from "./numbers.js";

/** A letter that is masked, and what stands for it. */
const MASK = 255;
const MASKED = "▪";
/** Steps of the run that is compared. */
const MANY = 64;
/** The most likely letters that are listed at a place. */
const LIKELY = 3;

/**
 * The panes: their elements, and what they show at a place of the clock. What has the same `key` is the same.
 * @type {(ReturnType<typeof pane> & {at: (place: number) => {key: string, letters: ArrayLike<number>, words?: boolean[], text: [string, object]}, shown?: string})[]}
 */
let grids = [];
/** Shows what the denoiser says at a place of the clock. @type {(place: number) => void} */
let guess = () => {};
/** @type {Chart} */
let chart;
/** A letter for each number. @type {string[]} */
let alphabet = [];

/** Rows as those of the other processes: the time, the share that is shown, the share that is masked. */
export async function levels(engine, count) {
  const alphas = await engine.shown(count);
  return Float64Array.from([...alphas].flatMap((alpha, i) => [i / (count - 1), alpha, 1 - alpha, 0]));
}

/** @param {import("./view.js").Lab} lab */
export async function open(lab) {
  const { engine, stage, settings, live } = lab;
  const [data, few, many, known] = [await engine.masked(), await engine.unmasked(), await engine.unmasked(MANY), await engine.discrete()];
  if (!live()) return;
  stage.layout([], settings);
  alphabet = [...data.alphabet];
  grids = [forward(data), reverse(few, data.length), reverse(many, data.length)];
  $("lab-letters").replaceChildren(...grids.map(({ figure }) => figure));
  guess = guesses(few, data.length);
  numbers(known);
  lab.begin();
}

/** Shows the letters at a place of the clock. */
export function moved(place) {
  for (const grid of grids) {
    const { key, letters, words, text } = grid.at(place);
    if (key === grid.shown) continue;
    grid.shown = key;
    for (const [i, element] of grid.cells.entries()) {
      element.textContent = letters[i] === MASK ? MASKED : alphabet[letters[i]];
      element.classList.toggle("masked", letters[i] === MASK);
    }
    for (const [i, row] of grid.rows.entries()) row.classList.toggle("wrong", words?.[i] === false);
    say(grid.caption, ...text);
  }
  guess(place);
}

/** A pane of words. @param {string} kind its texts @param {object} values @param {number} count letters in all @param {number} length letters of a word */
function pane(kind, values, count, length) {
  const cells = Array.from({ length: count }, () => document.createElement("span"));
  const rows = Array.from({ length: count / length }, (_, i) => {
    const row = el("span", "", {}, { className: "word" });
    row.append(...cells.slice(i * length, (i + 1) * length));
    return row;
  });
  const box = el("div", "", {}, { className: "letters" });
  box.setAttribute("role", "img");
  label(box, `lab.see.${kind}`, values);
  box.append(...rows);
  const figure = el("figure", "", {}, { className: "pane" });
  const caption = el("p", "", {}, { className: "figures" });
  figure.append(el("h2", `lab.head.${kind}`, values), box, caption);
  return { figure, cells, rows, caption };
}

/** The data, masked as much as the clock says. */
function forward({ rows, times, length }) {
  const at = (place) => {
    const letters = rows.map((letter, i) => (1 - place > times[i] ? MASK : letter));
    const masked = letters.filter((letter) => letter === MASK).length;
    return { key: String(masked), letters, text: ["lab.at.masked", { masked, letters: letters.length }] };
  };
  return { ...pane("masked", {}, rows.length, length), at };
}

/** The step that a run is at. */
const stepAt = (place, steps) => Math.min(Math.floor(place * steps + 1e-9), steps);

/** Words that are drawn in steps. */
function reverse({ steps, frames, words }, length) {
  const right = words.filter(Boolean).length;
  const at = (place) => {
    const step = stepAt(place, steps);
    const over = step === steps;
    return { key: String(step), letters: frames[step], words: over ? words : undefined, text: [over ? "lab.at.words" : "lab.at.unmasked", { step, steps, right, rows: words.length }] };
  };
  return { ...pane("unmasked", { steps }, frames[0].length, length), at };
}

/** A table of the most likely letters of the first word. */
function guesses({ steps, frames, guesses }, length) {
  let shown = -1;
  const at = (step, i) => {
    const letter = frames[step][i];
    if (letter !== MASK) return [[alphabet[letter], 1]];
    const shares = guesses[step].slice(i * alphabet.length, (i + 1) * alphabet.length).map((share, k) => [alphabet[k], share]);
    return shares.filter(([, share]) => share > 0).sort(([, a], [, b]) => b - a).slice(0, LIKELY);
  };
  return (place) => {
    const step = stepAt(place, steps);
    if (step === shown) return;
    shown = step;
    const rows = Array.from({ length }, (_, i) => {
      const letters = at(step, i);
      const name = el("th", "lab.guess.place", { place: i + 1 }, { scope: "row" });
      const likely = Array.from({ length: LIKELY }, (_, k) => el("td", "plain", { text: () => (letters[k] ? `${letters[k][0]} ${number(100 * letters[k][1], 0)} %` : "") }));
      return [name, ...likely];
    });
    table($("lab-guess"), ["lab.guess.letter", ...Array.from({ length: LIKELY }, (_, k) => `lab.guess.${k + 1}`)], rows);
  };
}

/** Bound and likelihood by steps, above the entropy. */
function numbers({ steps, entropy, words }) {
  chart ??= new Chart($("lab-discrete-chart"), { logX: true, across: "lab.discrete.steps", up: "lab.discrete.up" });
  const row = (name) => steps.map((known) => known[name]);
  const series = [{ colour: "--signal", key: "lab.discrete.bound" }, { colour: "--noise", key: "lab.discrete.likelihood" }, { colour: "--soft", key: "lab.discrete.entropy", values: { words }, dash: [6, 4] }];
  chart.show(series, [row("steps"), row("bound"), row("likelihood"), steps.map(() => entropy)]);
  const cells = steps.map((known) => [el("th", "plain", { text: String(known.steps) }, { scope: "row" }), cell(known.bound, 3), cell(known.likelihood, 3), el("td", "plain", { text: () => `${number(100 * known.share, 1)} %` })]);
  table($("lab-discrete"), ["lab.discrete.steps", "lab.discrete.bound.short", "lab.discrete.likelihood.short", "lab.discrete.share"], cells);
}
