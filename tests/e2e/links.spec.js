/** Links as they arrive: mangled on their way, with keys that nobody knows, from another sampler. */

import { expect, test } from "@playwright/test";
import { given, hash, link, pictures, print, says, useTinyModel, visit } from "./page.js";

const LINK = link({ seed: 5 });

test.beforeEach(async ({ page }) => {
  await useTinyModel(page);
});

for (const [what, mangled] of [
  ["&amp;", LINK.replaceAll("&", "&amp;")],
  ["%26 and %3D", LINK.replaceAll("&", "%26").replaceAll("=", "%3D")],
  ["a fully encoded hash", `#${encodeURIComponent(LINK.slice(1))}`],
  ["a bracket after it", `${LINK})`],
  ["a full stop after it", `${LINK}.`],
  ["a comma after it", `${LINK},`],
  ["> after it", `${LINK}>`],
  ["a zero-width space", `${LINK}\u200b`],
  ["two hashes", `#${LINK}`],
]) {
  test(`a link with ${what} shows what was meant, and says that it was repaired`, async ({ page }) => {
    await visit(page, mangled);
    await says(page, "done");
    await expect(page.locator("#notices")).toContainText("This link was damaged on its way and was repaired");
    expect(given(page)).toEqual(Object.fromEntries(new URLSearchParams(LINK.slice(1))));
  });
}

test("an unknown key is named, and one that follows people is not", async ({ page }) => {
  await pictures(page, `${LINK}&colour=red&utm_source=mail&fbclid=abc`);
  await expect(page.locator("#notices .notice")).toHaveCount(1);
  await expect(page.locator("#notices")).toContainText("The link says colour=red, but there is no such setting; it is left out.");
  expect(hash(page)).toBe(LINK);
});

test("an old link's parameters and names still draw their pictures", async ({ page }) => {
  await pictures(page, link({ sampler: "predictor-corrector", "langevin-steps": 2 }));
  const now = await print(page, "#noisy");
  await pictures(page, link({ sampler: "predictor-corrector", inner: 2 }));
  await expect.poll(() => hash(page)).toContain("langevin-steps=2");
  expect(await print(page, "#noisy")).toBe(now);
  await pictures(page, link({ sampler: "res-multistep" }));
  await expect(page.locator("#sampler")).toHaveValue("dpmpp-2m-heun");
  await expect(page.locator("#notices")).toBeEmpty();
});

test("a method that replays another library's quirk is not offered, but a link may have it", async ({ page }) => {
  await visit(page, LINK);
  await says(page, "done");
  const offered = page.locator("#sampler option");
  const before = await offered.count();
  await expect(page.locator("#sampler option[value=dpmpp-3m-sde-diffusers]")).toHaveCount(0);
  await pictures(page, link({ sampler: "dpmpp-3m-sde-diffusers" }));
  await expect(page.locator("#sampler")).toHaveValue("dpmpp-3m-sde-diffusers");
  await expect(offered).toHaveCount(before + 1);
  await page.locator("#sampler").selectOption("ddim");
  await expect(offered).toHaveCount(before);
});
