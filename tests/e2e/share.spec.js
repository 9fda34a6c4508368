/** All ways of sharing a run: link, QR code, summary, code for another page; the system's own on a phone. */

import { expect, test } from "@playwright/test";
import jsQR from "jsqr";
import { everywhere } from "./axe.js";
import { url } from "./browser.js";
import { link, pictures, pixels, print, useTinyModel } from "./page.js";

const PHONE = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, baseURL: url, locale: "en-GB" };
const dialog = (page) => page.locator("#sharing-dialog");

async function open(page) {
  await page.locator("#share").click();
  await page.getByRole("button", { name: "QR code, summary, embed…" }).click();
  await expect(dialog(page)).toBeVisible();
}

/** What a reader of QR codes reads on the dialog. */
async function read(page) {
  const size = await dialog(page).locator(".code").evaluate(({ width }) => width);
  return jsQR(new Uint8ClampedArray(Buffer.from(await pixels(page, "#sharing-dialog .code"), "base64")), size, size)?.data;
}

test("the code, the summary and the link say the run on show, and draw it elsewhere", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await useTinyModel(page);
  await pictures(page, link());
  const drawn = await print(page, "#noisy");
  await page.locator("#seed").fill("99"); // set and not run
  await page.locator("#seed").blur();
  await open(page);
  const address = url + link();
  await expect(page.locator("#sharing-address")).toHaveValue(address);
  expect(await read(page)).toBe(address);
  await expect(page.locator("#sharing-summary")).toHaveValue(`Tiny: DDIM, 3 steps, 2 images, seed 3\n${address}`);
  await dialog(page).getByRole("button", { name: "Copy summary" }).click();
  await expect(dialog(page)).toContainText("Copied.");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`Tiny: DDIM, 3 steps, 2 images, seed 3\n${address}`);
  // The code for another page draws the same pictures there.
  const snippet = await page.locator("#sharing-embed").inputValue();
  const other = await context.newPage(); // whose policy, unlike the page's, lets a text be parsed
  const src = await other.evaluate((html) => new DOMParser().parseFromString(html, "text/html").querySelector("iframe").src, snippet);
  await useTinyModel(other);
  await pictures(other, src, "");
  expect(await print(other, "#noisy")).toBe(drawn);
  await expect(other.locator("#controls #steps")).toBeHidden();
});

test("the summary is in the language of the page", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  await page.getByRole("button", { name: "中文" }).click();
  await page.locator("#share").click();
  await page.locator("#share-more").click();
  await expect(page.locator("#sharing-summary")).toHaveValue(/^Tiny（中）：DDIM，3 步，2 张图像，种子 3\n/);
  await expect(page.locator("#sharing-embed")).toHaveValue(/lang=zh/);
});

test("a link that is too long for a code says so, and where the clipboard is closed texts are selected", async ({ page }) => {
  await page.addInitScript(() => Object.defineProperty(navigator, "clipboard", { value: undefined })); // as over plain http
  await useTinyModel(page);
  await pictures(page, link());
  await page.evaluate(async () => {
    const { open } = await import(new URL("www/share-dialog.js", document.baseURI).href);
    open({ address: `${location.origin}/#prompt=${"a".repeat(3000)}`, settings: { sampler: "ddim", steps: 3, images: 1, seed: 1 }, name: { en: "Tiny" } });
  });
  await expect(dialog(page)).toContainText("This link is too long for a QR code.");
  await dialog(page).getByRole("button", { name: "Copy link" }).click();
  await expect(dialog(page)).toContainText("copy it by hand");
  expect(await page.locator("#sharing-address").evaluate((field) => field.selectionEnd - field.selectionStart)).toBeGreaterThan(3000);
});

test("a phone shares by its own means, and a person may think better of it", async ({ browser }) => {
  const page = await browser.newPage(PHONE);
  await page.addInitScript(() => {
    window.handed = [];
    navigator.share = async (given) => {
      window.handed.push(given);
      if (window.handed.length > 1) throw new DOMException("no", "AbortError");
    };
  });
  await useTinyModel(page);
  await pictures(page, link());
  for (const times of [1, 2]) {
    await page.locator("#share").tap();
    await expect.poll(() => page.evaluate(() => window.handed.length)).toBe(times);
  }
  expect(await page.evaluate(() => window.handed[0])).toEqual({ title: "unnoise", text: "Tiny: DDIM, 3 steps, 2 images, seed 3", url: url + link() });
  await expect(page.locator("#link")).toBeHidden();
  await page.close();
});

for (const [what, clipboard] of [["the confirmation", { writeText: "done" }], ["the link, where the clipboard is denied,", undefined]]) {
  test(`on a phone ${what} is in sight above the buttons, wherever the page was scrolled to`, async ({ browser }) => {
    const page = await browser.newPage(PHONE);
    await page.addInitScript((clipboard) => Object.defineProperty(navigator, "clipboard", { value: clipboard && { writeText: async () => {} } }), clipboard);
    await page.addInitScript(() => delete Navigator.prototype.share);
    await useTinyModel(page);
    await pictures(page, link());
    for (const place of [0, 100_000]) {
      await page.evaluate((y) => scrollTo(0, y), place);
      await page.locator("#share").tap();
      const said = page.locator("#shared");
      await expect(said).toBeInViewport({ ratio: 1 });
      const [box, bar] = [await said.boundingBox(), await page.locator("#controls .actions").boundingBox()];
      expect(box.y + box.height).toBeLessThanOrEqual(bar.y);
      if (!clipboard) {
        await expect(page.locator("#link")).toHaveValue(url + link());
        expect(await page.locator("#link").evaluate((field) => field.selectionEnd)).toBeGreaterThan(20);
      }
      await page.locator("#share-close").tap();
      await expect(said).toBeHidden();
    }
    await page.close();
  });
}

test("the dialog is without violations in both languages", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  await open(page);
  expect(await everywhere(page)).toEqual([]);
});
