/** Which word looks where, sizes, tokens and weights: what a page has for models of words besides the prompt. */

import { expect, test } from "@playwright/test";
import { given, pictures, pixels, print, runAgain, says, scrub, visit } from "./page.js";

const HEART = "#model=emoji-text&prompt=red%20heart&seed=3&steps=4&guidance=3&images=2&backend=cpu&lang=en";

const chips = (page) => page.locator("#attention-words button");
const heat = (page) => page.locator(".heat").first();
/** The largest alpha of the layer over the first sheet. */
const strongest = (page) =>
  heat(page).evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.reduce((most, value, i) => (i % 4 === 3 ? Math.max(most, value) : most), 0);
  });

/** Where that alpha is. */
const hottest = (page) =>
  heat(page).evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const alpha = data.filter((_, i) => i % 4 === 3);
    return alpha.indexOf(Math.max(...alpha));
  });

test("a chosen word lays its map over the pictures of each step, which stay the same", async ({ page }) => {
  await pictures(page, HEART);
  const plain = await print(page, "#noisy");
  await expect(heat(page)).toBeHidden();
  await page.locator("#attention summary").click();
  await expect(page.locator("#attention-hint")).toContainText("without a record");
  await expect(chips(page)).toHaveCount(0);
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator("#attention-run").click();
  await says(page, "done");
  expect(await print(page, "#noisy")).toBe(plain);
  await expect(chips(page)).toHaveText([/^red\d+ %$/, /^heart\d+ %$/]);
  const [above, below] = [await page.locator("#attention summary").boundingBox(), await chips(page).first().boundingBox()];
  expect(below.y - above.y - above.height).toBeLessThan(20); // they stand right below their heading
  await expect(heat(page)).toBeHidden();

  // By keyboard, as every button.
  await chips(page).nth(1).focus();
  await page.keyboard.press("Enter");
  await expect(chips(page).nth(1)).toHaveAttribute("aria-pressed", "true");
  await expect(heat(page)).toBeVisible();
  await expect(page.locator("#attention-hint")).toContainText("“heart”");
  const last = await pixels(page, ".heat >> nth=0");
  expect(await strongest(page)).toBeGreaterThan(60);
  // Each word has a map of its own.
  const heart = await hottest(page);
  await chips(page).nth(0).click();
  expect(await hottest(page)).not.toBe(heart);
  await chips(page).nth(1).click();
  await scrub(page, 1);
  const first = await pixels(page, ".heat >> nth=0");
  expect(first).not.toBe(last);
  await page.locator("#attention-mean").check();
  const mean = await pixels(page, ".heat >> nth=0");
  expect(mean).not.toBe(first);
  await scrub(page, 3);
  expect(await pixels(page, ".heat >> nth=0")).toBe(mean);
  await page.locator("#attention-mean").uncheck();
  await chips(page).nth(0).click();
  expect(await pixels(page, ".heat >> nth=0")).not.toBe(mean);
  await scrub(page, 0);
  await expect(heat(page)).toBeHidden();
  await expect(page.locator("#attention-hint")).toContainText("noise that the run begins with");
  await scrub(page, 4);
  await chips(page).nth(0).click();
  await expect(heat(page)).toBeHidden();

  // The next prompt keeps the word that it shares with this one.
  await chips(page).nth(1).click();
  await page.locator("#prompt").fill("blue heart");
  await runAgain(page);
  await expect(chips(page).nth(1)).toHaveAttribute("aria-pressed", "true");
  await expect(chips(page).nth(0)).toContainText("blue");
});

test("on a phone, in Chinese and in the dark, words can be chosen too", async ({ page }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: "dark" });
  await visit(page, "#model=emoji-text&prompt=%E7%BA%A2%E8%89%B2%E7%9A%84%E5%BF%83&seed=3&steps=2&guidance=3&images=1&backend=cpu&lang=zh");
  await page.locator("#attention summary").click();
  await says(page, "done");
  await runAgain(page);
  await expect(chips(page).first()).toBeVisible();
  expect((await chips(page).locator("span").allTextContents()).join("")).toBe("红色的心");
  await chips(page).first().click();
  await expect(heat(page)).toBeVisible();
  const wide = await page.evaluate(() => document.documentElement.scrollWidth);
  expect(wide).toBeLessThanOrEqual(360);
});

test("tokens of both prompts are counted, and words without a place are named", async ({ page }) => {
  await pictures(page, HEART);
  await expect(page.locator("#prompt-tokens")).toHaveText("2 of 30 tokens");
  await page.locator("#negative").fill("blue");
  await expect(page.locator("#negative-tokens")).toHaveText("1 of 30 tokens");
  await page.locator("#prompt").fill("heart ".repeat(30) + "frog");
  await expect(page.locator("#prompt-tokens")).toHaveText("More than 30 tokens; this is left out: frog");
  await page.locator("#prompt").fill("");
  await expect(page.locator("#prompt-tokens")).toBeEmpty();
  const long = "心".repeat(1001);
  await page.locator("#prompt").fill(long);
  await page.locator("#prompt").press("Enter");
  await expect(page.locator("#prompt-refused")).toContainText("at most 1000 characters, and this one has 1001");
  expect(given(page).prompt).toBe("red heart");
  await expect(page.locator("#prompt")).toHaveValue(long);
});

test("a size is drawn, goes into the link, and is brought to one that the model draws", async ({ page }) => {
  await pictures(page, HEART);
  const size = page.locator("#size");
  await page.locator("[data-section=more]").evaluate((part) => (part.closest("details").open = true));
  await size.fill("96x48");
  await size.blur();
  expect(given(page).size).toBe("96x48");
  await runAgain(page);
  const sheet = await page.locator("#noisy").evaluate((canvas) => [canvas.width, canvas.height]);
  expect(sheet).toEqual([2 * 96 + 2, 48]);
  await size.fill("97x48");
  await size.blur();
  await expect(page.locator("#size-refused")).toContainText("multiples of 4; the nearest to 97x48 is 96x48");
  expect(given(page).size).toBe("96x48");
  // A link is brought to the nearest, and says so.
  await pictures(page, `${HEART}&size=97x48`);
  await expect(page.locator("#notices")).toContainText("97x48 becomes 96x48");
  expect(given(page).size).toBe("96x48");
});

test("brackets are weights only where they are asked for", async ({ page }) => {
  const weighted = HEART.replace("red%20heart", "red%20(heart:1.5)");
  await pictures(page, weighted);
  const plain = await print(page, "#noisy");
  await page.locator("[data-section=more]").evaluate((part) => (part.closest("details").open = true));
  await page.locator("#weighting").selectOption("a1111");
  await expect(page.locator("#prompt-tokens")).toHaveText("2 of 30 tokens");
  await runAgain(page);
  expect(await print(page, "#noisy")).not.toBe(plain);
  expect(given(page).weighting).toBe("a1111");
});
