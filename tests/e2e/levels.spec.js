/** The graph of a schedule's levels: alone, over another, blended, and drawn by hand. */

import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { given, link, pictures, print, says, type, useTinyModel, visit } from "./page.js";

/** The points of a curve, as places right and down, 1000 by 100. */
const points = (page, curve) => page.locator(`.levels .${curve}`).evaluate((path) => path.getAttribute("d").slice(1).split("L").map((point) => point.split(" ").map(Number)));
const drawn = (page, of) => expect(page.locator("#levels-legend")).toContainText(of);

test.beforeEach(({ page }) => useTinyModel(page));

test("levels fall from the noisiest to the cleanest, each a step on", async ({ page }) => {
  await pictures(page, link({ schedule: "exponential", steps: 5 }));
  await drawn(page, "exponential");
  const curve = await points(page, "own");
  expect(curve.map(([x]) => x)).toEqual([0, 200, 400, 600, 800]); // the clean end has no logarithm
  // Logarithms in equal steps are a straight line.
  expect(curve.map(([, y]) => y)).toEqual([0, 25, 50, 75, 100]);
  await expect(page.locator(".levels .under")).toHaveCount(0);
});

test("another schedule lies over it, from the form and from a link", async ({ page }) => {
  await pictures(page, link({ schedule: "exponential", steps: 5 }));
  await page.locator("#beside").selectOption("karras");
  await drawn(page, "karras");
  await expect(page.locator(".levels .under")).toHaveCount(1);
  expect(given(page).beside).toBe("karras");
  await pictures(page, link({ schedule: "karras", steps: 5, beside: "exponential" }));
  await drawn(page, "exponential");
  expect((await points(page, "under-0")).map(([, y]) => y)).toEqual([0, 25, 50, 75, 100]);
  await expect(page.locator("#beside")).toHaveValue("exponential");
});

test("a blend lies between its two, which are drawn too, and ends in either", async ({ page }) => {
  await pictures(page, link({ schedule: "trailing", steps: 5 }));
  await page.locator("#schedule").selectOption("blend");
  await expect(page.locator("#schedule-values")).toHaveValue("karras,trailing,0.5");
  await type(page, "#schedule-values", "karras:5,exponential,0.25");
  await expect.poll(() => given(page).schedule).toBe("blend:karras:5,exponential,0.25");
  await drawn(page, "karras:5, exponential");
  const [own, first, second] = [await points(page, "own"), await points(page, "under-0"), await points(page, "under-1")];
  for (const i of own.keys()) expect(own[i][1]).toBeCloseTo(0.75 * first[i][1] + 0.25 * second[i][1], 0); // drawn to a tenth
  await type(page, "#schedule-values", "karras,trailing,1.5");
  await expect(page.locator("#schedule-refused")).toContainText("“karras,trailing,1.5” cannot be used here");
  const run = async (schedule) => {
    await pictures(page, link({ schedule, steps: 5 }));
    return print(page, "#noisy");
  };
  expect(await run("blend:karras,trailing,0")).toBe(await run("karras"));
  expect(await run("blend:karras,trailing,1")).toBe(await run("trailing"));
  expect(await run("blend:karras,trailing,0.5")).not.toBe(await run("karras"));
});

test("a curve is drawn by keyboard, stands in the link and decides the picture", async ({ page }) => {
  await pictures(page, link({ schedule: "trailing", steps: 5 }));
  await page.locator("#schedule").selectOption("drawn");
  const handle = page.locator("#drawn circle").nth(1);
  await handle.focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowDown");
  await expect.poll(() => given(page).schedule).toBe("drawn:1,0.57,0.3,0");
  await expect(handle).toBeFocused();
  // No handle passes the one after it.
  for (let i = 0; i < 4; i++) await page.keyboard.press("Shift+ArrowDown");
  await expect.poll(() => given(page).schedule).toBe("drawn:1,0.31,0.3,0");
  await page.locator("#drawn").getByRole("button", { name: "More handles" }).click();
  await expect(page.locator("#drawn circle")).toHaveCount(5);
  await expect(page.locator("#schedule-values")).toHaveValue(given(page).schedule.slice("drawn:".length));
  const hash = new URL(page.url()).hash;
  await page.locator("#run").click();
  await says(page, "done");
  const picture = await print(page, "#noisy");
  await pictures(page, link({ schedule: "drawn", steps: 5 }));
  expect(await print(page, "#noisy")).not.toBe(picture);
  await pictures(page, hash);
  expect(await print(page, "#noisy")).toBe(picture);
});

test("axe-core finds nothing in a graph of three and an editor", async ({ page }) => {
  test.setTimeout(240_000);
  await visit(page, link({ schedule: "drawn", steps: 5, beside: "blend:karras,trailing,0.3" }));
  await says(page, "done");
  await drawn(page, "blend:karras,trailing,0.3");
  expect(await everywhere(page)).toEqual([]);
});
