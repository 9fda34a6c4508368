/** Walks: frames from one stop to the next, drawn one by one, played, stopped, in the link and on the command line. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { unnoise } from "./cli.js";
import { decode, difference, given, hash, link, pictures, pixels, says, useTinyModel, visit } from "./page.js";

const said = (page) => page.locator("#walk-said");
const done = (page) => expect(said(page)).toHaveAttribute("data-i18n", "walk.done", { timeout: 60_000 });

/** A bracket at the end of an address is taken for the sentence's that it stood in. */
const walking = (walk, changes = {}) => link({ ...changes, walk: walk.replace("]", "~5d-") });

/** Puts the clock at the end or the beginning, where it stands still. */
async function stand(page, key) {
  await page.locator("#walk-clock").focus();
  await page.keyboard.press(key);
}

test("frames at seeds are the runs of these seeds", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await useTinyModel(page);
  const runs = {};
  for (const seed of [3, 9]) {
    await pictures(page, link({ sampler: "ddpm", seed }));
    runs[seed] = await pixels(page, "#noisy");
  }
  await page.locator("#walk").click();
  await page.locator("#walk-stops").fill("3,9");
  await page.locator("#walk-steps").fill("3");
  await page.locator("#walk-steps").blur();
  await expect(said(page)).toContainText("4 frames");
  await page.locator("#walk-run").click();
  await done(page);
  await stand(page, "End");
  await expect(page.locator("#walk-caption")).toHaveText("Frame 4 of 4 · 9");
  expect(difference(runs[9], await pixels(page, "#walk-picture"))).toBe(0);
  await stand(page, "Home");
  await expect(page.locator("#walk-caption")).toHaveText("Frame 1 of 4 · 3");
  expect(difference(runs[3], await pixels(page, "#walk-picture"))).toBe(0);
  await page.locator("#walk-clock").fill("0.34");
  await expect(page.locator("#walk-caption")).toHaveText("Frame 2 of 4 · 33 % of the way from 3 to 9");
  const between = await pixels(page, "#walk-picture");
  expect(difference(runs[3], between)).toBeGreaterThan(0);

  // A frame opens as a run of its own, and the walk is closed.
  await page.locator("#walk-open").click();
  await says(page, "done");
  expect(given(page)).toMatchObject({ seed: "3", "variation-seed": "9" });
  expect(given(page).walk).toBeUndefined();
  expect(difference(between, await pixels(page, "#noisy"))).toBe(0);
});

test("a walk of classes is in the link, plays, and stops", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "reduce" });
  await useTinyModel(page);
  await visit(page, walking("class:0,1 [4]"));
  await done(page);
  await expect(page.locator("#walk-caption")).toContainText("second");
  await stand(page, "Home");
  await page.locator("#walk-play").click();
  await expect(page.locator("#walk-play")).toHaveAttribute("aria-pressed", "true");
  await expect(page.locator("#walk-caption")).toContainText("Frame 3 of 5");
  await page.locator("#walk-play").click();
  await page.locator("#walk-stops").fill("0,1,0,1,0");
  await page.locator("#walk-steps").fill("60");
  await page.locator("#walk-steps").blur();
  expect(given(page).walk).toBe("class:0,1,0,1,0 [60]".replace("]", "~5d-"));
  await page.locator("#walk-run").click();
  await expect(said(page)).toHaveAttribute("data-i18n", "walk.drawing");
  await page.locator("#walk-stop").click();
  await expect(said(page)).toHaveAttribute("data-i18n", "walk.stopped");
  await page.locator("#walk-stops").fill("7");
  await page.locator("#walk-stops").blur();
  await expect(page.locator("#walk-refused")).toContainText("cannot be walked");
  await expect(page.locator("#walk-run")).toBeDisabled();
  await page.locator("#walk-close").click();
  await expect.poll(() => given(page).walk).toBeUndefined();
});

test("the command line writes the same frames", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await page.emulateMedia({ reducedMotion: "reduce" });
  await visit(page, walking("class:3,8 [2]", { model: "mnist", images: 1, steps: 3, class: 3 }));
  await done(page);
  await page.locator("#walk-clock").fill("0.5");
  const here = await pixels(page, "#walk-picture");
  const [out, sheet] = [info.outputPath("walk"), info.outputPath("sheet.png")];
  unnoise("walk", "--link", hash(page), "--out", out, "--sheet", sheet);
  const there = await decode(page, readFileSync(path.join(out, "frame-0001.png")));
  // Of one engine in WebAssembly and the other compiled for this machine.
  expect(difference(here, Buffer.from(there.data).toString("base64"))).toBeLessThanOrEqual(1);
  expect((await decode(page, readFileSync(sheet))).width).toBe(56);
});

test("a walk has nothing for axe to find, at any width, in both languages", async ({ page }) => {
  test.setTimeout(240_000);
  await useTinyModel(page);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await visit(page, walking("class:0,1 [2]"));
  await done(page);
  expect(await everywhere(page)).toEqual([]);
});
