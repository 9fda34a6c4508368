/** What the tests do with the lab, in the words of a person who uses it. */

import { expect } from "@playwright/test";
import { go } from "./page.js";

/** The lab's status line says the text of this key. @param {string | RegExp} key */
export const labSays = (page, key) => expect(page.locator("#lab-status")).toHaveAttribute("data-i18n", key);

/** Opens a link to the lab and waits until all of it is computed and nothing moves any more. */
export async function lab(page, hash) {
  await go(page, `./${hash}`);
  await rests(page);
}

/** Waits until the screen was drawn anew: what came in shows then. */
const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));

/** Waits until all is computed and nothing moves any more. */
export async function rests(page) {
  await labSays(page, /^lab\.ready/);
  await expect(page.locator("#lab-play")).toHaveAttribute("aria-pressed", "false");
  await drawn(page);
}

/** A canvas' pixels in short. */
const print = (canvas) =>
  canvas.evaluate(async (element) => {
    const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
    return [...new Uint8Array(await crypto.subtle.digest("SHA-256", data))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  });

/** What the panes show, each in short: their particles to the pixel, and what stands under them. */
export async function shows(page) {
  const count = await page.locator(".planes .pane").count();
  const panes = [];
  for (let i = 0; i < count; i++) {
    const pane = `.planes .pane:nth-child(${i + 1})`;
    panes.push(`${await print(page.locator(`${pane} .plane canvas:last-child`))} ${await page.locator(`${pane} > .figures`).textContent()}`);
  }
  return panes;
}

/** Moves the clock, as a person does who drags it. */
export async function turn(page, place) {
  await page.locator("#lab-slider").evaluate((slider, place) => {
    slider.value = String(place);
    slider.dispatchEvent(new Event("input"));
    slider.dispatchEvent(new Event("change"));
  }, place);
  await drawn(page);
}
