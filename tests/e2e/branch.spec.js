/** Branches: a run goes on from a step of another one, is in the link, and is drawn there by anybody. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { unnoise } from "./cli.js";
import { decode, difference, given, hash, link, pictures, pixels, print, runAgain, says, scrub, type, useTinyModel, visit } from "./page.js";

const tree = (page) => page.locator("#branch-tree button");
const current = (page) => page.locator("#branch-tree [aria-current]");

/** Puts the timeline at a step. */
async function seek(page, step) {
  await scrub(page, step);
  await expect(page.locator("#place")).toContainText(`Step ${step} of`);
}

/** Goes on from the step on show and waits for the end. */
async function goOn(page, button = "#branch") {
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator(button).click();
  await says(page, "done");
}

test("where nothing was changed, going on draws the same pictures", async ({ page }) => {
  await useTinyModel(page);
  for (const sampler of ["dpmpp-2m", "euler-ancestral"]) {
    await pictures(page, link({ sampler, steps: 6 }));
    const whole = await print(page, "#noisy");
    await seek(page, 3);
    await goOn(page);
    expect(await print(page, "#noisy"), sampler).toBe(whole);
    expect(given(page).from).toBeUndefined();
    await expect(page.locator("#branch-tree")).toBeHidden();
  }
});

test("a branch is in the link, and another tab and the command line draw it", async ({ page, context }) => {
  await useTinyModel(page);
  await pictures(page, link({ steps: 6 }));
  const whole = await print(page, "#noisy");
  await seek(page, 2);
  const before = await pixels(page, "#noisy");
  await page.locator("#sampler").selectOption("dpmpp-2m");
  await type(page, "#steps", "9");
  await type(page, "#guidance", "4");
  await goOn(page);
  expect(given(page).from).toBe("2,sampler:ddim,steps:6,seed:3");
  const branch = await pixels(page, "#noisy");
  expect(await print(page, "#noisy")).not.toBe(whole);
  await expect(current(page)).toHaveText(/From step 2: .*9.*4/);
  // The steps are those of the whole way, the first ones those of the run before: 2, and the 6 of 9 that lie below.
  await expect(page.locator("#place")).toContainText("Step 8 of 8");
  await seek(page, 2);
  expect(difference(before, await pixels(page, "#noisy"))).toBe(0);
  const shared = hash(page);

  const other = await context.newPage();
  await useTinyModel(other);
  await pictures(other, shared);
  expect(difference(branch, await pixels(other, "#noisy"))).toBe(0);
  await expect(tree(other)).toHaveCount(2);
});

test("the command line draws the branch of a link", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await pictures(page, link({ model: "mnist", images: 1, class: 3, steps: 4, guidance: 3, sampler: "dpmpp-2m", from: "2,sampler:ddpm,steps:5,seed:9,class:7" }));
  const here = await pixels(page, "#noisy");
  const out = info.outputPath("there.png");
  unnoise("sample", "--link", hash(page), "--out", out);
  const there = await decode(page, readFileSync(out));
  // Of one engine in WebAssembly and the other compiled for this machine.
  expect(difference(here, Buffer.from(there.data).toString("base64"))).toBeLessThanOrEqual(1);
});

test("the tree leads back to its runs, and a branch of a branch stands under it", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link({ steps: 6, sampler: "ddpm" }));
  const whole = await print(page, "#noisy");
  await seek(page, 2);
  await type(page, "#guidance", "4");
  await goOn(page);
  await seek(page, 4);
  await goOn(page, "#branch-more");
  await expect(page.locator("#steps")).toHaveValue("12");
  await expect(tree(page)).toHaveCount(3);
  await expect(page.locator("#branch-tree ul ul ul button")).toHaveText(/From step 4: Steps 12/);
  // By keyboard.
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await tree(page).first().press("Enter");
  await says(page, "done");
  expect(await print(page, "#noisy")).toBe(whole);
  await expect(tree(page)).toHaveCount(3);
  await expect(current(page)).toHaveText(/^Run:/);
  // A step before a branch belongs to the run that it goes on from.
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await tree(page).nth(2).click();
  await says(page, "done");
  await seek(page, 1);
  await type(page, "#guidance", "1");
  await goOn(page);
  expect(given(page).from).toMatch(/^1,[^/]*$/);
  // And the way out.
  await goOn(page, "#branch-leave");
  expect(given(page).from).toBeUndefined();
  // Another run altogether has another tree.
  await type(page, "#seed", "77");
  await runAgain(page);
  await expect(page.locator("#branch-tree")).toBeHidden();
});

test("a step that there is not is refused, and so is a way that falls", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ from: "9,sampler:ddim,steps:6", steps: 4 }));
  await expect(page.locator("#fault-text")).toHaveAttribute("data-i18n", "error.branch-ended");
  await pictures(page, link({ from: "4,sampler:ddim,steps:6/3,seed:1" }));
  await expect(page.locator('[data-name="problem.from"] p')).toHaveAttribute("data-i18n", "problem.leg-step");
  expect(given(page).from).toBeUndefined();
});

test("where the run begins stays as it is in the run, and that is named", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link({ steps: 6 }));
  await page.locator("#start > summary").click();
  await scrub(page, 6);
  await page.locator("#start-take").click();
  await scrub(page, 2);
  await goOn(page);
  await expect(page.locator('[data-name="problem.start"] p')).toHaveAttribute("data-i18n", "problem.whole-way");
  expect(given(page).start).toBeUndefined();
});

test("a run that is under way is gone on from, and Stop stops", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ steps: 1000, images: 1 }));
  await expect(page.locator("#place")).toContainText("of 1000");
  await scrub(page, 2);
  await type(page, "#guidance", "5");
  await page.locator("#branch").click();
  await expect(page.locator("#branch-hint")).toHaveAttribute("data-i18n", "branch.on");
  expect(given(page).from).toMatch(/^2,/);
  await page.locator("#stop").click();
  await says(page, "stopped");
});

test("a tree has nothing for axe to find, at any width, in both languages", async ({ page }) => {
  test.setTimeout(240_000);
  await useTinyModel(page);
  await pictures(page, link({ steps: 6 }));
  await seek(page, 2);
  await type(page, "#guidance", "4");
  await goOn(page);
  expect(await everywhere(page)).toEqual([]);
});
