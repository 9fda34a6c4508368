/** The noise of one seed on the way to another's. */

import { expect, test } from "@playwright/test";
import { difference, given, link, pictures, pixels, print, runAgain, type, useTinyModel } from "./page.js";

test("a variation of 1 is the picture of the other seed, and one between is neither", async ({ page }) => {
  await useTinyModel(page);
  for (const sampler of ["ddim", "euler-ancestral"]) {
    await pictures(page, link({ sampler, seed: 9 }));
    const other = await pixels(page, "#noisy");
    await pictures(page, link({ sampler, variation: 1, "variation-seed": 9 }));
    expect(difference(other, await pixels(page, "#noisy")), sampler).toBe(0);
    await pictures(page, link({ sampler, variation: 0.5, "variation-seed": 9 }));
    expect(difference(other, await pixels(page, "#noisy")), sampler).toBeGreaterThan(0);
  }
});

test("a variation is set in the form and stands in the link", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  const plain = await print(page, "#noisy");
  await page.locator("#more > summary").click();
  await type(page, "#variation", "0.25");
  await type(page, "#variation-seed", "9");
  expect(given(page)).toMatchObject({ variation: "0.25", "variation-seed": "9" });
  await runAgain(page);
  expect(await print(page, "#noisy")).not.toBe(plain);
});
