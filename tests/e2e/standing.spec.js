/** What is on show, what is set and what is shared are one thing, or the page says so. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { card, decode, given, hash, link, mark, modelFiles, pictures, pixels, print, runAgain, says, type, useModels, useTinyModel, visit } from "./page.js";

const LINK = link({ images: 2 });
const CHANGED = "Settings changed: press Run";

/** The link that Share gives. */
async function shared(page) {
  await page.locator("#share").click();
  await expect(page.locator("#shared-text")).toContainText("Link copied");
  return new URL(await page.evaluate(() => navigator.clipboard.readText())).hash;
}

test.beforeEach(async ({ context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
});

test("another seed marks the pictures, and Share, Python and Save speak of the run on show", async ({ page }) => {
  await useTinyModel(page);
  await page.route("**/pkg/unnoise_cpu.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\nEngine.prototype.python = (settings) => \`# seed \${settings.seed}\`;` });
  });
  await pictures(page, LINK);
  await expect(mark(page)).toBeEmpty();
  const before = await pixels(page, "#noisy");
  await type(page, "#seed", "8");
  await expect(mark(page)).toHaveText(CHANGED);
  await expect(page.locator("#sheets")).toHaveClass(/old/);
  expect(given(page).seed).toBe("8"); // what is set is in the address, as ever
  expect(await shared(page)).toBe(LINK);
  await page.locator("#code").click();
  await expect(page.locator("#code-text")).toHaveText("# seed 3");
  await page.keyboard.press("Escape");
  const saving = page.waitForEvent("download");
  await page.locator("#save").click();
  const download = await saving;
  expect(download.suggestedFilename()).toBe("unnoise-tiny-ddim-seed-3.png");
  const { data } = await decode(page, readFileSync(await download.path()));
  expect(data.slice(0, 40)).toEqual([...Buffer.from(before, "base64").subarray(0, 40)]);
  await page.locator("#noisy").hover({ position: { x: 4, y: 4 } });
  await expect(page.locator("#pointed")).toContainText("image 1 · seed 3");

  await type(page, "#seed", "3");
  await expect(mark(page)).toBeEmpty();
  await expect(page.locator("#sheets")).not.toHaveClass(/old/);
  await type(page, "#seed", "8");
  await runAgain(page);
  await expect(mark(page)).toBeEmpty();
  expect(new URLSearchParams((await shared(page)).slice(1)).get("seed")).toBe("8");
});

test("before the first run the settings are shared, and nothing is marked", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  await type(page, "#seed", "12");
  await expect(mark(page)).toBeEmpty();
  expect(await shared(page)).toContain("seed=12");
});

test("the language and the engine change no picture, and mark none", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  await page.getByRole("button", { name: "中文" }).click();
  await page.getByRole("button", { name: "EN", exact: true }).click();
  await page.locator("#backend").selectOption("auto");
  await says(page, "ready");
  await expect(mark(page)).toBeEmpty();
});

test("a run that the change of the engine cut short is marked as such", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ images: 2, steps: 1000 }));
  await expect(page.locator("#pace")).toContainText("/1000");
  await page.locator("#backend").selectOption("auto");
  await says(page, "ready");
  await expect(mark(page)).toHaveText("The run was cut short: press Run");
});

test("another model in mid-run stops it, and the pictures say whose they are", async ({ page }) => {
  const files = () => modelFiles("models/selftest", card("Tiny"));
  const other = modelFiles("models/selftest", card("Other"));
  await useModels(page, { tiny: files(), other });
  await visit(page, link({ images: 2, steps: 1000 }));
  await expect(page.locator("#pace")).toContainText("/1000");
  await page.getByRole("option", { name: "Other" }).click();
  await says(page, "ready");
  await expect(mark(page)).toHaveText("Pictures of Tiny: press Run");
  expect(new URLSearchParams((await shared(page)).slice(1)).get("model")).toBe("tiny");
  await page.locator("#steps").fill("3");
  await runAgain(page);
  await expect(mark(page)).toBeEmpty();
  await page.getByRole("option", { name: "Tiny" }).click();
  await says(page, "ready");
  await expect(mark(page)).toHaveText("Pictures of Other: press Run");
});

test("leaving for the lab in mid-run stops it, and the page says so", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ images: 2, steps: 1000 }));
  await expect(page.locator("#pace")).toContainText("/1000");
  await page.getByRole("link", { name: "2-D lab" }).click();
  await expect(page.locator("#lab")).toBeVisible();
  await page.getByRole("link", { name: "Pictures" }).click();
  await expect(page.locator("#status")).toHaveText(/^Stopped at step \d+ of 1000, as you left this view\.$/);
  await page.locator("#steps").fill("3");
  await runAgain(page);
});

for (const [field, texts] of Object.entries({
  "#steps": [["1001", 20], ["-1", 20], ["3.5", 20]],
  "#seed": [["-1", 7], ["4294967296", 7], ["3.5", 7]],
  "#images": [["65", 16], ["0", 16], ["2.5", 16]],
})) {
  test(`${field.slice(1)} corrects nothing in silence`, async ({ page }) => {
    await useTinyModel(page);
    await visit(page, "#backend=cpu");
    await says(page, "ready");
    for (const [text, stays] of texts) {
      await type(page, field, text);
      await expect(page.locator(`${field}-refused`)).toHaveText(new RegExp(`^“${text.replace(".", "\\.")}” is no whole number from .*; ${stays} stays\\.$`));
      await expect(page.locator(field)).toHaveValue(text);
    }
  });
}

test("a knob of whole numbers takes no part of one", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ sampler: "lms" }));
  await says(page, "done");
  await page.locator("#tuning > summary").click();
  await type(page, "#knob-order", "2.5");
  await expect(page.locator("#knob-order-refused")).toHaveText("“2.5” is no whole number from 1 to 4; 4 stays.");
  await pictures(page, link({ sampler: "lms", order: 2.5 }));
  await expect(page.locator("#notices")).toContainText("The link says order=2.5, but it must be a whole number from 1 to 4");
});

test("CFG++ has a scale of its own, and whoever leaves it is told", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  await page.locator("#more > summary").click();
  await expect(page.locator("#guidance-slider")).toHaveAttribute("max", "8");
  await page.locator("#guide").selectOption("cfgpp");
  await expect(page.locator("#guidance")).toHaveValue("0.6");
  await expect(page.locator("#guidance-slider")).toHaveAttribute("max", "1");
  await expect(page.locator("#guidance-slider")).toHaveJSProperty("value", "0.6");
  await expect(page.locator("#notices")).toContainText("CFG++ has a scale of its own, from 0 to 1: the guidance of 2 is 0.6 now.");
  await expect(page.locator("#guidance-hint")).toContainText("CFG++ is made for 0 to 1.");
  await type(page, "#guidance", "1");
  await expect(page.locator("#guide-hint")).toContainText("even a guidance of 1 is not the plain model");
  const whole = await print(page, "#noisy");
  await runAgain(page);
  const one = await print(page, "#noisy");
  expect(one).not.toBe(whole);
  await type(page, "#guidance", "0");
  await expect(page.locator("#guide-hint")).toHaveText("A guidance of 0 leaves the class out, whichever kind this is.");
  await expect(page.locator("#guidance-min-field")).not.toHaveClass(/idle/); // outside of its range the class is there
  await type(page, "#guidance", "0.6");
  await page.locator("#sampler").selectOption("heun");
  await expect(page.locator("#notices")).toContainText("CFG++ does not fit Heun; plain guidance is used.");
  await expect(page.locator("#notices")).toContainText("Plain guidance has a scale of its own: the guidance of 0.6 is 2 now.");
  expect(given(page)).toMatchObject({ guidance: "2" });
  expect(hash(page)).not.toContain("guide=");
});
