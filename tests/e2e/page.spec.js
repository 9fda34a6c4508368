/** The page itself: languages, keyboard, small screens, themes, and being put anywhere. */

import { expect, test } from "@playwright/test";
import { url } from "./browser.js";
import { hash, pictures, says, type, useTinyModel, visit } from "./page.js";
import { serve } from "./server.js";

const LINK = "#model=tiny&sampler=ddim&steps=4&seed=1&images=4&backend=cpu";

/** All text that a person can see, or hear read out, by element. */
const texts = (page) =>
  page.evaluate(() => {
    const found = [];
    for (const element of document.querySelectorAll("#page *:not(dd, dd *)")) { // there stand the samplers' names elsewhere
      const own = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data.trim()).join(" ").trim();
      const where = `${element.tagName.toLowerCase()}#${element.id || element.parentElement.id}`;
      if (own && element.checkVisibility?.()) found.push([where, own]);
      const label = element.getAttribute("aria-label") ?? (element.tagName === "OPTGROUP" ? element.label : null);
      if (label) found.push([`${where} label`, label]);
    }
    return found;
  });

test("every text changes with the language", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  // Everything that is folded, and the start picture's tools.
  await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
  await page.locator("#start-take").click();
  await page.locator("#schedule").selectOption("custom");
  await expect(page.locator("#start-noised-box")).toBeVisible(); // the engine draws it
  const english = await texts(page);
  await page.getByRole("button", { name: "中文" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hans");
  const chinese = await texts(page);
  // Names, numbers and formulas are the same in both languages.
  const same = /^(unnoise|EN|中文|×|Ctrl ↵|WebGPU|CPU|Python|Karras|ComfyUI|k-diffusion|diffusers|[\d.,/·=xtαεσ+ –-]+|[\d.]+ MB)$/;
  const samplers = await page.locator("#sampler option").allTextContents();
  const stuck = english.filter(([, text], i) => chinese[i]?.[1] === text && !same.test(text) && !samplers.includes(text));
  expect(stuck).toEqual([]);
  expect(chinese.length).toBe(english.length);
  for (const [, text] of [...english, ...chinese]) expect(text).not.toMatch(/^[a-z]+(\.[a-z0-9-]+)+$|\{\w+\}/);
  await page.reload();
  await says(page, "done");
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hans");
});

test("a Chinese browser is greeted in Chinese, and a link may ask for a language", async ({ browser }) => {
  const page = await browser.newPage({ locale: "zh-CN", baseURL: url });
  await useTinyModel(page);
  await visit(page);
  await expect(page.locator("#run")).toContainText("运行");
  await visit(page, "#lang=en");
  await expect(page.locator("#run")).toContainText("Run");
  await page.close();
});

test("the keyboard runs, stops and scrubs", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  await page.locator("#steps").focus();
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type("1000");
  await page.keyboard.press("Control+Enter");
  await expect(page.locator("#pace")).toContainText(/^\d{2,}\/1000/);
  await page.keyboard.press("Escape");
  await says(page, "stopped");
  await page.locator("#slider").focus();
  await page.keyboard.press("Home");
  await expect(page.locator("#place")).toContainText("Step 0 of 1000");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator("#place")).toContainText("Step 1 of 1000");
  await expect(page.locator("#slider")).toHaveAttribute("aria-valuetext", "Step 1 of 1000");
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#place")).toContainText("Step 0 of 1000");
});

test("every control has a name, and focus can be seen", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("button, input, select")]
      .filter((element) => !(element.labels?.length || element.getAttribute("aria-label") || element.textContent.trim()))
      .map((element) => element.outerHTML),
  );
  expect(unnamed).toEqual([]);
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle)).toBe("solid");
});

test("a field says what it takes, and keeps what was typed to be mended", async ({ page }) => {
  await useTinyModel(page);
  await visit(page);
  await says(page, "ready");
  const before = hash(page);
  for (const [id, typed, said] of [
    ["steps", "5000", "“5000” is no whole number from 1 to 1000; 20 stays."],
    ["steps", "3.5", "“3.5” is no whole number from 1 to 1000; 20 stays."],
    ["images", "0", "“0” is no whole number from 1 to 64; 16 stays."],
    ["seed", "-4", "“-4” is no whole number from 0 to 4294967295; 7 stays."],
    ["guidance", "99", "“99” is no number from 0 to 20; 2 stays."],
    ["steps", "", "A number from 1 to 1000; until there is one, 20 stays."],
  ]) {
    await type(page, `#${id}`, typed);
    await expect(page.locator(`#${id}-refused`)).toHaveText(said);
    await expect(page.locator(`#${id}`)).toHaveAttribute("aria-invalid", "true");
    await expect(page.locator(`#${id}`)).toHaveValue(typed);
  }
  expect(hash(page)).toBe(before);
  await type(page, "#steps", "30");
  await expect(page.locator("#steps-refused")).toBeEmpty();
  await expect(page.locator("#steps")).not.toHaveAttribute("aria-invalid");
  await expect(page.locator("#images")).toHaveValue("0"); // that is still to be mended
  await page.locator("#images-slider").fill("5");
  await expect(page.locator("#images")).toHaveValue("5");
  await expect(page.locator("#images-refused")).toBeEmpty();
  expect(hash(page)).toContain("steps=30");
});

test("a link typed into the address of an open page takes effect", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  await page.evaluate(() => (location.hash = "#model=tiny&sampler=euler&steps=5&seed=2&images=1&backend=cpu"));
  await expect(page.locator("#place")).toContainText("of 5");
  await says(page, "done");
  await expect(page.locator("#sampler")).toHaveValue("euler");
});

test("on a phone nothing sticks out, and the pictures are in sight during a run", async ({ browser }) => {
  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true };
  const page = await browser.newPage({ ...phone, baseURL: url, locale: "en-GB" });
  await useTinyModel(page);
  await pictures(page, LINK);
  const wide = () => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(await wide()).toBe(0);
  await page.locator("#backend").scrollIntoViewIfNeeded();
  await page.locator("#steps").fill("1000");
  await page.locator("#run").tap();
  await expect(page.locator("#guess")).toBeInViewport({ ratio: 0.9 });
  await page.locator("#stop").tap();
  await says(page, "stopped");
  await page.getByRole("button", { name: "中文" }).tap();
  expect(await wide()).toBe(0);
  await page.close();
});

test("the theme follows the system until it is chosen, and the choice stays", async ({ page }) => {
  const dark = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await useTinyModel(page);
  await page.emulateMedia({ colorScheme: "light" });
  await visit(page);
  const light = await dark();
  await page.emulateMedia({ colorScheme: "dark" });
  expect(await dark()).not.toBe(light);
  await page.locator("#theme").click();
  expect(await dark()).toBe(light);
  await page.reload();
  await expect(page.locator("#status")).not.toBeEmpty();
  expect(await dark()).toBe(light);
});

test("the page works under any path", async ({ page }) => {
  // The site again, under a path of two parts.
  const site = process.env.UNNOISE_DIST_URL ? undefined : await serve(url, { "/": null, "/some/project/": { at: "/" } });
  const base = process.env.UNNOISE_DIST_URL ?? `${site.url}some/project/`;
  const astray = [];
  page.on("request", (request) => request.url().startsWith(base) || /^(data|blob):/.test(request.url()) || astray.push(request.url()));
  await useTinyModel(page);
  await pictures(page, LINK, base);
  expect(astray).toEqual([]);
  await site?.close();
});
