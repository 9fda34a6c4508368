/** A run that begins with a picture, and keeps a part of it. */

import { expect, test } from "@playwright/test";
import { card, difference, hash, link, modelFiles, pictures, pixels, runAgain, says, useModels, useTinyModel, visit } from "./page.js";

const LINK = link({ steps: 4, images: 1, guidance: 1 });
const open = (page) => page.locator("#start > summary").click();

/** A picture file as a browser makes one: `colour` at the left half, black at the right. */
const file = (page, colour = "#fff") =>
  page.evaluate(async (colour) => {
    const canvas = new OffscreenCanvas(64, 64);
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, 64, 64);
    context.fillStyle = colour;
    context.fillRect(0, 0, 32, 64);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  }, colour);

/** What stays of the start picture, pixel by pixel: those are orange, the others grey. */
const kept = (page) =>
  page.locator("#start-picture").evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return Array.from({ length: data.length / 4 }, (_, p) => data[4 * p] !== data[4 * p + 2]);
  });

const count = (flags) => flags.filter(Boolean).length;

/** Where in the window a place of the start picture is, as fractions of it. */
async function at(page, x, y) {
  const canvas = page.locator("#start-picture");
  await canvas.scrollIntoViewIfNeeded();
  const box = await canvas.boundingBox();
  return [box.x + x * box.width, box.y + y * box.height];
}

test.beforeEach(async ({ page }) => {
  await useTinyModel(page);
});

test("a file becomes the start, and the strength says how much of it is left", async ({ page }) => {
  await pictures(page, LINK);
  const plain = await pixels(page, "#noisy");
  await open(page);
  await expect(page.locator("#strength")).toBeHidden();
  await page.locator("#start-file").setInputFiles({ name: "half.png", mimeType: "image/png", buffer: Buffer.from(await file(page)) });
  await expect(page.locator("#start-note")).toHaveText("The run begins with this picture under noise.");
  await expect(page.locator("#strength")).toHaveValue("0.6");
  expect(hash(page)).toContain("strength=0.6");
  const shown = await pixels(page, "#start-picture");
  const grey = Buffer.from(shown, "base64");
  expect([grey[0], grey[grey.length - 4]]).toEqual([255, 0]); // white at the left, black at the right

  await page.locator("#strength").fill("0.25");
  await runAgain(page);
  const little = await pixels(page, "#noisy");
  expect(difference(little, plain)).toBeGreaterThan(20);
  await expect(page.locator("#place")).toContainText("of 1"); // a quarter of four steps
  await page.locator("#strength").fill("1");
  await runAgain(page);
  expect(hash(page)).not.toContain("strength");

  await page.locator("#start-remove").click();
  await expect(page.locator("#start-note")).toContainText("Choose a file");
  await expect(page.locator("#strength")).toBeHidden();
  await runAgain(page);
  expect(difference(await pixels(page, "#noisy"), plain)).toBe(0);
});

for (const [name, background, shade] of [["black where its card says nothing", undefined, 0], ["its card's background", [255, 255, 255], 255]]) {
  test(`what is transparent lies on the model's background: ${name}`, async ({ page }) => {
    await page.unrouteAll();
    await useModels(page, { tiny: modelFiles("models/selftest", card("Tiny", background ? { background } : {})) });
    await pictures(page, LINK);
    await open(page);
    const clear = await page.evaluate(async () => {
      const canvas = new OffscreenCanvas(64, 64);
      const context = canvas.getContext("2d");
      context.fillStyle = "#808080";
      context.fillRect(0, 0, 32, 64); // and nothing at the right
      return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
    });
    await page.locator("#start-file").setInputFiles({ name: "clear.png", mimeType: "image/png", buffer: Buffer.from(clear) });
    await expect(page.locator("#start-picture")).toBeVisible();
    const shown = Buffer.from(await pixels(page, "#start-picture"), "base64");
    expect(Math.abs(shown[0] - 128)).toBeLessThanOrEqual(1);
    expect(shown[shown.length - 4]).toBe(shade);
  });
}

test("a picture dropped anywhere on the page becomes the start", async ({ page }) => {
  await pictures(page, LINK);
  const bytes = await file(page);
  const transfer = await page.evaluateHandle((bytes) => {
    const transfer = new DataTransfer();
    transfer.items.add(new File([new Uint8Array(bytes)], "dropped.png", { type: "image/png" }));
    return transfer;
  }, bytes);
  await page.dispatchEvent("footer", "dragover", { dataTransfer: transfer });
  await expect(page.locator("html")).toHaveClass("dropping");
  await page.dispatchEvent("footer", "drop", { dataTransfer: transfer });
  await expect(page.locator("html")).not.toHaveClass("dropping");
  await expect(page.locator("#start")).toHaveAttribute("open");
  await expect(page.locator("#start-picture")).toBeVisible();
});

test("a file that is no picture is reported, and a good one mends it", async ({ page }) => {
  await pictures(page, LINK);
  await open(page);
  await page.locator("#start-file").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
  await expect(page.locator("#fault-text")).toHaveText("notes.txt is no picture that this browser can read; choose a PNG, JPEG or WebP.");
  await expect(page.locator("#start-picture")).toBeHidden();
  await page.locator("#start-file").setInputFiles({ name: "half.png", mimeType: "image/png", buffer: Buffer.from(await file(page)) });
  await expect(page.locator("#start-picture")).toBeVisible();
  await expect(page.locator("#fault")).toBeHidden();
});

test("a picture of the stage can be taken, the one that was clicked", async ({ page }) => {
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  await open(page);
  await expect(page.locator("#start-take")).toBeDisabled(); // there is none yet
  await pictures(page, link({ steps: 4, images: 4, guidance: 1 }));
  const sheet = page.locator("#noisy");
  const { width, height } = await sheet.evaluate(({ width, height }) => ({ width, height }));
  const { width: wide, height: high } = await sheet.boundingBox();
  await sheet.click({ position: { x: 0.75 * wide, y: 0.75 * high } });
  await page.keyboard.press("Escape"); // it is shown large, and stays picked
  await expect(page.locator("#pointed")).toContainText("image 4");
  // Others are passed on the way to the button.
  await sheet.hover({ position: { x: 0.75 * wide, y: 0.25 * high } });
  await expect(page.locator("#pointed")).toContainText("image 2");
  await page.locator("#start-take").click();
  await expect(page.locator("#pointed")).toContainText("image 4");
  const taken = Buffer.from(await pixels(page, "#start-picture"), "base64");
  const stage = Buffer.from(await pixels(page, "#noisy"), "base64");
  const side = Math.sqrt(taken.length / 4);
  for (let y = 0; y < side; y++) {
    const from = ((height - side + y) * width + width - side) * 4;
    expect(taken.subarray(y * side * 4, (y + 1) * side * 4).equals(stage.subarray(from, from + side * 4))).toBe(true);
  }
});

test("a part is painted to stay by mouse, and painted again to go", async ({ page }) => {
  await pictures(page, LINK);
  await open(page);
  await page.locator("#start-take").click();
  expect(count(await kept(page))).toBe(0);
  const draw = async () => {
    await page.mouse.move(...(await at(page, 0.1, 0.5)));
    await page.mouse.down();
    await page.mouse.move(...(await at(page, 0.9, 0.5))); // in one go: the line between must not have gaps
    await page.mouse.up();
  };
  await draw();
  const flags = await kept(page);
  const side = Math.sqrt(flags.length);
  const middle = flags.slice(Math.floor(side / 2) * side, (Math.floor(side / 2) + 1) * side);
  expect(count(middle.slice(1, -1))).toBe(side - 2);
  expect(flags[0]).toBe(false);
  await expect(page.locator("#start-note")).toContainText("What is orange stays");
  await draw();
  expect(count(await kept(page))).toBe(0);
  await expect(page.locator("#start-note")).toContainText("The run begins with this picture");
});

test("the part that stays is inverted, taken back, and painted with a brush of another size", async ({ page }) => {
  await pictures(page, LINK);
  await open(page);
  await page.locator("#start-take").click();
  await expect(page.locator("#start-undo")).toBeDisabled();
  await expect(page.locator("#start-seams")).toBeHidden();
  const dot = async () => {
    await page.mouse.move(...(await at(page, 0.5, 0.5)));
    await page.mouse.down();
    await page.mouse.up();
  };
  await page.locator("#start-brush").fill("1");
  await dot();
  const fine = count(await kept(page));
  await page.locator("#start-undo").click();
  expect(count(await kept(page))).toBe(0);
  await expect(page.locator("#start-undo")).toBeDisabled();
  await page.locator("#start-brush").fill("50");
  await dot();
  const flags = await kept(page);
  expect(count(flags)).toBeGreaterThan(3 * fine);
  await page.locator("#start-invert").click();
  expect(await kept(page)).toEqual(flags.map((flag) => !flag));
  await page.locator("#start-undo").click();
  expect(await kept(page)).toEqual(flags);
  await page.locator("#start-repaint").click();
  expect(hash(page)).toContain("sampler=repaint");
});

test("what stays is left as it was, and the rest is made anew", async ({ page }) => {
  await pictures(page, LINK);
  await open(page);
  await page.locator("#start-file").setInputFiles({ name: "grey.png", mimeType: "image/png", buffer: Buffer.from(await file(page, "#888")) });
  const before = Buffer.from(await pixels(page, "#start-picture"), "base64");
  // The buttons do for a keyboard what the brush does for a hand.
  await page.locator("[data-keep=right]").focus();
  await page.keyboard.press("Enter");
  const flags = await kept(page);
  expect(count(flags)).toBe(flags.length / 2);
  await page.locator("#strength").fill("1");
  await runAgain(page);
  const after = Buffer.from(await pixels(page, "#noisy"), "base64");
  const off = flags.map((_, p) => Math.abs(after[4 * p] - before[4 * p]));
  expect(Math.max(...off.filter((_, p) => flags[p]))).toBeLessThanOrEqual(1); // a rounding
  expect(Math.max(...off.filter((_, p) => !flags[p]))).toBeGreaterThan(60);
  for (const [part, share] of [["top", 0.5], ["bottom", 0.5], ["left", 0.5], ["none", 0]]) {
    await page.locator(`[data-keep=${part}]`).click();
    expect(count(await kept(page))).toBe(share * flags.length);
  }
});

test("a finger paints too, without scrolling the page", async ({ browser, baseURL }) => {
  const phone = { viewport: { width: 390, height: 800 }, hasTouch: true, isMobile: true };
  const page = await browser.newPage({ ...phone, baseURL, locale: "en-GB" });
  await useTinyModel(page);
  await pictures(page, LINK);
  await page.locator("#start > summary").tap();
  await page.locator("#start-take").tap();
  const [from, to] = [await at(page, 0.5, 0.1), await at(page, 0.5, 0.9)];
  const scrolled = await page.evaluate(() => scrollY);
  const touch = await page.context().newCDPSession(page);
  const send = (type, points) => touch.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  await send("touchStart", [from]);
  await send("touchMove", [[from[0], (from[1] + to[1]) / 2]]);
  await send("touchMove", [to]);
  await send("touchEnd", []);
  const flags = await kept(page);
  const side = Math.sqrt(flags.length);
  expect(count(flags.filter((_, p) => p % side === Math.floor(side / 2)))).toBeGreaterThanOrEqual(side - 2);
  expect(await page.evaluate(() => scrollY)).toBe(scrolled);
  expect(await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)).toBe(0);
  await page.close();
});

/** Another tab at the address that Share gives. */
async function follow(page, context) {
  await page.locator("#share").click();
  await expect(page.locator("#shared-text")).toHaveText("Link copied.");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  const other = await context.newPage();
  await useTinyModel(other);
  return { other, copied };
}

test("a link carries the start picture and the part that stays, and draws the same pictures", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await pictures(page, LINK);
  await open(page);
  await page.locator("#start-file").setInputFiles({ name: "half.png", mimeType: "image/png", buffer: Buffer.from(await file(page)) });
  await page.locator("[data-keep=left]").click();
  await page.locator("#strength").fill("1"); // inpainting alone: no strength tells of the picture
  await runAgain(page);
  await expect(page.locator("#changed")).toBeEmpty();
  const drawn = await pixels(page, "#noisy");
  const { other, copied } = await follow(page, context);
  expect(copied).toContain("&start=");
  expect(copied).not.toContain("strength");
  expect(copied.length).toBeLessThan(500); // 12×12 pixels and a bit for each
  await pictures(other, copied, "");
  expect(await pixels(other, "#noisy")).toBe(drawn);
  await expect(other.locator("#start")).toHaveAttribute("open");
  expect(await pixels(other, "#start-picture")).toBe(await pixels(page, "#start-picture"));
  await expect(other.locator("#changed")).toBeEmpty();
  await expect(other.locator("#notices")).toBeEmpty();

  // Another part is another run.
  await page.locator("[data-keep=right]").click();
  await expect(page.locator("#changed")).toHaveText("Settings changed: press Run");
  await page.locator("[data-keep=left]").click();
  await expect(page.locator("#changed")).toBeEmpty();
  await page.locator("#start-remove").click();
  expect(hash(page)).not.toMatch(/strength|start/);
});

for (const [what, changes] of [
  ["a strength and no picture", { strength: 0.6 }],
  ["a picture that was too large for it", { start: "asked" }],
  ["a broken picture", { start: "DAwBAAAA" }],
  ["a picture of another size", { start: "AQEB_w" }],
]) {
  test(`a link with ${what} asks for one, and does not run from noise`, async ({ page }) => {
    await visit(page, link({ steps: 4, images: 1, guidance: 1, ...changes }));
    await says(page, "ready");
    await expect(page.locator("#fault-text")).toHaveText("This run begins with a picture that the link does not carry. Choose one, or run from noise.");
    await expect(page.locator("#place")).toBeEmpty();
    await expect(page.locator("#notices .notice")).toHaveCount(changes.start === "DAwBAAAA" ? 1 : 0);
    await page.locator("#run").click(); // asks again
    await expect(page.locator("#fault")).toBeVisible();
    await expect(page.locator("#place")).toBeEmpty();
    const choosing = page.waitForEvent("filechooser");
    await page.locator("#fault-actions").getByRole("button", { name: "Choose a file…" }).click();
    await (await choosing).setFiles({ name: "half.png", mimeType: "image/png", buffer: Buffer.from(await file(page)) });
    await expect(page.locator("#fault")).toBeHidden();
    await runAgain(page);
    const begun = await pixels(page, "#noisy");
    await visit(page, link({ steps: 4, images: 1, guidance: 1, seed: 4, ...changes }));
    await says(page, "ready");
    await page.getByRole("button", { name: "Run from noise" }).click();
    await says(page, "done");
    expect(hash(page)).toBe(link({ steps: 4, images: 1, guidance: 1, seed: 4 }));
    expect(difference(await pixels(page, "#noisy"), begun)).toBeGreaterThan(20);
  });
}

test("a picture too large for a link is asked for by whoever opens it", async ({ page }) => {
  await visit(page, LINK);
  const written = await page.evaluate(async () => {
    const { read_start, write_start } = await import(new URL("pkg/index.js", location.href).href);
    const size = { channels: 3, height: 64, width: 64 };
    const kept = read_start(write_start(new Uint8Array([1, 2, 3, 4]), new Uint8Array([0, 255, 0, 255]), { channels: 1, height: 2, width: 2 }));
    return { large: write_start(new Uint8Array(64 * 64 * 3), undefined, size), picture: [...kept.picture], mask: [...kept.mask], none: read_start("noise") };
  });
  expect(written).toEqual({ large: "asked", picture: [1, 2, 3, 4], mask: [0, 255, 0, 255], none: undefined });
});

test("a picture too strongly kept for its steps is refused in a sentence, and one kept entirely stays", async ({ page }) => {
  await pictures(page, LINK);
  await open(page);
  await page.locator("#start-take").click();
  await page.locator("#strength").fill("0.01");
  await page.locator("#run").click();
  await expect(page.locator("#fault-text")).toContainText("no step is left to change the picture");
  await says(page, "failed.run");
  await page.locator("#strength").fill("0");
  await runAgain(page);
  await expect(page.locator("#fault")).toBeHidden();
  await expect(page.locator("#place")).toContainText("Step 0");
});
