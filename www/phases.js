/** What a run is said to be doing: its steps, and what it does besides them, where that takes long enough to be read. */

import { number, t } from "./strings.js";

const LONG = 300;

/** @type {{status: (key: string, values?: object) => void, backend: () => string, workers: () => number}} */
let page;
let waiting = 0;
/** Whether something besides the steps was said. */
let said = false;
let images = 0;

/** @param {typeof page} given the backend in words, and how many workers may share a run out among them */
export function listen(given) {
  page = given;
}

/** The backend with the workers that share these pictures out among them. */
const shared = () => {
  const count = Math.min(page.workers(), images);
  return count > 1 ? t("backend.workers", { backend: page.backend, workers: count }) : page.backend();
};

/** A run of so many pictures begins. */
export function begin(count) {
  images = count;
  page.status("running", { images, backend: shared });
}

/** Something besides the steps begins. @param {string} stage */
export function besides(stage) {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    said = true;
    page.status(`stage.${stage}`);
  }, LONG);
}

/** A step is there. */
export function stepped() {
  if (said) page.status("running", { images, backend: shared });
  over();
}

/** Nothing goes on any more. */
export function over() {
  clearTimeout(waiting);
  said = false;
}

/** The backend with how busy its card was kept, where that is known. @param {import("./timeline.js").Frame} newest */
function kept({ step, queue }) {
  if (!queue || !step) return shared();
  const [submissions, idle] = [number(queue.submissions / step, 1), number((100 * queue.idle_ms) / queue.ms, 0)];
  return t("backend.queue", { backend: page.backend, submissions, idle });
}

/** The run is at its end. @param {string} how @param {import("./timeline.js").Frame} newest @param {number} seconds */
export const ended = (how, newest, seconds) => {
  const { step, steps } = newest;
  page.status(how, { step, steps, images, backend: () => kept(newest), seconds: () => number(seconds, 1) });
};
