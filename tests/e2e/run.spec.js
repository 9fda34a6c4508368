/** A run, from the first visit to the last picture. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { unnoise } from "./cli.js";
import { decode, difference, hash, link, pictures, pixels, print, runAgain, says, scrub, useTinyModel, visit } from "./page.js";

const SHORT = { steps: 8, images: 4, backend: undefined };
const TINY = link(SHORT);

test("a first visit loads the model, runs when asked and shows the command line's pictures", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await visit(page);
  await says(page, "ready");
  await page.locator("#sampler").selectOption("dpmpp-2m");
  await page.locator("#steps").fill("6");
  await page.locator("#images").fill("4");
  await page.locator("#images").blur();

  // What the page shows at each change of the step on show.
  await page.evaluate(() => {
    window.seen = [];
    const look = () => window.seen.push(["#noisy", "#guess"].map((id) => document.querySelector(id).toDataURL()));
    new MutationObserver(look).observe(document.querySelector("#place"), { childList: true, characterData: true, subtree: true });
  });
  await page.locator("#run").click();
  await says(page, "done");
  const seen = await page.evaluate(() => window.seen);
  expect(seen.length).toBeGreaterThanOrEqual(6);
  expect(new Set(seen.map(([noisy]) => noisy)).size).toBe(seen.length);
  expect(new Set(seen.map(([, guess]) => guess)).size).toBe(seen.length);

  const shown = hash(page);
  expect(shown).toContain("steps=6");
  expect(shown).toContain("seed=7");
  const saving = page.waitForEvent("download");
  await page.locator("#save").click();
  const saved = await decode(page, readFileSync(await (await saving).path()));
  const file = info.outputPath("native.png");
  unnoise("sample", "--link", shown, "--out", file);
  const native = await decode(page, readFileSync(file));
  expect([saved.width, saved.height]).toEqual([native.width, native.height]);
  const worst = saved.data.reduce((most, value, i) => Math.max(most, Math.abs(value - native.data[i])), 0);
  // Both run the same Rust, but another width of SIMD adds in another order, which may move a rounding.
  expect(worst).toBeLessThanOrEqual(1);
});

test("two runs of one link are identical, here and in another tab", async ({ page, context }) => {
  await useTinyModel(page);
  await pictures(page, TINY);
  const first = await print(page, "#noisy");
  await runAgain(page);
  expect(await print(page, "#noisy")).toBe(first);

  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await page.locator("#share").click();
  await expect(page.locator("#shared-text")).toHaveText("Link copied.");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const other = await context.newPage();
  await useTinyModel(other);
  await pictures(other, copied, "");
  expect(await print(other, "#noisy")).toBe(first);
  expect(await print(other, "#guess")).toBe(await print(page, "#guess"));
});

test("another seed gives other pictures", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, TINY);
  const first = await pixels(page, "#noisy");
  await pictures(page, link({ ...SHORT, seed: 33 }));
  expect(difference(await pixels(page, "#noisy"), first)).toBeGreaterThan(20);
});

test("a link without the clipboard's leave is shown, selected", async ({ page }) => {
  await useTinyModel(page);
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "clipboard", { value: { writeText: () => Promise.reject(new Error("denied")) } });
  });
  await pictures(page, TINY);
  await page.locator("#share").click();
  const field = page.locator("#link");
  await expect(field).toBeVisible();
  expect(await field.evaluate((input) => input.value.slice(input.selectionStart, input.selectionEnd))).toContain("seed=3");
});

test("Stop ends a run within one step, and a new run can begin", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ ...SHORT, steps: 1000 }));
  await expect(page.locator("#pace")).toContainText("/1000");
  const at = await page.evaluate(() => {
    document.querySelector("#stop").click();
    return parseInt(document.querySelector("#pace").textContent, 10);
  });
  await says(page, "stopped");
  const ended = Number(/step (\d+) of/.exec(await page.locator("#status").textContent())[1]);
  // One step may have been on its way to the page, and one under way in the engine.
  expect(ended).toBeGreaterThanOrEqual(at);
  expect(ended).toBeLessThanOrEqual(at + 2);
  await page.waitForTimeout(500);
  await expect(page.locator("#pace")).toContainText(`${ended}/1000`);
  await page.locator("#steps").fill("3");
  await page.locator("#run").click();
  await says(page, "done");
});

test("a run begun during another takes its place", async ({ page }) => {
  await page.addInitScript(() => {
    window.frames = 0;
    window.Worker = class extends Worker {
      constructor(...given) {
        super(...given);
        this.addEventListener("message", ({ data }) => (window.frames += data.result?.network_ms !== undefined));
      }
    };
  });
  await useTinyModel(page);
  await pictures(page, TINY);
  const alone = await print(page, "#noisy");
  await page.locator("#steps").fill("1000");
  await page.locator("#run").click();
  await expect(page.locator("#pace")).toContainText("/1000");
  await page.locator("#steps").fill("8");
  await page.locator("#run").click();
  await says(page, "done");
  expect(await print(page, "#noisy")).toBe(alone);
  const frames = await page.evaluate(() => window.frames);
  await page.waitForTimeout(500);
  expect(await page.evaluate(() => window.frames)).toBe(frames);
});

test("the timeline goes through all steps, back and forth, and plays them", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, TINY);
  const backward = [];
  for (let step = 8; step >= 0; step--) {
    await scrub(page, step);
    await expect(page.locator("#place")).toContainText(`Step ${step} of 8`);
    backward.push(await print(page, "#noisy"));
  }
  expect(new Set(backward).size).toBe(9);
  for (let step = 0; step <= 8; step++) {
    await scrub(page, step);
    expect(await print(page, "#noisy")).toBe(backward[8 - step]);
  }
  await expect(page.locator("#alpha")).toHaveText("1.000");
  await page.locator("#play").click();
  await expect(page.locator("#place")).toContainText(/Step [1-7] of 8/);
  await expect(page.locator("#place")).toContainText("Step 8 of 8");
  await expect(page.locator("#play")).toHaveAttribute("aria-pressed", "false");
});

test("a person who looks back during a run is left there, and the end brings the run forward again", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ ...SHORT, images: 16, steps: 1000 }));
  await expect(page.locator("#pace")).toContainText(/^\d{2,3}\/1000/);
  await scrub(page, 5);
  const shown = await print(page, "#noisy");
  await expect(page.locator("#pace")).toContainText(/^\d{3}\/1000/);
  await expect(page.locator("#place")).toContainText("Step 5 of 1000");
  expect(await print(page, "#noisy")).toBe(shown);
  await scrub(page, 1000);
  await says(page, "done");
  await expect(page.locator("#place")).toContainText("Step 1000 of 1000");
});

test("two tabs run side by side without disturbing each other", async ({ page, context }) => {
  const other = await context.newPage();
  for (const tab of [page, other]) await useTinyModel(tab);
  await pictures(page, TINY);
  const alone = await print(page, "#noisy");
  await Promise.all([pictures(page, link({ ...SHORT, steps: 60 })), pictures(other, TINY)]);
  expect(await print(other, "#noisy")).toBe(alone);
});

test("a run too long for the memory keeps every k-th step, and the last", async ({ page }) => {
  await visit(page);
  const kept = await page.evaluate(async () => {
    const { Timeline } = await import(new URL("www/timeline.js", location.href).href);
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    for (const name of ["alpha", "sigma"]) svg.appendChild(document.createElementNS(svg.namespaceURI, "path")).classList.add(name);
    const slider = Object.assign(document.createElement("input"), { type: "range" });
    const shown = [];
    const timeline = new Timeline({ slider, play: document.createElement("button"), curves: svg }, ({ step }) => shown.push(step));
    // 12 MB a sheet, as the timeline would count it: 101 frames of two sheets are more than 512 MiB.
    const pixels = { length: 12e6 };
    for (let step = 0; step <= 100; step++) timeline.add({ step, steps: 100, x: pixels, denoised: pixels, alpha: 1, sigma: 0 });
    shown.length = 0;
    for (let place = 0; place <= Number(slider.max); place++) timeline.seek(place);
    return shown;
  });
  expect(kept[0]).toBe(0);
  expect(kept.at(-1)).toBe(100);
  expect(kept.length * 24e6).toBeLessThanOrEqual(2 ** 29 + 24e6);
  expect(new Set(kept.slice(1, -1).map((step, i) => step - kept[i])).size).toBe(1);
});
