/** The forward process on a picture: its points, its chain, what the network makes of them, and the run back from any of them. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { unnoise } from "./cli.js";
import { card, decode, difference, given, hash, link, modelFiles, pictures, pixels, says, scrub, useModels, useTinyModel, visit } from "./page.js";

const LINK = link({ steps: 4, images: 1, guidance: 1, class: 1 });
const dialog = (page) => page.locator("#forward-dialog");
const step = (page) => page.locator("#forward-step");
const move = (page, at) => page.locator("#forward-slider").fill(String(at));
const numbers = (page) => page.locator("#forward-numbers dd").allTextContents();

/** A picture file as a browser makes one: white at the left half, black at the right. */
const file = (page) =>
  page.evaluate(async () => {
    const canvas = new OffscreenCanvas(24, 24);
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, 24, 24);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, 12, 24);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  });

/** Opens the view with a file as its picture, and waits until every level is there. */
async function open(page) {
  await page.locator("#start > summary").click();
  await page.locator("#start-forward").click();
  await expect(page.locator("#forward-none")).toBeVisible();
  await page.locator("#start-file").setInputFiles({ name: "half.png", mimeType: "image/png", buffer: Buffer.from(await file(page)) });
  await expect(step(page)).toHaveText("level 2 of 4");
}

test.describe("of the tiny model", () => {
  test.beforeEach(async ({ page }) => {
    await useTinyModel(page);
    await pictures(page, LINK);
  });

  test("a picture fades into noise, by the closed form and by the chain, and the numbers say how far", async ({ page }) => {
    await open(page);
    await move(page, 0);
    expect(await pixels(page, "#forward-x")).toBe(await pixels(page, "#start-picture"));
    expect(await pixels(page, "#forward-chain")).toBe(await pixels(page, "#start-picture"));
    expect((await numbers(page)).slice(1, 5)).toEqual(["1", "0", "∞", "–"]);
    await expect(page.locator("#forward-back")).toBeDisabled();
    await move(page, 1);
    expect(difference(await pixels(page, "#forward-x"), await pixels(page, "#forward-chain"))).toBeGreaterThan(20);
    const [, alpha, sigma, , nats, bits, error] = (await numbers(page)).map(Number);
    expect(alpha ** 2 + sigma ** 2).toBeCloseTo(1, 2);
    // 144 pixels, and a bit is ln 2 nats.
    expect(bits).toBeCloseTo(nats / (144 * Math.LN2), 2);
    expect(error).toBeGreaterThan(0);
    expect(await page.locator("#forward-plot path").count()).toBe(3);
  });

  test("the noisiest level alone has L_T, by its formula", async ({ page }) => {
    await open(page);
    const prior = page.locator("#forward-numbers dt", { hasText: "L_T = KL" });
    await expect(prior).toHaveCount(0);
    await move(page, 0);
    const bytes = Buffer.from(await pixels(page, "#forward-x"), "base64").filter((_, i) => i % 4 === 0);
    const square = bytes.reduce((sum, byte) => sum + (byte / 127.5 - 1) ** 2, 0);
    await move(page, 4);
    await expect(prior).toHaveCount(1);
    const [log_snr, bits] = [3, 7].map((i) => async () => Number((await numbers(page))[i].replaceAll("−", "-")));
    // Where alpha^2 + sigma^2 = 1 the variance divided by the noise's is q = sigma^2.
    const n = bytes.length;
    const q = 1 / (1 + Math.exp(await log_snr()));
    const nats = 0.5 * (n * (q - 1 - Math.log(q)) + (1 - q) * square);
    expect((await bits()) / (nats / (n * Math.LN2))).toBeCloseTo(1, 2); // of three digits
  });

  for (const at of [1, 3]) {
    test(`the run back from level ${at} begins at the very point that was shown`, async ({ page }) => {
      await open(page);
      await move(page, at);
      const [point, estimate] = [await pixels(page, "#forward-x"), await pixels(page, "#forward-denoised")];
      await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
      await page.locator("#forward-back").click();
      await expect(dialog(page)).toBeHidden();
      await says(page, "done");
      await scrub(page, 0);
      expect(await pixels(page, "#noisy")).toBe(point);
      await scrub(page, 1);
      expect(await pixels(page, "#guess")).toBe(estimate);
      expect(Number(given(page).strength)).toBe(at / 4);
    });
  }

  test("a link opens the view at its level, with its picture and without a run", async ({ page, context }) => {
    await open(page);
    await move(page, 3);
    await expect.poll(() => given(page).show).toBe("forward:3");
    const point = await pixels(page, "#forward-x");
    const other = await context.newPage();
    await useTinyModel(other);
    await visit(other, hash(page));
    await expect(step(other)).toHaveText("level 3 of 4");
    expect(await pixels(other, "#forward-x")).toBe(point);
    await says(other, "ready");
    await other.keyboard.press("Escape");
    await expect.poll(() => given(other).show).toBe(undefined);
  });

  test("a picture of the run can be taken, from where it is shown large", async ({ page }) => {
    await page.locator("#picker").press("Enter");
    const large = await pixels(page, "#large-picture");
    await page.locator("#large-start").click();
    await expect(page.locator("#large-dialog")).toBeHidden();
    await expect(step(page)).toHaveText("level 2 of 4");
    await page.locator("#forward-slider").press("Home");
    expect(await pixels(page, "#forward-x")).toBe(large);
  });

  test("axe-core finds nothing", async ({ page }) => {
    test.setTimeout(120_000);
    await open(page);
    expect(await everywhere(page)).toEqual([]);
  });
});

test("test pictures stand on a shelf, and one that is taken says its class", async ({ page }) => {
  await visit(page);
  const sheet = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(24, 12);
    const context = canvas.getContext("2d");
    context.fillStyle = "#808080";
    context.fillRect(0, 0, 12, 12);
    context.fillStyle = "#fff";
    context.fillRect(12, 0, 12, 12);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  });
  const list = { source: "nowhere", columns: 2, pictures: [{ class: 0 }, { class: 1 }] };
  const files = { ...modelFiles("models/selftest", card("Tiny")), "pictures.json": Buffer.from(JSON.stringify(list)), "pictures.png": Buffer.from(sheet) };
  await useModels(page, { tiny: files });
  await page.reload();
  await pictures(page, link({ steps: 3, images: 1, class: 0 }));
  await page.locator("#start > summary").click();
  await page.locator("#start-forward").click();
  await page.getByRole("option", { name: "test picture 1 · first" }).focus();
  await page.keyboard.press("ArrowRight");
  await expect(page.getByRole("option", { name: "test picture 2 · second" })).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(step(page)).toHaveText("level 2 of 3");
  await move(page, 0);
  const bytes = Buffer.from(await pixels(page, "#forward-x"), "base64");
  expect([...new Set(bytes)]).toEqual([255]);
  expect(given(page).class).toBe("1");
  await expect(page.locator("#forward-source")).toHaveText("From nowhere.");
});

test("the run back is that of the command line", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await visit(page, link({ model: "mnist", steps: 4, images: 1, class: "all" }));
  await says(page, "done");
  await page.locator("#start > summary").click();
  await page.locator("#start-forward").click();
  await page.getByRole("option", { name: "test picture 4 · Three" }).click();
  await expect(step(page)).toHaveText("level 2 of 4");
  await page.locator("#status").evaluate((element) => (element.dataset.i18n = "before"));
  await page.locator("#forward-back").click();
  await says(page, "done");
  const out = info.outputPath("native.png");
  unnoise("sample", "--link", hash(page), "--out", out);
  const native = await decode(page, readFileSync(out));
  const drawn = Buffer.from(await pixels(page, "#noisy"), "base64");
  // Both run the same Rust, but another width of SIMD adds in another order, which may move a rounding.
  expect(difference(drawn.toString("base64"), Buffer.from(native.data).toString("base64"))).toBeLessThanOrEqual(1);
});
