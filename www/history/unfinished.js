/** A run that a reload cut short: its link stands in the address, and how far it was is told to the page that comes after. */

const KEY = "unnoise.unfinished";

/** @typedef {{link: string, step: number, steps: number | null}} Unfinished */

/** @type {(() => Unfinished) | undefined} */
let going;

function write(value) {
  try {
    if (value) sessionStorage.setItem(KEY, JSON.stringify(value));
    else sessionStorage.removeItem(KEY);
  } catch {
    // Storage is forbidden: after a reload the link runs as any other.
  }
}

/** A run is under way. @param {() => Unfinished} where */
export function begin(where) {
  going = where;
  write(where()); // a tab that breaks down says no more
}

/** Nothing runs any more. */
export function end() {
  if (!going) return; // what the page before said is still to be read
  going = undefined;
  write();
}

/** The run of this link that a reload of the page cut short, once. @param {string} link @returns {Unfinished | undefined} */
export function take(link) {
  // A tab that was duplicated has the same storage.
  const reloaded = performance.getEntriesByType("navigation")[0]?.type === "reload";
  const found = reloaded ? read() : undefined;
  if (!going) write();
  return found?.link === link ? found : undefined;
}

/** Asks whether to draw it anew. @param {Unfinished} run @param {(key: string, values: object, actions: object) => void} ask @param {{again: () => void, leave: () => void}} ways */
export function offer({ step, steps }, ask, { again, leave }) {
  ask(steps === null ? "unfinished.open" : "unfinished", { step, steps }, { "unfinished.again": again, "unfinished.leave": leave });
}

function read() {
  try {
    return JSON.parse(sessionStorage.getItem(KEY)) ?? undefined;
  } catch {
    return undefined;
  }
}

addEventListener("pagehide", () => going && write(going()));
