/** A start picture of another shape: cut where one wants it, with margins, or stretched; and how the run begins with it. */

import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { unnoise } from "./cli.js";
import { decode, difference, given, hash, link, pictures, pixels, runAgain, scrub, useTinyModel } from "./page.js";

/** A picture twice as wide as high, dark at the left and light at the right. */
const wide = (page) =>
  page.evaluate(async () => {
    const canvas = new OffscreenCanvas(80, 40);
    const context = canvas.getContext("2d");
    context.fillStyle = "#202020";
    context.fillRect(0, 0, 40, 40);
    context.fillStyle = "#e0e0e0";
    context.fillRect(40, 0, 40, 40);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  });

/** Takes that picture to start from. */
async function take(page) {
  const buffer = Buffer.from(await wide(page));
  await page.locator("#start").evaluate((details) => (details.open = true));
  await page.locator("#start-file").setInputFiles({ name: "wide.png", mimeType: "image/png", buffer });
  await expect(page.locator("#start-placing")).toBeVisible();
  return buffer;
}

/** The grey of a place of the start picture, across and down from 0 to 1. */
const grey = (page, across, down) =>
  page.locator("#start-picture").evaluate((canvas, [across, down]) => {
    const place = (share, side) => Math.min(Math.floor(share * side), side - 1);
    return canvas.getContext("2d").getImageData(place(across, canvas.width), place(down, canvas.height), 1, 1).data[0];
  }, [across, down]);

test("a wide picture is cut where it is to be, or has margins, or is stretched", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link({ images: 1 }));
  await take(page);
  expect([await grey(page, 0, 0.5), await grey(page, 1, 0.5)]).toEqual([0x20, 0xe0]);
  await page.locator("#placing-along").fill("0");
  // The filter of a picture that shrinks reaches over the cut by half a place.
  expect([await grey(page, 0, 0.5), await grey(page, 0.9, 0)]).toEqual([0x20, 0x20]);
  expect(given(page).placing).toBe("crop:0,0.5");
  await page.locator("#placing-along").fill("1");
  expect([await grey(page, 0.1, 0.5), await grey(page, 1, 0)]).toEqual([0xe0, 0xe0]);
  await page.locator("#placing").selectOption("margins");
  expect([await grey(page, 0, 0), await grey(page, 0, 0.5), await grey(page, 1, 0.5), await grey(page, 1, 1)]).toEqual([0, 0x20, 0xe0, 0]);
  await expect(page.locator("#placing-along")).toBeHidden();
  await page.locator("#placing").selectOption("stretch");
  expect([await grey(page, 0, 0), await grey(page, 1, 1)]).toEqual([0x20, 0xe0]);
  expect(given(page).placing).toBe("stretch");
  await page.locator("#start-remove").click();
  expect(given(page).placing).toBeUndefined();
});

test("the panel shows what the run begins with, at each strength", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link({ images: 1, steps: 8 }));
  await take(page);
  for (const strength of ["0.75", "0.25"]) {
    await page.locator("#strength").fill(strength);
    await page.locator("#strength").blur();
    await runAgain(page);
    await scrub(page, 0);
    const begun = await pixels(page, "#noisy");
    await expect.poll(() => pixels(page, "#start-noised"), { message: strength }).toBe(begun);
  }
  await page.locator("#start-remove").click();
  await expect(page.locator("#start-noised")).toBeHidden();
});

test("the command line cuts as the page does", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await pictures(page, link({ model: "mnist", images: 1, steps: 4 }));
  const buffer = await take(page);
  await page.locator("#placing-along").fill("0.2");
  await runAgain(page);
  const here = await pixels(page, "#noisy");
  const [image, out] = [info.outputPath("wide.png"), info.outputPath("out.png")];
  writeFileSync(image, buffer);
  const plain = hash(page).replace(/&start=[^&]*/, "&start=asked");
  unnoise("sample", "--link", plain, "--image", image, "--out", out);
  const there = await decode(page, readFileSync(out));
  // Of one engine in WebAssembly and the other compiled for this machine.
  expect(difference(here, Buffer.from(there.data).toString("base64"))).toBeLessThanOrEqual(1);
});

test("the panel has nothing for axe to find, at any width, in both languages", async ({ page }) => {
  test.setTimeout(240_000);
  await useTinyModel(page);
  await pictures(page, link({ images: 1 }));
  await take(page);
  await expect(page.locator("#start-noised")).toBeVisible();
  expect(await everywhere(page)).toEqual([]);
});
