/** Data of one's own in the lab: drawn, pasted, taken from a picture; and how the lab says that they cannot be used. */

import { expect, test } from "@playwright/test";
import { lab, rests, shows } from "./lab.js";

const LINK = "#lab&data=moons&seed=0&view=forward&particles=200";
const fault = (page) => page.locator("#lab-fault-text");

async function tools(page) {
  await lab(page, LINK);
  await page.locator("#lab-own summary").click();
}

// Nothing plays by itself: the end is shown as soon as it is there.
test.use({ contextOptions: { reducedMotion: "reduce" } });

test("points that are drawn become the data, and go into the link", async ({ page, context }) => {
  await tools(page);
  const before = await shows(page);
  const pad = await page.locator("#lab-pad").boundingBox();
  const at = (x, y) => page.mouse.move(pad.x + x * pad.width, pad.y + y * pad.height, { steps: 12 });
  await at(0.2, 0.3);
  await page.mouse.down();
  await at(0.8, 0.3);
  await page.mouse.up();
  await page.getByRole("radio", { name: "Second component" }).check();
  await at(0.2, 0.7);
  await page.mouse.down();
  await at(0.8, 0.7);
  await page.mouse.up();
  await page.getByRole("button", { name: "Use the drawing" }).click();
  await expect(page.locator("#lab-data")).toHaveValue("own");
  await rests(page);
  await expect(page.locator("#lab-class option")).toHaveCount(3); // any, and the two that were drawn
  expect(page.url()).toMatch(/data=own.*points=[\w-]{40,}/);
  const drawn = await shows(page);
  expect(drawn).not.toEqual(before);
  const tab = await context.newPage();
  await lab(tab, new URL(page.url()).hash);
  expect(await shows(tab)).toEqual(drawn);
  // What came in the link lies on the pad, to be drawn on; it was rounded for the link.
  const inked = (page) => page.locator("#lab-pad").evaluate((pad) => pad.getContext("2d").getImageData(0, 0, pad.width, pad.height).data.reduce((sum, byte, i) => sum + (i % 4 === 3 && byte > 0), 0));
  expect(await inked(tab)).toBeGreaterThan(100);
  expect(Math.abs((await inked(tab)) - (await inked(page)))).toBeLessThan(0.1 * (await inked(page)));
  await tab.locator("#lab-pad-clear").click();
  await tab.locator("#lab-particles").fill("210");
  await tab.locator("#lab-particles").blur();
  await rests(tab);
  expect(await inked(tab)).toBe(0); // a pad that was cleared stays so
});

test("the keyboard draws too", async ({ page }) => {
  await tools(page);
  await page.locator("#lab-pad").focus();
  await page.keyboard.press("Space");
  for (let i = 0; i < 5; i++) await page.keyboard.press("ArrowRight");
  await page.keyboard.press("Shift+ArrowUp");
  await page.keyboard.press("Enter");
  await expect(page.locator("#lab-play")).toHaveAttribute("aria-pressed", "false"); // Space draws here, and plays elsewhere
  await page.getByRole("button", { name: "Use the drawing" }).click();
  await expect(page.locator("#lab-data")).toHaveValue("own");
  await rests(page);
  expect(page.url()).toMatch(/data=own.*points=[\w-]{20,}/);
});

test("an empty drawing is reported", async ({ page }) => {
  await tools(page);
  await page.getByRole("button", { name: "Use the drawing" }).click();
  await expect(fault(page)).toContainText("The pad is empty");
  await expect(page.locator("#lab-data")).toHaveValue("moons");
});

test("a pasted table becomes the data, and a bad line is named", async ({ page }) => {
  await tools(page);
  await page.locator("#lab-csv").fill("x,y\n1,2\nthree,4\n");
  await page.getByRole("button", { name: "Use the points" }).click();
  await expect(fault(page)).toContainText("Line 3");
  await expect(page.locator("#lab-data")).toHaveValue("moons");
  await page.locator("#lab-csv").fill("");
  await page.getByRole("button", { name: "Use the points" }).click();
  await expect(fault(page)).toContainText("There are no points in the text");
  await page.locator("#lab-csv").fill(Array.from({ length: 17 }, (_, i) => `${i},0,kind ${i}`).join("\n"));
  await page.getByRole("button", { name: "Use the points" }).click();
  await expect(fault(page)).toContainText("There are 17 different components, but at most 16 fit");
  await page.locator("#lab-csv").fill(Array.from({ length: 2001 }, (_, i) => `${i},0`).join("\n"));
  await page.getByRole("button", { name: "Use the points" }).click();
  await expect(fault(page)).toContainText("There are 2001 points, but at most 2000 fit");
  await page.locator("#lab-csv").fill("x,y,kind\n1,2,0\n3,4,1\n5,1,1\n");
  await page.getByRole("button", { name: "Use the points" }).click();
  await expect(page.locator("#lab-data")).toHaveValue("own");
  await rests(page);
  await expect(page.locator("#lab-fault")).toBeHidden();
});

test("a picture becomes the data, and a file that is none is reported", async ({ page }) => {
  await tools(page);
  await page.locator("#lab-picture").setInputFiles({ name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("no picture") });
  await expect(fault(page)).toContainText("notes.txt is no picture");
  const square = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(60, 40);
    const context = canvas.getContext("2d");
    context.fillRect(20, 10, 20, 20);
    const bytes = new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer());
    return [...bytes];
  });
  await page.locator("#lab-picture").setInputFiles({ name: "square.png", mimeType: "image/png", buffer: Buffer.from(square) });
  await expect(page.locator("#lab-data")).toHaveValue("own");
  await rests(page);
});

test("a link to data of one's own without points is reported", async ({ page }) => {
  await page.goto("./#lab&data=own&seed=0");
  await expect(page.locator("#lab-notices, #lab-fault").filter({ hasText: /points/ }).first()).toBeVisible();
});
