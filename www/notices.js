/** What the page says: one status line, notices that can be put away, and at most one failure with ways out. */

import { el, knows, say, t } from "./strings.js";

/**
 * What one view of the page says, in the elements whose ids begin with its prefix.
 * @param {string} prefix
 */
export function messages(prefix) {
  const $ = (id) => document.getElementById(prefix + id);

  /** @param {string} key @param {Record<string, import("./strings.js").Value>} [values] */
  const status = (key, values) => say($("status"), key, values);

  /** Shows a notice until it is put away. A second notice of the same `name` takes the first one's place. `actions` as those of `ask`. */
  function notice(key, values, name = key, actions = {}) {
    forget(name);
    const box = el("div", "", {}, { className: "notice" });
    box.dataset.name = name;
    const close = el("button", "", {}, { type: "button", className: "icon", textContent: "×", onclick: () => box.remove() });
    close.dataset.i18nLabel = "dismiss";
    say(close, "cross");
    box.append(el("p", key, values), ...buttons(actions), close);
    $("notices").append(box);
  }

  /** Takes away the notices called `name`, or all of them but those that offer something. */
  function forget(name) {
    for (const box of [...$("notices").children]) if (name ? box.dataset.name === name : !box.querySelector("button:not(.icon)")) box.remove();
  }

  /** One notice a value of the link that could not be used. @param {import("../pkg/index.js").Problem} problem */
  function problem({ key, code, known, used, ...more }) {
    const format = `schedule.${more.value.split(":")[0]}.format`;
    if (code === "schedule" && knows(format)) code = "schedule-values";
    if (more.nearest) code += "-near";
    const values = { ...more, name: key, format: () => t(format).replace(/[.。]$/, ""), known: some(known), used: () => (used === null ? t("problem.default") : String(used)) };
    notice(`problem.${code}`, values, `problem.${key}`);
  }

  /**
   * Shows a failure in words, with a button for each way out.
   * @param {{code: string, values: Record<string, string | number>}} fault
   * @param {Record<string, () => void>} actions by the key of the button's text
   */
  function fault({ code, values }, actions = {}) {
    ask(...sentence(code, values), actions);
    $("fault").classList.toggle("bad", code !== "cancelled");
  }

  /** Asks a question in the same place. @param {string} key @param {Record<string, import("./strings.js").Value>} values @param {Record<string, () => void>} actions */
  function ask(key, values, actions) {
    say($("fault-text"), key, values);
    $("fault-actions").replaceChildren(...buttons(actions));
    $("fault").classList.remove("bad");
    $("fault").hidden = false;
  }

  const clearFault = () => ($("fault").hidden = true);

  return { status, notice, forget, problem, ask, fault, clearFault };
}

/** A button for each way out. @param {Record<string, () => void>} actions by the key of the button's text */
const buttons = (actions) => Object.entries(actions).map(([text, onclick]) => el("button", text, {}, { type: "button", onclick }));

/** Names for a sentence, the first few of many. @param {string[] | undefined} names */
function some(names) {
  const shown = 12;
  return names && (names.length > shown ? `${names.slice(0, shown).join(", ")}, …` : names.join(", "));
}

/** The text and its values for a fault. */
export const sentence = (code, values) => (knows(`error.${code}`) ? [`error.${code}`, values] : ["error.unexpected", { message: code, ...values }]);
