/** One picture large: the bytes of the frame, its steps and neighbours by the keys, its numbers, its filmstrip, and its link. */

import { readFile } from "node:fs/promises";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { decode, given, link, pictures, useTinyModel } from "./page.js";

const SIDE = 12;
const dialog = (page) => page.locator("#large-dialog");

/** The pixels of a canvas, or of a part of it. */
const part = (page, canvas, [x, y, width, height]) =>
  page.locator(canvas).evaluate((element, box) => [...element.getContext("2d").getImageData(...box).data], [x, y, width, height]);

/** Picture `i` of two on a sheet, as the stage shows it, and the one that is shown large. */
const onStage = (page, i, sheet = "#noisy") => part(page, sheet, [i * (SIDE + 2), 0, SIDE, SIDE]);
const large = (page) => part(page, "#large-picture", [0, 0, SIDE, SIDE]);

async function open(page, changes = {}) {
  await useTinyModel(page);
  await pictures(page, link({ images: 2, ...changes }));
}

const numbers = (page) => page.locator("#large-numbers dd").allTextContents();

test("a click opens a picture with the bytes of its frame, and keys go through steps and pictures", async ({ page }) => {
  await open(page);
  const { width } = await page.locator("#noisy").boundingBox();
  await page.locator("#noisy").click({ position: { x: width * 0.8, y: 5 } });
  await expect(dialog(page)).toBeVisible();
  await expect(page.locator("#large-title")).toHaveText("image 2 · seed 4 · second");
  expect(await large(page)).toEqual(await onStage(page, 1));
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#large-step")).toHaveText(/^Step 2 of 3/);
  expect(await large(page)).toEqual(await onStage(page, 1));
  await page.getByRole("button", { name: "x̂₀" }).click();
  expect(await large(page)).toEqual(await onStage(page, 1, "#guess"));
  await page.keyboard.press("ArrowDown");
  await expect(page.locator("#large-title")).toHaveText("image 1 · seed 3 · first");
  expect(await large(page)).toEqual(await onStage(page, 0, "#guess"));
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toBeHidden();
  await expect(page.locator("#pointed")).toHaveText("image 1 · seed 3 · first");
});

test("it is as large as whole pixels allow, without blur, and can be doubled", async ({ page }) => {
  await open(page);
  await page.locator("#picker").press("Enter");
  const width = async () => (await page.locator("#large-picture").boundingBox()).width;
  const first = await width();
  expect(first % SIDE).toBe(0);
  expect(first).toBeGreaterThan(200);
  await page.keyboard.press("+");
  expect(await width()).toBe(2 * first);
  await page.keyboard.press("-");
  expect(await width()).toBe(first);
  expect(await page.locator("#large-picture").evaluate((canvas) => getComputedStyle(canvas).imageRendering)).toBe("pixelated");
});

test("the numbers say where a step lies beside the posterior: DDIM along its noise, and the last step on the estimate", async ({ page }) => {
  await open(page);
  await page.locator("#picker").press("Enter");
  const [, alpha, sigma, snr, , , beta, tilde, distance, along] = await numbers(page);
  expect([alpha, sigma, snr, tilde, distance, along]).toEqual(["1", "0", "∞", "0", "–", "–"]);
  expect(Number(beta)).toBeGreaterThan(0);
  // It ends on its estimate, which is the posterior's mean.
  await page.getByRole("button", { name: "μ̃" }).click();
  expect(await large(page)).toEqual(await onStage(page, 0, "#guess"));
  await page.keyboard.press("ArrowLeft");
  const before = await numbers(page);
  expect(before[9]).toBe("1");
  expect(Number(before[8])).toBeLessThan(1);
  await page.keyboard.press("Home");
  expect((await numbers(page)).slice(4)).toEqual(Array(6).fill("–"));
  await expect(page.locator("#large-kind")).toHaveText("No step has been taken yet: the run starts here.");
});

test("several workers draw what one does, and say the same of each step", async ({ page }) => {
  await open(page, { images: 1, seed: 4, class: 1, sampler: "ddpm" });
  await page.locator("#picker").press("Enter");
  await page.keyboard.press("ArrowLeft");
  const alone = await numbers(page);
  await page.keyboard.press("Escape");
  await pictures(page, link({ images: 2, seed: 3, class: 1, sampler: "ddpm" }));
  await page.locator("#picker").press("End");
  await page.locator("#picker").press("Enter");
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#large-title")).toHaveText(/^image 2 · seed 4/);
  expect(await numbers(page)).toEqual(alone);
});

test("a link opens the picture at its step, and is written as one looks", async ({ page }) => {
  await open(page, { show: "large:2:1" });
  await expect(dialog(page)).toBeVisible();
  await expect(page.locator("#large-title")).toHaveText(/^image 2 /);
  await expect(page.locator("#large-step")).toHaveText(/^Step 1 of 3/);
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => given(page).show).toBe("large:2:2");
  await page.keyboard.press("ArrowUp");
  await expect.poll(() => given(page).show).toBe("large:1:2");
  await page.keyboard.press("Escape");
  await expect.poll(() => given(page).show).toBe(undefined);
  await expect(page.locator("#changed")).toBeEmpty();
});

test("a link that cannot be read says so, and runs", async ({ page }) => {
  await open(page, { show: "huge:2" });
  await expect(page.locator("#notices")).toContainText("show");
  await expect(dialog(page)).toBeHidden();
});

test("the filmstrip is a PNG with every picture, whole pixels large", async ({ page }) => {
  await open(page);
  await page.locator("#picker").press("Enter");
  await page.getByText("Show what changed between the columns").click();
  const download = page.waitForEvent("download");
  await page.getByRole("button", { name: "Filmstrip as PNG" }).click();
  const png = await decode(page, await readFile(await (await download).path()));
  const scale = Math.round(160 / SIDE);
  const cell = SIDE * scale;
  expect(png.height).toBe(10 + 36 + 6 * (cell + 4) + 10);
  // The last point stands in the last column of the first row, each pixel a square.
  const seen = await large(page);
  const at = (x, y) => png.data.slice(4 * (y * png.width + x), 4 * (y * png.width + x) + 3);
  const left = png.width - 10 - (cell + 4);
  for (const [x, y] of [[0, 0], [5, 7], [11, 11]]) {
    const pixel = seen.slice(4 * (y * SIDE + x), 4 * (y * SIDE + x) + 3);
    for (const [dx, dy] of [[1, 1], [scale - 2, scale - 2]]) expect(at(left + x * scale + dx, 46 + y * scale + dy)).toEqual(pixel);
  }
});

test("on a phone a tap opens it", async ({ browser }) => {
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  const page = await context.newPage();
  await open(page);
  await page.locator("#noisy").tap({ position: { x: 20, y: 20 } });
  await expect(dialog(page)).toBeVisible();
  await expect(page.locator("#large-picture")).toBeInViewport({ ratio: 0.9 });
  await context.close();
});

test("axe-core finds nothing", async ({ page }) => {
  test.setTimeout(120_000);
  await open(page);
  await page.locator("#picker").press("Enter");
  expect(await everywhere(page)).toEqual([]);
});
