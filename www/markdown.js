/**
 * Model cards, which are Markdown, as elements of a page. It knows what cards are written in and makes nothing of the rest:
 * text stays text, and no part of a card ever becomes markup.
 */

const BLOCKS = [
  { first: /^(#{1,6})\s+(.*?)\s*#*$/, make: heading },
  { first: /^(```|~~~)/, make: fenced },
  { first: /^(?: {4}|\t)/, make: indented },
  { first: /^\s*\|/, make: table },
  { first: /^\s{0,3}>/, make: quote },
  { first: /^\s{0,3}(?:[-*+]|\d+[.)])\s+/, make: list },
];

/** What stands in a line: code, pictures, links, bare addresses, strong and emphasised words. */
const SPANS = /(`+)(.+?)\1|(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(\s*<?([^)\s>]*)>?[^)]*\)|<(https?:[^>\s]+)>|\*\*(.+?)\*\*|(?<!\w)[*_](?=\S)(.+?)(?<=\S)[*_](?!\w)/;

/** @param {string} text @param {URL} base where relative addresses lead from @returns {DocumentFragment} */
export function render(text, base) {
  const out = document.createDocumentFragment();
  const lines = text.replace(/\r\n?/g, "\n").replace(/<!--[\s\S]*?-->/g, "").split("\n");
  for (let at = 0; at < lines.length; ) {
    if (!lines[at].trim()) at += 1;
    else at = (beginning(lines[at])?.make ?? paragraph)(lines, at, out, base);
  }
  return out;
}

const beginning = (line) => BLOCKS.find(({ first }) => first.test(line));

/** The lines from `at` on that go together. */
function take(lines, at, belongs) {
  let end = at + 1;
  while (end < lines.length && belongs(lines[end])) end += 1;
  return lines.slice(at, end);
}

const make = (tag, ...inside) => {
  const element = document.createElement(tag);
  element.append(...inside);
  return element;
};

/** A card's title is the dialog's, so its parts come below. */
function heading(lines, at, out, base) {
  const [, marks, text] = BLOCKS[0].first.exec(lines[at]);
  out.append(make(`h${Math.min(Math.max(marks.length, 2) + 1, 6)}`, spans(text, base)));
  return at + 1;
}

function fenced(lines, at, out) {
  const [mark] = BLOCKS[1].first.exec(lines[at]);
  const inside = take(lines, at, (line) => !line.startsWith(mark)).slice(1);
  out.append(block(inside));
  return at + inside.length + 2;
}

function indented(lines, at, out) {
  const inside = take(lines, at, (line) => BLOCKS[2].first.test(line) || !line.trim());
  out.append(block(inside.map((line) => line.replace(BLOCKS[2].first, ""))));
  return at + inside.length;
}

/** A program scrolls sideways, so a keyboard must be able to go there. */
const block = (lines) => Object.assign(make("pre", make("code", lines.join("\n").trimEnd())), { tabIndex: 0 });

function table(lines, at, out, base) {
  const rows = take(lines, at, (line) => line.trim().startsWith("|"));
  const cells = (row) => row.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());
  const [head, rule, ...body] = rows.map(cells);
  const right = (rule ?? []).map((cell) => /^-+:$/.test(cell));
  const row = (tag) => (values) => make("tr", ...values.map((value, i) => Object.assign(make(tag, spans(value, base)), { className: right[i] ? "right" : "" })));
  const inside = make("table", make("tbody", ...body.map(row("td"))));
  if (head.some(Boolean)) inside.prepend(make("thead", row("th")(head)));
  out.append(Object.assign(make("div", inside), { className: "scroll", tabIndex: 0 }));
  return at + rows.length;
}

function quote(lines, at, out, base) {
  const inside = take(lines, at, (line) => BLOCKS[4].first.test(line));
  out.append(make("blockquote", render(inside.map((line) => line.replace(/^\s{0,3}> ?/, "")).join("\n"), base)));
  return at + inside.length;
}

function list(lines, at, out, base) {
  const { first } = BLOCKS[5];
  const inside = take(lines, at, (line) => line.trim() && (first.test(line) || !beginning(line) || /^ {2,}/.test(line)));
  const items = [];
  for (const line of inside) {
    if (first.test(line)) items.push(line.replace(first, ""));
    else items.push(joined([items.pop(), line]));
  }
  out.append(make(/^\s*\d/.test(lines[at]) ? "ol" : "ul", ...items.map((item) => make("li", spans(item, base)))));
  return at + inside.length;
}

function paragraph(lines, at, out, base) {
  const inside = take(lines, at, (line) => line.trim() && !beginning(line));
  out.append(make("p", spans(joined(inside), base)));
  return at + inside.length;
}

/** Lines as one: Chinese is written without spaces, also where a line ends. */
const joined = (lines) => lines.map((line) => line.trim()).join(" ").replace(/(?<=[\p{Script=Han}，。；：、！？）”’]) (?=[\p{Script=Han}（“‘])/gu, "");

/** The words of a line. */
function spans(text, base) {
  const out = document.createDocumentFragment();
  const found = SPANS.exec(text);
  if (!found) {
    out.append(text.replace(/\\([\\`*_{}[\]()#+\-.!|<>])/g, "$1"));
    return out;
  }
  const [whole, , code, picture, words, address, bare, strong, weak] = found;
  out.append(spans(text.slice(0, found.index), base));
  if (code !== undefined) out.append(make("code", code));
  else if (picture) out.append(image(words, address, base));
  else if (words !== undefined) out.append(link(spans(words, base), address, base));
  else if (bare) out.append(link(bare, bare, base));
  else if (strong) out.append(make("strong", spans(strong, base)));
  else out.append(make("em", spans(weak, base)));
  out.append(spans(text.slice(found.index + whole.length), base));
  return out;
}

/** An address that may be followed; anything but the web is none. @returns {URL | undefined} */
function addressed(address, base) {
  const url = URL.canParse(address, base) ? new URL(address, base) : undefined;
  return url && /^https?:$/.test(url.protocol) ? url : undefined;
}

function link(words, address, base) {
  const url = addressed(address, base);
  if (!url) return make("span", words);
  const anchor = make("a", words);
  return Object.assign(anchor, { href: url.href, target: "_blank", rel: "noopener noreferrer" });
}

/** A picture of this site: opening a card asks no other host for anything. */
function image(words, address, base) {
  const url = addressed(address, base);
  if (url?.origin !== base.origin) return make("span", words);
  return Object.assign(document.createElement("img"), { src: url.href, alt: words, loading: "lazy" });
}
