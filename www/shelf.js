/** Test pictures of a model's data set, on a shelf from which one is taken by mouse, finger or keys. */

import { fit_picture } from "../pkg/index.js";
import { $ } from "./dom.js";
import { get, getText } from "./models.js";
import { el, label, say } from "./strings.js";

/** Where each of these keys takes the focus, from picture `i` of `n`. */
const WAYS = {
  ArrowRight: (i, n) => Math.min(i + 1, n - 1),
  ArrowDown: (i, n) => Math.min(i + 1, n - 1),
  ArrowLeft: (i) => Math.max(i - 1, 0),
  ArrowUp: (i) => Math.max(i - 1, 0),
  Home: () => 0,
  End: (_, n) => n - 1,
};

/** @typedef {{class?: number, prompt?: string}} Subject what a picture shows */

/** What is on the shelf. */
let standing = "";

/** The pictures of a sheet, as red, green, blue and alpha. */
async function cut(file, columns, count) {
  const bitmap = await createImageBitmap(new Blob([await get(file)], { type: "image/png" }), { colorSpaceConversion: "none" });
  const width = bitmap.width / columns;
  const height = bitmap.height / Math.ceil(count / columns);
  const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  bitmap.close();
  return Array.from({ length: count }, (_, i) => context.getImageData((i % columns) * width, Math.floor(i / columns) * height, width, height));
}

/**
 * Puts the pictures of a list on the shelf; of a model that has none, it is not shown.
 * @param {HTMLElement} box
 * @param {string | null | undefined} list the file, from the folder of models
 * @param {{name: (subject: Subject) => string, take: (bytes: Uint8Array, subject: Subject) => void, size: import("../pkg/index.js").Size}} how `size` is that of the model's pictures
 */
export async function fill(box, list, { name, take, size }) {
  box.hidden = $("forward-source").hidden = !list;
  if (!list || list === standing) return;
  const file = `models/${list}`;
  const { source, columns, pictures } = JSON.parse(await getText(file));
  const images = await cut(file.replace(/json$/, "png"), columns, pictures.length);
  standing = list;
  const options = images.map((image, i) => {
    const { width, height } = image;
    const canvas = el("canvas", "", {}, { width, height, tabIndex: i ? -1 : 0 });
    canvas.getContext("2d").putImageData(image, 0, 0);
    canvas.setAttribute("role", "option");
    canvas.setAttribute("aria-selected", "false");
    label(canvas, "forward.shelf.class", { picture: i + 1, name: () => name(pictures[i]) });
    return canvas;
  });
  box.replaceChildren(...options);
  say($("forward-source"), "forward.source", { source });
  const choose = (i) => {
    if (i < 0) return;
    options.forEach((option, other) => {
      option.setAttribute("aria-selected", String(other === i));
      option.tabIndex = other === i ? 0 : -1;
    });
    const { data, width, height } = images[i];
    take(fit_picture(new Uint8Array(data.buffer), width, height, size), pictures[i]);
  };
  box.onclick = ({ target }) => choose(options.indexOf(target));
  box.onkeydown = (event) => {
    const i = options.indexOf(document.activeElement);
    if (event.key === "Enter" || event.key === " ") choose(i);
    else if (WAYS[event.key] && i >= 0) options[WAYS[event.key](i, options.length)].focus();
    else return;
    event.preventDefault();
  };
}
