/** A large dialog of a view that is made when it is first opened. */

import { $ } from "./dom.js";
import { el } from "./strings.js";

export class Dialog {
  /** @param {string} id its title is the text `ID.title` @param {{closed: () => void}} hears */
  constructor(id, { closed }) {
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

  show() {
    if (!this.element.open) this.element.showModal();
  }

  close() {
    this.element.close();
  }
}
