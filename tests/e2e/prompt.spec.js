/** Words to pictures: the prompt, what it proposes and marks, and the picture that comes of it. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { unnoise } from "./cli.js";
import { decode, given, hash, pictures, print, says, useTinyModel, visit } from "./page.js";

const HEART = "#model=emoji-text&prompt=red%20heart&seed=3&steps=4&guidance=3&images=1&backend=cpu";

test("a prompt is drawn as the command line draws it, and its link brings the same picture", async ({ page, context }, info) => {
  test.setTimeout(600_000);
  await pictures(page, HEART);
  await expect(page.locator("#prompt")).toHaveValue("red heart");
  const first = await print(page, "#noisy");
  const saving = page.waitForEvent("download");
  await page.locator("#save").click();
  const saved = await decode(page, readFileSync(await (await saving).path()));
  const file = info.outputPath("native.png");
  unnoise("sample", "--link", hash(page), "--out", file);
  const native = await decode(page, readFileSync(file));
  expect([saved.width, saved.height]).toEqual([native.width, native.height]);
  const worst = saved.data.reduce((most, value, i) => Math.max(most, Math.abs(value - native.data[i])), 0);
  // Sums of another order, through every layer and step.
  expect(worst).toBeLessThanOrEqual(2);

  const other = await context.newPage();
  await pictures(other, hash(page));
  expect(await print(other, "#noisy")).toBe(first);
});

test("Enter draws what was typed, and another prompt or a negative one gives another picture", async ({ page }) => {
  await pictures(page, HEART);
  const heart = await print(page, "#noisy");
  await page.locator("#prompt").fill("蓝色的心");
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator("#prompt").press("Enter");
  await says(page, "done");
  const blue = await print(page, "#noisy");
  expect(blue).not.toBe(heart);
  expect(given(page)).toMatchObject({ model: "emoji-text", prompt: "蓝色的心" });
  await page.locator("#negative").fill("blue");
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator("#run").click();
  await says(page, "done");
  expect(await print(page, "#noisy")).not.toBe(blue);
  expect(given(page)).toMatchObject({ negative: "blue" });
});

test("typing brings completions, in either language, and a word that no caption had is marked", async ({ page }) => {
  await pictures(page, "#model=emoji-text&lang=en&steps=1&backend=cpu");
  const chips = page.locator("#prompt-chips button");
  await expect(chips).toHaveCount(8);
  await page.locator("#prompt").fill("");
  await page.locator("#prompt").pressSequentially("a red app");
  await expect(chips.first()).toHaveText("a red apple");
  await page.locator("#prompt").fill("蓝色的狐");
  await expect(chips.first()).toHaveText("蓝色的狐狸");
  await page.locator("#prompt").fill("a purple zyzzyx cat");
  await expect(page.locator("#prompt-unknown")).toContainText("zyzzyx");
  await page.locator("#prompt").fill("a purple cat");
  await expect(page.locator("#prompt-unknown")).toBeEmpty();
  // The word under way may become a known one.
  await page.locator("#prompt").fill("purp");
  await expect(page.locator("#prompt-unknown")).toBeEmpty();
  await page.locator("[data-language=zh]").click();
  await page.locator("#prompt").fill("");
  await expect(chips.first()).toHaveText(/\p{Script=Han}/u);
});

test("an example and a surprise are drawn at once", async ({ page }) => {
  await visit(page, "#model=emoji-text&steps=2&images=1&backend=cpu&seed=1&sampler=dpmpp-2m&schedule=trailing&class=all&guidance=3");
  const chip = page.locator("#prompt-chips button").first();
  const text = await chip.textContent();
  await says(page, "done");
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await chip.click();
  await says(page, "done");
  await expect(page.locator("#prompt")).toHaveValue(text);
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator("#surprise").click();
  await says(page, "done");
  expect(await page.locator("#prompt").inputValue()).not.toBe(text);
});

test("with the few-step model the picture follows the typing, until the switch is off", async ({ page }) => {
  await pictures(page, "#model=emoji-text-turbo&backend=cpu");
  await expect(page.locator("#live")).toBeChecked();
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator("#prompt").fill("");
  await page.locator("#prompt").pressSequentially("rocket");
  await says(page, "done");
  expect(given(page).prompt).toBe("rocket");
  const drawn = await print(page, "#noisy");
  await page.locator("#live").uncheck();
  await page.locator("#prompt").fill("sunflower");
  await page.waitForTimeout(1000); // five times the pause after which it would have been drawn
  expect(await print(page, "#noisy")).toBe(drawn);
});

test("a model of words without examples has its prompt alone", async ({ page }) => {
  await page.route("**/models/index.json", async (route) => {
    const response = await route.fetch();
    const models = (await response.json()).map((model) => ({ ...model, prompts: {}, vocabulary: null }));
    await route.fulfill({ response, json: models });
  });
  await pictures(page, "#model=emoji-text&prompt=rocket&steps=1&backend=cpu");
  await expect(page.locator("#prompt")).toHaveValue("rocket");
  await expect(page.locator("#prompt-chips button")).toHaveCount(0);
  await expect(page.locator("#surprise")).toBeHidden();
});

test("a model that reads no texts has no prompt, and a link with one says so", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, "#model=tiny&prompt=red%20heart&backend=cpu");
  await expect(page.locator("#prompt-box")).toBeHidden();
  await expect(page.locator("#negative")).toBeHidden();
  await expect(page.locator("#notices")).toContainText("reads no prompts");
});
