/** The schedule's fields: which kind, and the numbers that some kinds take. */

import { $ } from "./dom.js";
import { hush, knows, say } from "./strings.js";
import { put } from "./typing.js";

/** @typedef {{id: string, values: string | null, list: boolean}} Kind its `values` are its default ones, if it has any */

/** @type {Kind[]} */
let kinds = [];
/** What was typed and cannot be used: it stays in its field until it is mended or another kind is chosen. */
let refused = "";

const idOf = (text) => text.split(":")[0];
/** What stands after the first colon; a blend has spacings with colons of their own. */
const valuesOf = (text) => (text.includes(":") ? text.slice(text.indexOf(":") + 1) : undefined);
const kind = (text) => kinds.find(({ id }) => id === idOf(text));

/** The numbers with commas between, however they were typed. */
const typed = () => $("schedule-values").value.split(/[\s,;，；、]+/).filter(Boolean).join(",");

/** @param {Kind[]} all the catalogue's */
export function fill(all) {
  kinds = all;
}

/** Whether the schedule is a list that has its own number of steps. */
export const listed = (text) => kind(text).list;

/**
 * @param {(text: string) => unknown} take takes a schedule, or answers what is wrong with it
 * @param {() => void} redraw shows the form anew
 */
export function listen(take, redraw) {
  const chosen = (id) => {
    refused = "";
    take(id);
  };
  $("schedule").addEventListener("change", () => chosen($("schedule").value));
  $("schedule-values").addEventListener("change", () => {
    const id = $("schedule").value;
    if (!typed()) return chosen(id); // nothing: as the kind has it
    const wish = `${id}:${typed()}`;
    refused = take(wish) ? wish : "";
    redraw();
  });
}

/**
 * Shows the schedule in use.
 * @param {string} text as a link has it
 * @param {{timesteps: number | null, last_time: number} | undefined} about the loaded model: some know whole steps of
 * training only, and others (`timesteps` is null) all times up to the last
 */
export function show(text, about) {
  const { id, values } = kind(text);
  if (idOf(refused) !== id) refused = "";
  $("schedule").value = id;
  const continuous = about?.timesteps === null && knows(`continuous.${id}`);
  say($("schedule-hint"), continuous ? `continuous.${id}` : `schedule.${id}.hint`, { last: about?.last_time });
  $("schedule-values-field").hidden = values === null;
  if (values === null) return;
  const used = valuesOf(text) ?? values;
  put($("schedule-values"), valuesOf(refused || text) ?? values);
  say($("schedule-values-label"), `schedule.${id}.values`);
  say($("schedule-format"), `schedule.${id}.format`);
  const value = valuesOf(refused);
  $("schedule-values").setAttribute("aria-invalid", String(Boolean(refused)));
  if (refused) say($("schedule-refused"), "schedule.refused", { value, used });
  else hush($("schedule-refused"));
}
