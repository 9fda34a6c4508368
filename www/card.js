/** The model card of the chosen model, in a dialog: hosts differ in what they make of a bare `.md`. */

import { $ } from "./dom.js";
import { render } from "./markdown.js";
import { getText } from "./models.js";
import { el, language, say } from "./strings.js";

/** The part of a card that is in Chinese: from a title with Chinese characters to the next one of its rank. */
const CHINESE = /^##\s+[^\n]*\p{Script=Han}[^\n]*\n[\s\S]*?(?=^##?\s|(?![\s\S]))/mu;

/** @param {string} text @returns {{title: string | undefined, english: string, chinese: string | undefined}} */
export function parts(text) {
  const [, title] = /^#\s+(.+)$/m.exec(text) ?? [];
  const body = text.replace(/^#\s+.+\n?/m, "");
  const [chinese] = CHINESE.exec(body) ?? [];
  return { title, english: body.replace(CHINESE, ""), chinese: chinese?.replace(/^.*\n/, "") };
}

/** Shows the card at this path. @param {string} path */
async function open(path) {
  const { title, english, chinese } = parts(await getText(path));
  const base = new URL(path, document.baseURI);
  const whole = el("div", "", {}, { lang: "en" });
  whole.append(render(english, base));
  if (title) say($("card-title"), "plain", { text: title });
  else say($("card-title"), "model.card.of", { file: path });
  $("card-text").replaceChildren(...(language() === "zh" && chinese ? [render(chinese, base), folded(whole)] : [whole]));
  $("card-dialog").showModal();
  $("card-text").scrollTop = 0;
}

/** The rest of a card whose Chinese part comes first. */
function folded(whole) {
  const details = el("details");
  details.append(el("summary", "model.card.english"), whole);
  return details;
}

/** @param {(thrown: unknown) => void} failed */
export function listen(failed) {
  $("model-card").addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return; // as a file, in a tab of its own
    event.preventDefault();
    open($("model-card").getAttribute("href")).catch(failed);
  });
  $("card-close").addEventListener("click", () => $("card-dialog").close());
}
