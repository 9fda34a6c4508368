/** A large dialog of a view that is made when it is first opened. */

import { $ } from "./dom.js";
import { el, label } from "./strings.js";

export class Dialog {
  /** @param {string} id its title is the text `ID.title` @param {{closed: () => void}} hears */
  constructor(id, { closed }) {
    this.id = id;
    this.element = el("dialog", "", {}, { id: `${id}-dialog`, className: "view" });
    this.element.setAttribute("aria-labelledby", `${id}-title`);
    const close = el("button", "cross", {}, { type: "button", className: "icon", id: `${id}-close`, onclick: () => this.close() });
    close.dataset.i18nLabel = "close";
    const head = el("header", "", {}, { className: "row" });
    head.append(el("h2", `${id}.title`, {}, { id: `${id}-title` }), close);
    this.body = el("div", "", {}, { className: "body" });
    this.element.append(head, el("p", `${id}.about`, {}, { className: "hint" }), this.body);
    this.element.addEventListener("close", closed);
    $("pictures").append(this.element);
  }

  fill(...parts) {
    this.body.append(...parts);
  }

  /** Where the Share button answers. @param {string} prefix of its ids */
  shared(prefix) {
    const line = el("p", "", {}, { className: "shared", role: "status" });
    line.append(el("label", "", {}, { id: `${prefix}shared-text`, htmlFor: `${prefix}link` }), el("input", "", {}, { id: `${prefix}link`, readOnly: true, hidden: true }));
    line.append(el("button", "share.more", {}, { type: "button", className: "quiet", id: `${prefix}share-more`, hidden: true }));
    return line;
  }

  /** A row of buttons by their names, and the bar of what the first one begins. @param {Record<string, {text: string, act: () => void}>} wanted */
  actions(wanted) {
    const button = ([name, { text, act }], i) => [name, el("button", text, {}, { type: "button", onclick: act, className: i ? "" : "main", id: `${this.id}-${name}` })];
    const buttons = Object.fromEntries(Object.entries(wanted).map(button));
    const row = el("div", "", {}, { className: "row" });
    row.append(...Object.values(buttons));
    const bar = el("progress", "", {}, { max: 1, value: 0 });
    label(bar, "progress");
    return { buttons, row, bar };
  }

  show() {
    if (!this.element.open) this.element.showModal();
  }

  close() {
    this.element.close();
  }
}
