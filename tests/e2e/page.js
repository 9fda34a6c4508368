/** What the tests do with the page, in the words of a person who uses it. */

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect } from "@playwright/test";
import { root } from "./browser.js";

/**
 * Goes to an address. A page that is there already hears of another link only a moment later: what it still says of the
 * one before must not pass for its answer, so that is taken away first.
 */
export async function go(page, address) {
  await page.evaluate(() => {
    for (const line of document.querySelectorAll("#status, #lab-status")) {
      delete line.dataset.i18n;
      line.textContent = "";
    }
  });
  await page.goto(address);
}

const BASE = { model: "tiny", sampler: "ddim", steps: 3, schedule: "trailing", seed: 3, images: 2, class: "all", guidance: 2, backend: "cpu" };

/** A link to the tiny model with these changes; `undefined` leaves a key out. */
export const link = (changes = {}) => {
  const given = Object.entries({ ...BASE, ...changes }).filter(([, value]) => value !== undefined);
  return `#${given.map(([key, value]) => `${key}=${value}`).join("&")}`;
};

/** The hash of the page's address. */
export const hash = (page) => new URL(page.url()).hash;

/** What a link says, by key. */
export const given = (page) => Object.fromEntries(new URLSearchParams(hash(page).slice(1)));

/** Types into a field as a person does, and leaves it. */
export async function type(page, field, text) {
  await page.locator(field).fill(text);
  await page.locator(field).blur();
}

/** Opens the page (`hash` is a share link's) and waits for its first word. */
export async function visit(page, hash = "", base = "./") {
  await go(page, base + hash);
  await expect(page.locator("#status")).not.toBeEmpty();
}

/** How the stage marks its pictures; nothing where they are those of the settings. */
export const mark = (page) => page.locator("#changed");

/** Waits for the status line to say the text of this key. */
export const says = (page, key) => expect(page.locator("#status")).toHaveAttribute("data-i18n", key);

/** Opens a share link and waits until its pictures are there. */
export async function pictures(page, hash, base) {
  await visit(page, hash, base);
  await says(page, "done");
}

/** The pixels of a canvas as base64, for `difference`. */
export const pixels = (page, canvas) =>
  page.locator(canvas).evaluate((element) => {
    const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
    return btoa(Array.from(data, (byte) => String.fromCharCode(byte)).join("")); // too many for the arguments of one call
  });

/** Runs once more and waits for the end. */
export async function runAgain(page) {
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator("#run").click();
  await says(page, "done");
}

/** A canvas' pixels in short, to be compared for identity. */
export const print = async (page, canvas) => createHash("sha256").update(await pixels(page, canvas)).digest("hex");

/** The largest difference of two canvases' pixels, 0 to 255. */
export function difference(one, other) {
  const [a, b] = [one, other].map((text) => Buffer.from(text, "base64"));
  expect(a.length).toBe(b.length);
  return a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i])), 0);
}

/** A PNG's width, height and pixels (RGBA), decoded by the browser. */
export const decode = (page, png) =>
  page.evaluate(async (base64) => {
    const blob = await (await fetch(`data:image/png;base64,${base64}`)).blob();
    const image = await createImageBitmap(blob, { colorSpaceConversion: "none" });
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return { width: image.width, height: image.height, data: [...context.getImageData(0, 0, image.width, image.height).data] };
  }, png.toString("base64"));

const text = (words) => ({ en: words, zh: `${words}（中）` });

/** A model card as `unnoise.json` has it. */
export const card = (name, more = {}) => ({
  name: text(name),
  description: text("Random weights"),
  classes: [{ en: "first", zh: "第一" }, { en: "second", zh: "第二" }],
  null_class: 2,
  licence: "public domain",
  range: [-1, 1],
  clip_denoised: true,
  ...more,
});

/** The files of a folder in diffusers' layout, with a card. @returns {Record<string, Buffer>} */
export function modelFiles(folder, card) {
  const names = ["unet/config.json", "unet/diffusion_pytorch_model.safetensors", "scheduler/scheduler_config.json"];
  const files = names.map((name) => [name, readFileSync(path.join(root, folder, name))]);
  return { ...Object.fromEntries(files), "unnoise.json": Buffer.from(JSON.stringify(card)) };
}

/** The files of a folder with a classifier. @returns {Record<string, Buffer>} */
export const classifierFiles = (folder) =>
  Object.fromEntries(["config.json", "diffusion_pytorch_model.safetensors"].map((name) => [name, readFileSync(path.join(root, folder, name))]));

/**
 * Makes the page offer these models, by id, instead of those that ship. A folder without a card is a classifier, there for
 * the models whose cards name it.
 * @param {Record<string, Record<string, Buffer>>} models
 * @param {(files: Record<string, Buffer>) => void} [served] alters what is served of a model, but not what is listed
 */
export async function useModels(page, models, served = () => {}) {
  const facts = (data) => ({ bytes: data.length, sha256: createHash("sha256").update(data).digest("hex") });
  const list = (files) => Object.fromEntries(Object.entries(files).map(([file, data]) => [file, facts(data)]));
  const offered = Object.entries(models).filter(([, files]) => files["unnoise.json"]);
  const index = offered.map(([id, files]) => {
    const { name, description, licence, defaults = {}, classifier } = JSON.parse(files["unnoise.json"]);
    const bytes = Object.values(files).reduce((sum, { length }) => sum + length, 0);
    const helper = classifier ? { id: classifier, files: list(models[classifier]) } : null;
    return { id, name, description, licence, defaults, kind: "classes", conditioning: "classes", prompts: {}, vocabulary: null, pictures: files["pictures.json"] ? `${id}/pictures.json` : null, thumbnail: null, readme: files["README.md"] ? "README.md" : null, bytes, files: list(files), classifier: helper };
  });
  await page.route("**/models/index.json", (route) => route.fulfill({ json: index }));
  for (const [id, files] of Object.entries(models)) {
    const there = { ...files };
    served(there);
    await page.route(`**/models/${id}/**`, (route) => {
      const body = there[route.request().url().split(`/models/${id}/`)[1]];
      return body ? route.fulfill({ body }) : route.fulfill({ status: 404, body: "There is nothing here." });
    });
  }
}

/**
 * Makes the page offer one model: the self-test's network, which answers in milliseconds (and with nonsense: its
 * weights are random). `listed` may alter the files, `served` only what is served of them and not what is listed.
 * @param {{listed?: (files: Record<string, Buffer>) => void, served?: (files: Record<string, Buffer>) => void}} [changes]
 */
export async function useTinyModel(page, { listed = () => {}, served } = {}) {
  const files = modelFiles("models/selftest", card("Tiny"));
  listed(files);
  await useModels(page, { tiny: files }, served);
}

/** Moves the timeline to a step, as a person does. */
export async function scrub(page, step) {
  await page.locator("#slider").fill(String(step));
}
