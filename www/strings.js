/**
 * The page's texts. Every visible text is set by `say` (or by a `data-i18n` attribute in the markup), which remembers
 * key and values on the element, so that switching the language is one pass over the document.
 */

export const LANGUAGES = ["en", "zh"];

/** @typedef {string | number | {en?: string, zh?: string} | (() => string)} Value what fills a `{placeholder}` */

/** @type {WeakMap<Element, Record<string, Value>>} */
const filled = new WeakMap();
/** The same for accessible names. @type {WeakMap<Element, Record<string, Value>>} */
const filledLabels = new WeakMap();
/** @type {Record<string, string>} */
let table = {};
let current = "en";

export const language = () => current;

/** The first of the browser's languages that the page speaks. */
export const preferred = () =>
  (navigator.languages ?? [navigator.language]).map((tag) => tag.slice(0, 2).toLowerCase()).find((tag) => LANGUAGES.includes(tag)) ?? "en";

/** Loads a language and rewrites the document in it. Throws when its file cannot be had. */
export async function speak(language) {
  const response = await fetch(new URL(`./i18n/${language}.json`, import.meta.url));
  if (!response.ok) throw new Error(`www/i18n/${language}.json: ${response.status}`);
  table = await response.json();
  current = language;
  document.documentElement.lang = language === "zh" ? "zh-Hans" : language;
  document.title = t("title");
  for (const element of document.querySelectorAll("[data-i18n], [data-i18n-html], [data-i18n-label]")) render(element);
}

export const knows = (key) => Object.hasOwn(table, key);

/**
 * The text `key` with its `{placeholders}` filled, and of each `{count:image|images}` the form that goes with that number.
 * An unknown key is shown as it is: wrong, but visible.
 * @param {string} key
 * @param {Record<string, Value>} [values]
 */
export function t(key, values = {}) {
  const plurals = new Intl.PluralRules(current);
  const agreed = (table[key] ?? key).replace(/\{(\w+):([^|}]*)\|([^}]*)\}/g, (_, name, one, other) => (plurals.select(Number(values[name])) === "one" ? one : other));
  return agreed.replace(/\{(\w+)\}/g, (whole, name) => {
    const value = values[name];
    if (value === undefined || value === null) return whole;
    if (typeof value === "function") return value();
    if (typeof value === "number") return number(value);
    return typeof value === "object" ? (value[current] ?? value.en ?? value.zh) : value;
  });
}

/** Sets an element's text, now and in every language chosen later. */
export function say(element, key, values = {}) {
  element.dataset.i18n = key;
  filled.set(element, values);
  render(element);
}

/** Names an element for those who hear the page, now and in every language chosen later. */
export function label(element, key, values = {}) {
  element.dataset.i18nLabel = key;
  filledLabels.set(element, values);
  render(element);
}

/** Makes an element wordless. */
export function hush(element) {
  delete element.dataset.i18n;
  element.textContent = "";
}

/** An element with a text: `el("p", "error.offline")`. */
export function el(tag, key, values, properties = {}) {
  const element = Object.assign(document.createElement(tag), properties);
  if (key) say(element, key, values);
  return element;
}

/** A number as the language writes it, with at most `digits` decimals. */
export const number = (value, digits = 2) => new Intl.NumberFormat(current, { maximumFractionDigits: digits, useGrouping: false }).format(value);

/** A large count in words, as each language groups them: `2.7 million`, `274万`. */
export const count = (value) => () => new Intl.NumberFormat(current, { notation: "compact", compactDisplay: "long", maximumSignificantDigits: current === "zh" ? 3 : 2 }).format(value);

/** A byte count for people: `5.5 MB`. The unit is 10^6 bytes. */
export const megabytes = (bytes) => () => new Intl.NumberFormat(current, { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(bytes / 1e6) + " MB";

/** What texts may be marked with: `<b>`, `<b class="alpha">`, `<b class="sigma">` and `<sub>`. */
const MARK = /<(\/?)(b|sub)(?: class="(alpha|sigma)")?>/;

/** A text with such marks as nodes. @returns {Node[]} */
function marked(text) {
  const stack = [document.createDocumentFragment()];
  // A text between two marks, then the mark's own parts.
  const parts = text.split(MARK);
  for (let at = 0; at < parts.length; at += 4) {
    const [words, end, tag, className] = parts.slice(at);
    stack[0].append(words);
    if (end) stack.shift();
    else if (tag) {
      const element = Object.assign(document.createElement(tag), className ? { className } : {});
      stack[0].append(element);
      stack.unshift(element);
    }
  }
  return [...stack.at(-1).childNodes];
}

function render(element) {
  const { i18n, i18nHtml, i18nLabel } = element.dataset;
  if (i18n) element.textContent = t(i18n, filled.get(element));
  if (i18nHtml) element.replaceChildren(...marked(t(i18nHtml)));
  if (!i18nLabel) return;
  const name = t(i18nLabel, filledLabels.get(element));
  if (element.tagName === "OPTGROUP") element.label = name;
  else element.setAttribute("aria-label", name);
  if (element.tagName === "BUTTON") element.title = name;
}
