/** Race: samplers' distances from their limit, from the form, by keyboard and from a link, beside those of the command line. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { unnoise } from "./cli.js";
import { decode, given, link, pictures, pixels, says, type, useTinyModel, visit } from "./page.js";

const RACE = link({ guidance: 1, clip: "range", race: "ddim,euler-ancestral,heun:5,20:60" });
const said = (page, key) => expect(page.locator("#race-said")).toHaveAttribute("data-i18n", key);
const button = (page, name) => page.locator("#race-dialog").getByRole("button", { name, exact: true });
const rows = (page) => page.locator("#race-table tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map(({ textContent }) => textContent)));

/** What a button saves. */
async function saved(page, name) {
  const [download] = await Promise.all([page.waitForEvent("download"), button(page, name).click()]);
  return { name: download.suggestedFilename(), data: readFileSync(await download.path()) };
}

/** A table of distances, by sampler and number of evaluations. */
function read(csv) {
  const [head, ...lines] = csv.trim().split("\n").map((line) => line.split(","));
  expect(head).toEqual(["sampler", "at most", "evaluations", "distance"]);
  return Object.fromEntries(lines.map(([sampler, most, taken, distance]) => [`${sampler} ${most}`, { taken, distance: Number(distance) }]));
}

test.beforeEach(({ page }) => useTinyModel(page));

test("a link's race has the numbers of the command line, and ranks them", async ({ page }, info) => {
  await visit(page, RACE);
  await said(page, "race.done");
  const table = await saved(page, "Save CSV");
  expect(table.name).toBe("unnoise-race.csv");
  const own = read(table.data.toString());
  const file = info.outputPath("compare.csv");
  const settings = ["--set", "schedule=trailing", "--set", "images=2", "--set", "seed=3", "--set", "guidance=1", "--set", "class=all", "--set", "clip=range"];
  unnoise("compare", "--model", "models/selftest", "--samplers", "ddim,euler-ancestral,heun", "--evaluations", "5,20", "--reference", "60", "--csv", file, ...settings);
  const other = read(readFileSync(file, "utf8"));
  expect(Object.keys(own)).toEqual(Object.keys(other));
  expect(Object.keys(own).length).toBe(6);
  for (const [point, { taken, distance }] of Object.entries(other)) {
    expect(own[point].taken, point).toBe(taken);
    // The network's sums are in f32 and in another order, in WebAssembly: some 1e-7 of values near 1.
    expect(Math.abs(own[point].distance - distance), point).toBeLessThan(2e-6 + 1e-4 * distance);
  }
  const ranking = await rows(page);
  expect(ranking[0]).toEqual(["Place", "Sampler", "5", "20", "measured order"]);
  const last = ranking.slice(1).map((row) => Number(row[3]));
  expect(last).toEqual(last.toSorted((a, b) => a - b));
  const euler = own["ddim 20"].distance.toExponential(2);
  expect(ranking.flat()).toContain(euler);
});

test("pictures stand beside the curves, and the limit's are those of a run of so many steps", async ({ page }) => {
  await visit(page, link({ guidance: 1, race: "dpmpp-2m:3:5" }));
  await said(page, "race.done");
  await expect(page.locator("#race-pictures figure:visible")).toHaveCount(2);
  const [limit, point] = [await pixels(page, "#race-pictures canvas >> nth=0"), await pixels(page, "#race-pictures canvas >> nth=1")];
  for (const [steps, of] of [[5, limit], [3, point]]) {
    await pictures(page, link({ guidance: 1, sampler: "dpmpp-2m", steps }));
    // A comparison rounds nothing of the clean end's levels: the same bytes.
    expect(await pixels(page, "#noisy")).toBe(of);
  }
  expect(limit).not.toBe(point);
});

test("samplers are typed and picked, what cannot race is said, the cost before, and Stop stops within a step", async ({ page }) => {
  // Each step is one that the page asks the worker for.
  await page.addInitScript(() => {
    window.asked = 0;
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message, ...rest) {
      window.asked += Number(message.call === "next");
      return post.call(this, message, ...rest);
    };
  });
  await pictures(page, link({ guidance: 1, variation: 0.5 }));
  await page.getByRole("button", { name: "Race" }).click();
  await expect(page.locator("#race-samplers")).toHaveValue("ddim,heun,dpmpp-2m");
  await expect(page.locator("#race-note")).toContainText("Variation");
  await type(page, "#race-counts", "4, 8");
  await page.locator("#race-pick").selectOption("euler");
  await expect(page.locator("#race-samplers")).toHaveValue("ddim,heun,dpmpp-2m,euler");
  // The reference takes 1000; three samplers 4 and 8; heun 3 and 7.
  await expect(page.locator("#race-said")).toHaveText(/^1046 evaluations of 2 images on the levels trailing, about \d+ s\.$/);
  expect(given(page).race).toBe("ddim,heun,dpmpp-2m,euler:4,8:1000");
  await type(page, "#race-samplers", "ddim,nothing");
  await expect(page.locator("#race-refused")).toContainText("has no limit or is not known");
  await type(page, "#race-samplers", "ddim");
  await type(page, "#race-counts", "4,5000");
  await expect(page.locator("#race-refused")).toContainText("from 1 to 1000");
  await type(page, "#race-counts", "4,900");
  await expect(page.locator("#race-refused")).toBeEmpty();
  await button(page, "Start the race").press("Enter");
  await expect(button(page, "Stop")).toBeFocused();
  const bar = page.locator("#race-dialog progress");
  await expect.poll(() => bar.evaluate(({ value }) => value)).toBeGreaterThan(0.05);
  await page.keyboard.press("Enter");
  await said(page, "race.stopped");
  const asked = await page.evaluate(() => window.asked);
  expect(asked).toBeGreaterThan(50);
  await page.waitForTimeout(300); // some hundred steps of this network
  expect(await page.evaluate(() => window.asked)).toBe(asked);
  await expect(page.locator("#race-pictures figure:visible")).toHaveCount(0);
  expect(await rows(page)).toHaveLength(2);
  await expect(button(page, "Start the race")).toBeEnabled();
  // The engine is free at once: a short race begins and ends.
  await type(page, "#race-counts", "4");
  await page.locator("#race-reference").selectOption("100");
  await button(page, "Start the race").click();
  await said(page, "race.done");
});

test("a list of levels has no limit, in both languages", async ({ page }) => {
  await pictures(page, link({ schedule: "custom:10,3,1,0.1", steps: 4 }));
  await page.getByRole("button", { name: "Race" }).click();
  await expect(page.locator("#race-refused")).toContainText("one number of steps");
  await expect(button(page, "Start the race")).toBeDisabled();
  await page.evaluate(() => document.querySelector("[data-language=zh]").click());
  await expect(page.locator("#race-refused")).toContainText("没有极限");
});

test("the sheet has curves, ranking and pictures, and closing leaves the race out of the address", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await visit(page, link({ guidance: 1, race: "ddim,heun:4,8:dopri5" }));
  await said(page, "race.done");
  const sheet = await saved(page, "Save PNG");
  expect(sheet.name).toBe("unnoise-race.png");
  const { width, height, data } = await decode(page, sheet.data);
  const ink = (from, to) => data.slice(4 * width * from, 4 * width * to).filter((value, i) => i % 4 === 0 && value < 160).length;
  expect(ink(0, 45)).toBeGreaterThan(100); // the title
  expect(ink(60, 240)).toBeGreaterThan(300); // curves
  // The last picture, 20 pixels from the lower edge at the most.
  expect(ink(height - 120, height)).toBeGreaterThan(500);
  await button(page, "Share").click();
  await expect(page.locator("#race-shared-text")).toContainText("copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(copied).hash).toContain("race=ddim,heun:4,8:dopri5");
  await page.keyboard.press("Escape");
  await expect.poll(() => given(page)).not.toHaveProperty("race");
  await says(page, "ready");
});

test("axe-core finds nothing in a race", async ({ page }) => {
  test.setTimeout(240_000);
  await visit(page, RACE);
  await said(page, "race.done");
  expect(await everywhere(page)).toEqual([]);
});
