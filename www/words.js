/** What is said to a model that reads texts: the prompt, how many tokens it has, and which word looks where. */

import * as attention from "./attention.js";
import * as prompt from "./prompt.js";
import * as tokens from "./tokens.js";

export const { took } = prompt;

/**
 * @param {object} page
 * @param {import("./controls.js").Controls} page.controls
 * @param {() => import("../pkg/index.js").Model | undefined} page.model the one on the device
 * @param {() => void} page.run
 */
export function listen({ controls, model, run }) {
  prompt.listen({ take: (text) => controls.set("prompt", text), run });
  tokens.listen({ tokens: (text) => model()?.tokens(text, controls.settings), most: () => controls.about?.tokens ?? null });
  attention.listen({ run });
}

/** A model is on the device. @param {import("../pkg/index.js").About} about */
export const arrived = ({ conditioning }) => attention.offer(conditioning === "text");

/** A run begins. @param {import("../pkg/index.js").Model} model @returns {boolean} whether it is to say where it looks */
export function begin(model, settings) {
  const looks = attention.wanted();
  attention.begin(looks ? model.tokens(settings.prompt, settings) : undefined);
  return looks;
}
