/** Guidance by a classifier of noisy pictures. */

import { expect, test } from "@playwright/test";
import { card, classifierFiles, hash, link, modelFiles, pictures, print, says, useModels, useTinyModel, visit } from "./page.js";

const LINK = link({ guidance: 0 });

/** A model whose card names a classifier. Both know noise rather than pictures; what a good classifier guides to is tested natively. */
async function useGuidedModel(page, served) {
  const guided = modelFiles("models/selftest", card("Tiny", { classifier: "judge" }));
  await useModels(page, { tiny: guided, judge: classifierFiles("models/mnist-classifier") }, served);
}

test("a classifier guides as far as the link says, and is fetched when a run wants it", async ({ page, context }) => {
  const asked = [];
  page.on("request", (request) => request.url().includes("/judge/") && asked.push(request.url()));
  await useGuidedModel(page);
  await pictures(page, LINK);
  const alone = await print(page, "#noisy");
  expect(asked).toEqual([]);
  await page.locator("#more > summary").click();
  await page.locator("#classifier").fill("4");
  await page.locator("#classifier").press("Enter");
  await says(page, "done");
  expect(hash(page)).toContain("classifier=4");
  await expect(async () => expect(await print(page, "#noisy")).not.toBe(alone)).toPass();
  expect(asked.length).toBe(2);
  const other = await context.newPage();
  await useGuidedModel(other);
  await pictures(other, hash(page));
  expect(await print(other, "#noisy")).toBe(await print(page, "#noisy"));
  await expect(other.locator("#classifier")).toBeVisible();
});

test("a model without a classifier leaves it out and says so", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, `${LINK}&classifier=4`);
  await expect(page.locator("#notices")).toContainText("sets a classifier scale of 4, but this model has no classifier");
  expect(hash(page)).not.toContain("classifier");
  await expect(page.locator("#classifier-field")).toBeHidden();
});

test("without a class there is nothing to guide to", async ({ page }) => {
  await useGuidedModel(page);
  await visit(page, `${link({ guidance: 0, class: "none" })}&classifier=4`);
  await expect(page.locator("#fault-text")).toContainText("A classifier guides towards a class, and none is picked");
});

test("a damaged classifier is named, and the run without one still works", async ({ page }) => {
  await useGuidedModel(page, (files) => {
    if (files["config.json"]) files["diffusion_pytorch_model.safetensors"] = Buffer.from("nothing");
  });
  await visit(page, `${LINK}&classifier=4`);
  await expect(page.locator("#fault-text")).toContainText("models/judge/diffusion_pytorch_model.safetensors");
  await page.locator("#classifier").fill("0");
  await page.locator("#classifier").press("Enter");
  await says(page, "done");
});
