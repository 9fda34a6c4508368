/** The page inside another one: stage, timeline and Run alone, and messages to and from the page around it (docs/embed.md). */

import { write_link } from "../pkg/index.js";
import { $ } from "./dom.js";

/** What the page around may ask for. */
const COMMANDS = {
  run: () => page.run(),
  stop: () => page.stop(),
  set: ({ settings }) => set(settings),
};
/** Keys of the page that a frame may be given, too; the others are the frame's own. */
const GIVEN = ["backend", "lang"];
const FORMS = 'A message is {unnoise: "run"}, {unnoise: "stop"} or {unnoise: "set", settings: {…}}';

/** @type {{controls: import("./controls.js").Controls, run: () => void, stop: () => void}} */
let page;
let on = false;
/** The last event of a kind that a page which comes late wants to know. @type {object | undefined} */
let ready;
/** The origin of the page around: the browser names it, or its first message does. */
let origin = location.ancestorOrigins?.[0] ?? (document.referrer && new URL(document.referrer).origin);

/** Whether the page is inside another one, as its link says. */
export const embedded = () => on;

/** Takes over whether the link says so. @param {import("../pkg/index.js").Settings} settings */
export function adopt(settings) {
  on = settings.embed === "1";
  document.documentElement.toggleAttribute("data-embed", on);
  follow(settings);
}

/** The link to the whole page, with these settings. @param {import("../pkg/index.js").Settings} settings */
export function follow(settings) {
  if (on) $("embed-full").href = write_link({ ...settings, embed: undefined });
}

/** Tells the page around. @param {"ready" | "step" | "done" | "failed" | "refused"} event @param {Record<string, unknown>} [values] */
export function tell(event, values = {}) {
  if (!on || parent === window) return;
  const message = { unnoise: event, ...values };
  if (event === "ready") ready = message;
  // A page from a file, or in a sandbox, has an origin that cannot be named.
  if (origin) parent.postMessage(message, origin === "null" ? "*" : origin);
}

const EVENTS = ["ready", "step", "done", "failed", "refused"];

function hear({ source, data, origin: from }) {
  if (!on || source !== parent || parent === window) return;
  if (EVENTS.includes(data?.unnoise)) return; // an echo of ours, whose answer would be echoed, too
  if (from !== origin) {
    origin = from;
    if (ready) tell("ready", ready);
  }
  const command = typeof data?.unnoise === "string" && Object.hasOwn(COMMANDS, data.unnoise) && COMMANDS[data.unnoise];
  if (!command) return tell("refused", { message: `${FORMS}; this one is none of them.` });
  try {
    const refused = command(data);
    if (refused) tell("refused", { message: refused });
  } catch (thrown) {
    tell("refused", { message: String(thrown?.message ?? thrown) });
  }
}

const own = (key) => !GIVEN.includes(key) && page.controls.catalogue.settings.some((row) => row.key === key && row.of_page);

/** Changes settings as a person does. @returns {string | undefined} why one of them cannot be had */
function set(settings) {
  if (typeof settings !== "object" || settings === null || Array.isArray(settings)) return `${FORMS}; settings is an object here.`;
  for (const [key, value] of Object.entries(settings)) {
    if (own(key)) return `The setting ${key} is the frame's own and cannot be set by a message.`;
    if (value !== null && typeof value !== "string" && typeof value !== "number") return `The setting ${key} must be a text, a number or null.`;
    const refused = page.controls.set(key, value);
    if (refused) return `${refused.message}.`;
  }
  return undefined;
}

/** @param {typeof page} given */
export function listen(given) {
  page = given;
  addEventListener("message", hear);
}
