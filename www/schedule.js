/** The schedule's fields: which kind, and the numbers that some kinds take. The engine judges what is typed. */

import { hush, knows, say } from "./strings.js";
import { put } from "./typing.js";

const $ = (id) => document.getElementById(id);

/** @typedef {{id: string, values: string | null, list: boolean}} Kind its `values` are its default ones, if it has any */

/** @type {Kind[]} */
let kinds = [];
/** What was typed and is not judged yet, as a link has it. */
let asked = "";
/** What was typed and cannot be used: it stays in its field until it is mended or another kind is chosen. */
let refused = "";

const idOf = (text) => text.split(":")[0];
const valuesOf = (text) => text.split(":")[1];
const kind = (text) => kinds.find(({ id }) => id === idOf(text));

/** The numbers with commas between, however they were typed. */
const typed = () => $("schedule-values").value.split(/[\s,;，；、]+/).filter(Boolean).join(",");

/** @param {Kind[]} all the catalogue's */
export function fill(all) {
  kinds = all;
}

/** Whether something typed waits for the engine's judgement. */
export const pending = () => asked !== "";

/** Whether the schedule is a list that has its own number of steps. */
export const listed = (text) => kind(text).list;

/**
 * @param {(text: string, steps?: number) => void} choose takes a schedule that is good, with its number of steps where it has one
 * @param {(text: string) => void} ask has the engine judge one
 */
export function listen(choose, ask) {
  const take = (id) => {
    asked = refused = "";
    const { values, list } = kind(id);
    choose(id, list ? values.split(",").length : undefined);
  };
  $("schedule").addEventListener("change", () => take($("schedule").value));
  $("schedule-values").addEventListener("change", () => {
    const id = $("schedule").value;
    if (!typed()) return take(id); // nothing: as the kind has it
    asked = `${id}:${typed()}`;
    ask(asked);
  });
}

/**
 * Hears the engine's judgement of a link with the schedule that was asked for.
 * @param {{settings: import("./state.js").Settings, problems: import("./state.js").Problem[]}} verdict
 * @returns {{schedule: string, steps: number} | undefined} what to use now, if the question still stands and the answer is yes
 */
export function judged({ settings, problems }) {
  const problem = problems.find(({ key }) => key === "schedule");
  const question = asked;
  asked = "";
  if (!question) return undefined; // another kind was chosen meanwhile
  refused = problem ? question : "";
  return problem ? undefined : { schedule: settings.schedule, steps: settings.steps };
}

/**
 * Shows the schedule in use.
 * @param {string} text as a link has it
 * @param {{timesteps: number | null, last_time: number} | undefined} about the loaded model: some know whole steps of
 * training only, and others (`timesteps` is null) all times up to the last
 */
export function show(text, about) {
  const { id, values } = kind(text);
  if (refused && idOf(refused) !== id) refused = "";
  $("schedule").value = id;
  const continuous = about?.timesteps === null && knows(`continuous.${id}`);
  say($("schedule-hint"), continuous ? `continuous.${id}` : `schedule.${id}.hint`, { last: about?.last_time });
  $("schedule-values-field").hidden = values === null;
  if (values === null) return;
  const used = valuesOf(text) ?? values;
  put($("schedule-values"), valuesOf(asked || refused || text) ?? values);
  say($("schedule-values-label"), `schedule.${id}.values`);
  say($("schedule-format"), `schedule.${id}.format`);
  const [, value] = refused.split(":");
  $("schedule-values").setAttribute("aria-invalid", String(Boolean(refused)));
  if (refused) say($("schedule-refused"), "schedule.refused", { value, used });
  else hush($("schedule-refused"));
}
