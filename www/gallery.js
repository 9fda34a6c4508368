/** The models to choose from: a row of cards, chosen by mouse, finger or keyboard, and what the page says of the chosen one. */

import { $ } from "./dom.js";
import { count, el, hush, label, megabytes, number, say, t } from "./strings.js";

const list = $("gallery");

/** Where each of these keys takes the focus, from card `i` of `n`. The focus alone chooses nothing, so nothing is downloaded on its way. */
const WAYS = {
  ArrowRight: (i, n) => (i + 1) % n,
  ArrowDown: (i, n) => (i + 1) % n,
  ArrowLeft: (i, n) => (i + n - 1) % n,
  ArrowUp: (i, n) => (i + n - 1) % n,
  Home: () => 0,
  End: (_, n) => n - 1,
};

/** A file of a model's folder. */
const file = ({ id }, name) => `models/${id}/${name}`;

/**
 * Fills the gallery.
 * @param {import("./models.js").Model[]} models
 * @param {(id: string) => void} pick called when a person picks another model
 */
export function fill(models, pick) {
  const groups = Object.entries(Object.groupBy(models, ({ kind }) => kind)).map(group);
  const cards = groups.flatMap(({ cards }) => cards);
  list.replaceChildren(...groups.map(({ box }) => box));
  const choose = (chosen) => chosen && chosen.getAttribute("aria-selected") !== "true" && pick(chosen.dataset.model);
  list.onclick = ({ target }) => choose(target.closest("[role=option]"));
  list.onkeydown = (event) => {
    const i = cards.indexOf(document.activeElement);
    if (event.ctrlKey || event.metaKey || event.altKey || i < 0) return;
    if (event.key === "Enter" || event.key === " ") choose(cards[i]);
    else if (WAYS[event.key]) cards[WAYS[event.key](i, cards.length)].focus();
    else return;
    event.preventDefault();
  };
}

/** The cards of a kind of models under its title. */
function group([kind, models]) {
  const cards = models.map(card);
  const row = el("div", "", {}, { className: "cards" });
  row.append(...cards);
  const title = el("span", `gallery.${kind}`, {}, { className: "title", ariaHidden: "true" });
  const box = el("div", "", {}, { className: "group" });
  box.setAttribute("role", "group");
  label(box, `gallery.${kind}`);
  box.append(title, row);
  box.style.flexGrow = String(cards.length);
  return { box, cards };
}

function card(model) {
  const { id, name, description, bytes, thumbnail } = model;
  const box = el("div", "", {}, { className: "card", tabIndex: -1 });
  box.dataset.model = id;
  box.setAttribute("role", "option");
  const picture = thumbnail ? Object.assign(new Image(), { src: file(model, thumbnail), alt: "" }) : el("span", "", {}, { className: "unseen" });
  const words = document.createElement("div");
  const text = (tag, className, key, values) => el(tag, key, values, { className });
  words.append(
    text("b", "", "plain", { text: name }),
    text("span", "hint", "plain", { text: description }),
    ...(bytes ? [text("span", "figures", "plain", { text: megabytes(bytes) })] : []), // not known of one that a link asks for
  );
  box.append(picture, words);
  return box;
}

/** Marks the chosen model, which is also where the Tab key enters. @param {string} id */
export function show(id) {
  for (const box of list.querySelectorAll("[role=option]")) {
    const chosen = box.dataset.model === id;
    // Brought into sight sideways; the page itself stays where it is.
    if (chosen && box.getAttribute("aria-selected") !== "true") list.scrollLeft = box.offsetLeft - list.offsetLeft;
    box.setAttribute("aria-selected", String(chosen));
    box.tabIndex = chosen ? 0 : -1;
  }
}

/**
 * Says what the chosen model is.
 * @param {import("./models.js").Model} model
 * @param {object | undefined} about what the engine knows of it, once it is loaded
 */
export function describe(model, about) {
  say($("model-name"), "plain", { text: model.name });
  $("model-card").hidden = !model.readme;
  if (model.readme) $("model-card").href = file(model, model.readme);
  say($("model-licence"), "model.licence", { licence: model.licence });
  $("model-licence").hidden = !model.licence;
  if (!about) return hush($("model-hint"));
  const { parameters, channels, height, width, process, prediction, most_noise: most } = about;
  const family = process === "vp" && most === null ? "vp.pure" : process;
  say($("model-hint"), "model.hint", {
    size: `${width}×${height}`,
    colours: () => t(channels === 1 ? "colours.grey" : "colours.rgb"),
    parameters: count(parameters),
    process: () => t(`process.${family}`, { most: () => number(most ?? Infinity, 0) }),
    prediction: () => t(`prediction.${prediction}`),
  });
}
