/** The start picture as the run begins with it: noised to the chosen strength, by the engine's own first frame. */

import { $ } from "./dom.js";
import { picture as painted } from "./paint.js";
import { drawn } from "./shown.js";

/** A slider that is being moved is waited for (milliseconds). */
const PAUSE = 150;

/** @type {{controls: import("./controls.js").Controls, model: () => import("../pkg/index.js").Model | undefined, given: () => import("./shown.js").Begun}} */
let page;
let waiting = 0;
let drawing = new AbortController();
/** What the picture on show was made of. @type {{link: string, picture: Uint8Array, mask?: Uint8Array} | undefined} */
let made;

/** The settings or the picture may be others. @param {boolean} running whether the engine is busy, and the picture has to wait */
export function changed(running) {
  clearTimeout(waiting);
  if (running) return drawing.abort();
  waiting = setTimeout(draw, PAUSE);
}

async function draw() {
  const { picture, mask } = page.given();
  const model = page.model();
  $("start-noised-box").hidden = !picture || !model;
  if (!picture || !model) return void (made = undefined);
  // A branch begins where the run does that it goes on from, and this is the start of the whole way.
  const settings = { ...page.controls.settings, images: 1, from: "" };
  // The page's own keys change nothing of it, and a picture that was given anew is another object.
  const key = { link: drawn(settings), picture, mask };
  if (made && Object.keys(key).every((part) => key[part] === made[part])) return;
  drawing.abort();
  const mine = new AbortController();
  drawing = mine;
  try {
    for await (const frame of model.run(settings, { picture, mask, signal: mine.signal })) {
      if (drawing !== mine) return;
      const canvas = $("start-noised");
      Object.assign(canvas, { width: frame.width, height: frame.height });
      canvas.getContext("2d").putImageData(painted(frame.x, frame), 0, 0);
      made = key;
      break; // no step is taken
    }
  } catch {
    // Why such a run cannot begin is said as soon as somebody runs it.
    if (drawing === mine) $("start-noised-box").hidden = true;
  }
}

/** @param {typeof page} given */
export function listen(given) {
  page = given;
}
