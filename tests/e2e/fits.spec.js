/** The stage fits the window: pictures and timeline are in sight together, and what belongs together is not torn apart. */

import { expect, test } from "@playwright/test";
import { given, link, pictures, says, useTinyModel } from "./page.js";

const WINDOWS = { "a small laptop": [1280, 720], "a low window": [1600, 720], "a phone on its side": [844, 390], "a smaller phone on its side": [740, 360] };

for (const [name, [width, height]] of Object.entries(WINDOWS)) {
  test(`pictures and timeline are in sight together on ${name}`, async ({ page }) => {
    await page.setViewportSize({ width, height });
    await useTinyModel(page);
    await pictures(page, link({ images: 9 }));
    await page.emulateMedia({ reducedMotion: "reduce" });
    await page.locator("#run").click();
    await says(page, "done");
    const [sheets, timeline] = await Promise.all(["#picker", "#timeline"].map((id) => page.locator(id).boundingBox()));
    expect(sheets.y).toBeGreaterThanOrEqual(0);
    expect(sheets.height).toBeGreaterThan(120);
    expect(timeline.y + timeline.height).toBeLessThanOrEqual(height);
    if (height > 400) expect(await page.evaluate(() => scrollY)).toBe(0);
  });
}

test("the tour is one row until a stop is open, on a phone, too", async ({ page }) => {
  for (const width of [1280, 390]) {
    await page.setViewportSize({ width, height: 720 });
    await page.goto("#lab&data=moons&seed=0&view=forward");
    await expect(page.locator("#lab-tour-start")).toBeVisible();
    expect((await page.locator(".tour").boundingBox()).height).toBeLessThan(60);
  }
});

test("another seed is one press away, and runs", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await useTinyModel(page);
  await pictures(page, link({ seed: 3 }));
  const [run, again] = await Promise.all(["#run", "#again"].map((id) => page.locator(id).boundingBox()));
  expect(again.y).toBe(run.y);
  await page.getByRole("button", { name: "Another seed" }).click();
  await says(page, "done");
  expect(given(page).seed).not.toBe("3");
  await expect(page.locator("#changed")).toBeEmpty();
});

test("units of a caption stay whole", async ({ page }) => {
  await page.setViewportSize({ width: 320, height: 700 });
  await useTinyModel(page);
  await pictures(page, link({ seed: 4294967000 }));
  await page.locator("#picker").press("ArrowRight");
  for (const part of await page.locator("#timeline .caption > *, figcaption > *").all()) {
    const { lines, wide } = await part.evaluate((element) => {
      const { height, right } = element.getBoundingClientRect();
      return { lines: height / parseFloat(getComputedStyle(element).lineHeight), wide: right <= innerWidth };
    });
    expect(lines).toBeLessThan(1.5);
    expect(wide).toBe(true);
  }
});
