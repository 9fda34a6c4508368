/** The lab as a view of the page: getting there, watching, scrubbing, sharing, the tour, both languages, the keyboard. */

import { expect, test } from "@playwright/test";
import { url } from "./browser.js";
import { lab, rests, shows, turn } from "./lab.js";
import { pictures, useTinyModel } from "./page.js";

const LINK = "#lab&data=moons&seed=3&pane1=heun~12&pane2=ddpm~20&particles=200";

// Nothing plays by itself: the end is shown as soon as it is there.
test.use({ contextOptions: { reducedMotion: "reduce" } });

test("a page opened at the lab starts no picture engine and fetches no model of pictures", async ({ page }) => {
  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await lab(page, "#lab");
  expect(asked.filter((address) => /models\/(?!lab\/)|www\/pictures\.js|webgpu/.test(address))).toEqual([]);
  await expect(page.locator("#pictures")).toBeHidden();
});

test("a first visit shows something that moves", async ({ page }) => {
  await page.emulateMedia({ reducedMotion: "no-preference" });
  await page.goto("./#lab");
  await expect(page.locator(".pane")).toHaveCount(2);
  await expect.poll(() => page.locator("#lab-slider").inputValue().then(Number)).toBeGreaterThan(0.1);
  const one = await shows(page);
  await expect.poll(() => shows(page)).not.toEqual(one);
  await rests(page);
  await expect(page.locator("#lab-slider")).toHaveValue("1");
});

test("where motion is unwelcome, the end is shown at once", async ({ page }) => {
  await lab(page, LINK);
  await expect(page.locator("#lab-slider")).toHaveValue("1");
  await expect(page.locator(".pane .figures").first()).toContainText("step 12 of 12");
});

test("one goes from the pictures to the lab and back, and both stay as they are", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, "#model=tiny&sampler=ddim&steps=4&seed=1&images=1&backend=cpu");
  await page.getByRole("link", { name: "2-D lab" }).click();
  await rests(page);
  await page.locator("#lab-data").selectOption("ring");
  await rests(page);
  await page.getByRole("link", { name: "Pictures" }).click();
  await expect(page.locator("#place")).toContainText("Step 4 of 4");
  await page.goBack();
  await expect(page.locator("#lab-data")).toHaveValue("ring");
  expect(page.url()).toContain("data=ring");
});

test("the clock goes both ways, and the same place is the same picture", async ({ page }) => {
  await lab(page, LINK);
  const end = await shows(page);
  await turn(page, 0.5);
  const middle = await shows(page);
  expect(middle[0]).not.toBe(end[0]);
  expect(middle[0]).toMatch(/step [56] of 12/);
  await turn(page, 0);
  const [one, other] = (await shows(page)).map((pane) => pane.split(" ")[0]);
  await turn(page, 0.5);
  expect(await shows(page)).toEqual(middle);
  expect(page.url()).toContain("clock=0.5");
  expect(one).not.toBe(middle[0].split(" ")[0]);
  expect(other).toBeTruthy();
});

test("panes start from the same noise", async ({ page }) => {
  await lab(page, "#lab&data=moons&seed=3&pane1=ddim~12&pane2=ddim~12&pane3=ddpm~12&particles=200");
  const ends = (await shows(page)).map((pane) => pane.split(" ")[0]);
  expect(ends[0]).toBe(ends[1]);
  expect(ends[0]).not.toBe(ends[2]);
});

test("a link opened in a second tab shows the same", async ({ page, context }) => {
  await lab(page, `${LINK}&clock=0.4`);
  const here = await shows(page);
  await page.locator("#lab-share").click();
  await expect(page.locator("#lab-shared-text")).not.toBeEmpty();
  const tab = await context.newPage();
  await lab(tab, new URL(page.url()).hash);
  expect(await shows(tab)).toEqual(here);
  await tab.locator("#lab-seed").fill("4");
  await tab.locator("#lab-seed").blur();
  await rests(tab);
  await turn(tab, 0.4);
  expect(await shows(tab)).not.toEqual(here);
});

test("panes are added, changed and removed, and the link knows", async ({ page }) => {
  await lab(page, LINK);
  await page.locator("#lab-add").click();
  await rests(page);
  await expect(page.locator(".pane")).toHaveCount(3);
  await page.locator(".pane:nth-child(3) select").selectOption("ode");
  await rests(page);
  expect(page.url()).toContain("pane3=ode~20");
  await page.locator(".pane:nth-child(1)").getByRole("button", { name: "Remove this pane" }).click();
  await rests(page);
  await expect(page.locator(".pane")).toHaveCount(2);
  await page.reload();
  await rests(page);
  await expect(page.locator(".pane:nth-child(2) select")).toHaveValue("ode");
});

test("a link's bad values fall back, and each is named", async ({ page }) => {
  await lab(page, "#lab&data=cheese&seed=1&lr=NaN&pane1=ddim&guidance=99&tour=77");
  const notices = page.locator("#lab-notices");
  for (const said of ["data=cheese", "lr=NaN", "pane1=ddim", "guidance=99", "tour=77"]) await expect(notices).toContainText(`The link says ${said}`);
  await expect(page.locator(".pane")).toHaveCount(2);
});

test("a link whose first panes are empty shows those that are not", async ({ page }) => {
  await lab(page, "#lab&data=moons&seed=0&particles=100&pane1=none&pane2=ddpm~5&pane3=none&pane4=ddim~5");
  await expect(page.locator(".pane")).toHaveCount(2);
  for (const under of await page.locator(".pane > .figures").allTextContents()) expect(under).toContain("step 5 of 5");
  await expect(page.locator("#lab-fault")).toBeHidden();
});

test("who chooses a sampler with the keyboard stays at it", async ({ page }) => {
  await lab(page, LINK);
  const sampler = page.locator(".pane").nth(1).locator("select");
  await sampler.focus();
  await page.keyboard.press("ArrowDown");
  await rests(page);
  await expect(page.locator(".pane").nth(1).locator("select")).toBeFocused();
});

test("what is half typed when the engine answers stays", async ({ page }) => {
  await lab(page, LINK);
  await page.locator("#lab-seed").clear();
  await page.locator("#lab-seed").pressSequentially("45");
  await page.evaluate((hash) => (location.hash = hash), `${LINK}&field=exact`);
  await expect(page.locator("#lab-field")).toHaveValue("exact");
  await expect(page.locator("#lab-seed")).toHaveValue("45");
  await page.locator("#lab-seed").press("6");
  await page.locator("#lab-seed").press("Enter");
  await rests(page);
  expect(page.url()).toContain("seed=456");
});

test("a learning rate that is no number is refused in words, and nothing changes", async ({ page }) => {
  await lab(page, "#lab&data=moons&seed=0&particles=100&model=learned&pane1=ddim~5&pane2=ddpm~5");
  const before = page.url();
  await page.locator("#lab-network summary").click();
  for (const typed of ["NaN", "fast", "", "-1"]) {
    await page.locator("#lab-lr").fill(typed);
    await page.locator("#lab-lr").blur();
    await expect(page.locator("#lab-lr-refused")).toContainText(typed === "" ? "A number from 0.000001 to 1; until there is one, 0.001 stays." : `“${typed}” is no number from 0.000001 to 1; 0.001 stays.`);
    await expect(page.locator("#lab-lr")).toHaveAttribute("aria-invalid", "true");
  }
  expect(page.url()).toBe(before);
  await expect(page.locator("#lab-lr")).toHaveValue("-1"); // to be mended
  await page.locator("#lab-lr").fill("1e-4");
  await page.locator("#lab-lr").blur();
  await rests(page);
  await expect(page.locator("#lab-lr-refused")).toBeEmpty();
});

test("every stop of the tour opens, shows something and is a link", async ({ page }) => {
  test.setTimeout(300_000);
  await lab(page, "#lab");
  await page.locator("#lab-tour-start").click();
  for (let stop = 1; ; stop++) {
    await expect(page.locator("#lab-stop-title")).toHaveAttribute("data-i18n", `lab.tour.${stop}`);
    await rests(page);
    await expect(page.locator("#lab-fault")).toBeHidden();
    await expect(page.locator("#lab-notices")).toBeEmpty();
    expect(page.url()).toContain(`tour=${stop}`);
    await expect(page.locator("#lab .pane").first()).toBeVisible();
    if (await page.locator("#lab-tour-on").isHidden()) {
      expect(stop).toBe(12);
      break;
    }
    await page.locator("#lab-tour-on").click();
  }
  await page.getByRole("button", { name: "End the tour" }).click();
  await expect(page.locator("#lab-stop")).toBeHidden();
  expect(page.url()).not.toContain("tour=");
});

test("the keyboard plays, scrubs and chooses", async ({ page }) => {
  await lab(page, LINK);
  await page.locator("body").click({ position: { x: 5, y: 5 } });
  await page.keyboard.press("Home");
  await expect(page.locator("#lab-slider")).toHaveValue("0");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator("#lab-slider")).toHaveValue("0.02");
  await page.keyboard.press("Space");
  await expect(page.locator("#lab-play")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("Space");
  await expect(page.locator("#lab-play")).toHaveAttribute("aria-pressed", "false");
  await page.keyboard.press("End");
  await expect(page.locator("#lab-slider")).toHaveValue("1");
  await page.locator("[data-activity=forward]").focus();
  await page.keyboard.press("Enter");
  await rests(page);
  expect(page.url()).toContain("view=forward");
});

test("every control of the lab has a name", async ({ page }) => {
  await lab(page, LINK);
  const unnamed = await page.evaluate(() =>
    [...document.querySelectorAll("#lab :is(button, input, select, textarea, a, canvas[role=img], [role=slider])")]
      .filter((element) => !(element.labels?.length || element.getAttribute("aria-label") || element.textContent.trim()))
      .map((element) => element.outerHTML),
  );
  expect(unnamed).toEqual([]);
});

test("the whole lab speaks the other language", async ({ page }) => {
  await lab(page, `${LINK}&view=numbers&model=learned&tour=3&process=curve`);
  const texts = () =>
    page.evaluate(() =>
      [...document.querySelectorAll("#lab [data-i18n], #lab [data-i18n-html], #lab [data-i18n-label]")].map((element) => [
        element.dataset.i18n ?? element.dataset.i18nHtml ?? element.dataset.i18nLabel,
        element.dataset.i18n || element.dataset.i18nHtml ? element.textContent : (element.getAttribute("aria-label") ?? element.label),
      ]),
    );
  const english = await texts();
  await page.getByRole("button", { name: "中文" }).click();
  await expect(page.locator("html")).toHaveAttribute("lang", "zh-Hans");
  const chinese = await texts();
  expect(chinese.length).toBe(english.length);
  const same = english.filter(([key, text], i) => text === chinese[i][1] && /[a-z]{3}/i.test(text) && key !== "plain");
  expect(same).toEqual([]);
  for (const [key, text] of [...english, ...chinese]) expect(text, key).not.toMatch(/^lab\.|\{\w+\}/);
});

test("on a phone nothing sticks out", async ({ browser }) => {
  const phone = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 3, hasTouch: true, isMobile: true };
  const page = await browser.newPage({ ...phone, baseURL: url, locale: "en-GB" });
  for (const view of ["forward", "reverse", "anneal", "numbers", "latent", "discrete"]) {
    await lab(page, `#lab&data=moons&seed=0&particles=100&view=${view}&tour=1&pane1=ddim~5&pane2=ddpm~5&temperature=8_0.05_40`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(wide, view).toBe(0);
    await page.goto("about:blank");
  }
  await page.close();
});
