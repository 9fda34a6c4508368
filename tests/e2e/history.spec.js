/** Finished runs stay: the strip, the browser's back and forward, the queue, and a reload in mid-run. */

import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { chromium, expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { launchOptions, url } from "./browser.js";
import { given, hash, link, mark, pictures, pixels, runAgain, says, type, useModels, useTinyModel, visit, card, modelFiles } from "./page.js";

const strip = (page) => page.locator("#history-list .kept");
const dialog = (page) => page.locator("#history-dialog");

/** Opens the run at this place of the strip. */
async function look(page, i) {
  await strip(page).nth(i).click();
  await expect(dialog(page)).toBeVisible();
}

/** Draws the link with these seeds, one after the other. @returns the pixels of each */
async function draw(page, seeds, changes = {}) {
  const drawn = [];
  await pictures(page, link({ ...changes, seed: seeds[0] }));
  drawn.push(await pixels(page, "#noisy"));
  for (const seed of seeds.slice(1)) {
    await type(page, "#seed", String(seed));
    await runAgain(page);
    drawn.push(await pixels(page, "#noisy"));
  }
  await expect(strip(page)).toHaveCount(seeds.length);
  return drawn;
}

test("a finished run is kept over a reload, is looked at, and is put back on the stage without being drawn", async ({ page }) => {
  await useTinyModel(page);
  const [first, second] = await draw(page, [3, 4]);
  expect(first).not.toBe(second);
  await visit(page, "#backend=cpu", `./?again`); // no run in this address
  await says(page, "ready");
  await expect(strip(page)).toHaveCount(2);
  await expect(strip(page).nth(1)).toHaveAttribute("aria-label", /^Tiny: DDIM, 3 steps, 2 images, seed 3, /);
  await look(page, 1);
  expect(await pixels(page, "#history-dialog canvas >> nth=0")).toBe(first);
  await dialog(page).getByRole("button", { name: "Restore" }).click();
  await expect(page.locator("#seed")).toHaveValue("3");
  expect(await pixels(page, "#noisy")).toBe(first);
  expect(given(page).seed).toBe("3");
  await says(page, "ready"); // nothing ran
  await expect(mark(page)).toBeEmpty();
  await expect(page.locator("#slider")).toBeDisabled();
  await runAgain(page);
  expect(await pixels(page, "#noisy")).toBe(first);
});

test("two kept runs are compared in their pictures and in their settings", async ({ page }) => {
  await useTinyModel(page);
  await draw(page, [3, 4]);
  await look(page, 0);
  await page.locator("#history-other").selectOption({ index: 1 });
  await expect(dialog(page).locator(".hint[role=status]").last()).toHaveText(/^RMS difference 0\.\d+ \(black to white is 1\)\. Seed: 4 → 3$/);
  await expect(dialog(page).locator("canvas").nth(2)).toBeVisible();
});

test("back and forward walk through runs, and show them as they were", async ({ page }) => {
  await useTinyModel(page);
  const [first, second] = await draw(page, [3, 4]);
  await page.goBack();
  await expect(page.locator("#seed")).toHaveValue("3");
  await expect.poll(() => pixels(page, "#noisy")).toBe(first);
  expect(given(page).seed).toBe("3");
  await page.goForward();
  await expect(page.locator("#seed")).toHaveValue("4");
  await expect.poll(() => pixels(page, "#noisy")).toBe(second);
  // What was deleted meanwhile is drawn again.
  await page.locator("#history-clear").click();
  await expect(strip(page)).toHaveCount(0);
  await page.goBack();
  await expect(strip(page)).toHaveCount(1);
  await expect.poll(() => pixels(page, "#noisy")).toBe(first);
});

test("runs are pinned, deleted one by one and all at once, by keyboard too", async ({ page }) => {
  await useTinyModel(page);
  await draw(page, [3, 4, 5]);
  await strip(page).nth(0).focus();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("End");
  await expect(strip(page).nth(2)).toBeFocused();
  await page.keyboard.press("Enter");
  await dialog(page).getByRole("button", { name: "Pin", exact: true }).click();
  await expect(dialog(page).getByRole("button", { name: "Unpin" })).toBeVisible();
  await expect(strip(page).nth(2)).toHaveAttribute("aria-label", /^Pinned: .*seed 3/);
  await page.keyboard.press("Escape");
  await look(page, 0);
  await dialog(page).getByRole("button", { name: "Delete" }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(strip(page)).toHaveCount(2);
  await page.locator("#history-clear").click();
  await expect(page.locator("#history")).toBeHidden();
  await page.reload();
  await says(page, "done");
  await expect(strip(page)).toHaveCount(1); // the address's, drawn anew
});

test("the list is bounded in number and in bytes: the oldest leave first, pinned ones stay", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  const kept = await page.evaluate(async () => {
    const store = await import(new URL("www/history/store.js", document.baseURI).href);
    await store.clear();
    const run = (time, bytes = 1000) => ({ time, bytes, link: "#", settings: { sampler: "ddim" }, name: { en: String(time) }, seconds: 1, thumbnail: new ArrayBuffer(8) });
    const add = (...of) => store.add(run(...of), { frame: {}, begun: {} });
    const pinned = await add(1);
    await store.pin(pinned, true);
    for (let time = 2; time <= store.MOST.runs + 5; time++) await add(time);
    const times = (await store.list()).map(({ time }) => time);
    const orphans = await store.large(pinned);
    for (let time = 100; time < 110; time++) await add(time, store.MOST.bytes / 8);
    const large = await store.list();
    const refused = await add(200, store.MOST.bytes);
    // Pinned ones may take half of the room.
    const pins = [];
    for (const { id } of (await store.list()).slice(0, 5)) pins.push(await store.pin(id, true));
    return { most: store.MOST, times, orphan: Boolean(orphans), large: large.map(({ time }) => time), bytes: large.reduce((sum, { bytes }) => sum + bytes, 0), refused, pins };
  });
  expect(kept.times).toHaveLength(kept.most.runs);
  expect([kept.times[0], kept.times.at(-1), kept.times.at(-2)]).toEqual([kept.most.runs + 5, 1, 7]); // 2 to 6 left, 1 is pinned
  expect(kept.orphan).toBe(true);
  expect(kept.bytes).toBeLessThanOrEqual(kept.most.bytes);
  expect(kept.large.slice(0, 7)).toEqual([109, 108, 107, 106, 105, 104, 103]);
  expect(kept.large.at(-1)).toBe(1);
  expect(kept.refused).toBeUndefined();
  expect(kept.pins).toEqual([true, true, true, false, false]); // three eighths and the first one
});

test("two tabs share the list", async ({ page, context }) => {
  await useTinyModel(page);
  await draw(page, [3]);
  const other = await context.newPage();
  await useTinyModel(other);
  await visit(other, "#backend=cpu");
  await expect(strip(other)).toHaveCount(1);
  // Both at once.
  await Promise.all([runAgain(page), pictures(other, link({ seed: 9 }))]);
  for (const tab of [page, other]) await expect(strip(tab)).toHaveCount(3);
  await page.bringToFront();
  await look(page, 0);
  await other.evaluate(() => document.querySelector("#history-clear").click());
  for (const tab of [page, other]) await expect(strip(tab)).toHaveCount(0);
  await dialog(page).getByRole("button", { name: "Delete" }).click(); // of what is gone
  await expect(dialog(page)).toBeHidden();
});

test("without a database runs are listed as long as the page is open, and it says so once", async ({ page }) => {
  await page.addInitScript(() => {
    IDBFactory.prototype.open = () => {
      throw new DOMException("denied", "SecurityError");
    };
  });
  await useTinyModel(page);
  const [first] = await draw(page, [3, 4]);
  await expect(page.locator("#notices .notice")).toHaveText([/finished runs are listed as long as the page stays open/]);
  await page.goBack();
  await expect.poll(() => pixels(page, "#noisy")).toBe(first);
  await page.reload();
  await says(page, "done");
  await expect(strip(page)).toHaveCount(1);
});

test("the list survives the end of the browser", async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "unnoise-"));
  const open = () => chromium.launchPersistentContext(folder, { ...launchOptions, baseURL: url, locale: "en-GB" });
  let context = await open();
  let [page] = context.pages();
  await useTinyModel(page);
  const [first] = await draw(page, [3]);
  await context.close();
  context = await open();
  [page] = context.pages();
  await useTinyModel(page);
  await visit(page, "#backend=cpu");
  await look(page, 0);
  expect(await pixels(page, "#history-dialog canvas >> nth=0")).toBe(first);
  await context.close();
  rmSync(folder, { recursive: true });
});

test("a run begun with a picture that no link carries is put back with it", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ start: "asked", strength: 0.5 }));
  await says(page, "ready");
  await page.evaluate(async () => {
    const start = await import(new URL("www/start.js", document.baseURI).href);
    const size = start.wanted();
    // A picture whose like a link has no room for is kept by the page alone.
    const picture = Uint8Array.from({ length: size.height * size.width * size.channels }, (_, i) => (i * 37) % 256);
    start.adopt("noise", { ...size, picture });
    document.querySelector("#run").click();
  });
  await says(page, "done");
  const first = await pixels(page, "#noisy");
  await expect(strip(page)).toHaveCount(1);
  await visit(page, "#backend=cpu", "./?again");
  await says(page, "ready");
  await look(page, 0);
  await dialog(page).getByRole("button", { name: "Restore" }).click();
  await expect(mark(page)).toBeEmpty();
  await runAgain(page);
  expect(await pixels(page, "#noisy")).toBe(first);
});

test("runs wait for the one under way and are drawn in their order; one can be forgotten", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ steps: 1000, images: 16 })); // long enough to queue three more
  await expect(page.locator("#pace")).toContainText("/1000");
  for (const seed of [11, 12, 13]) {
    await type(page, "#seed", String(seed));
    await type(page, "#steps", "3");
    await page.getByRole("button", { name: "Run after this one" }).click();
  }
  await expect(page.locator("#queue-text")).toHaveText("3 runs wait for the one under way.");
  await page.getByRole("button", { name: /Forget this run: .*seed 12/ }).click();
  await expect(page.locator("#queue-list li")).toHaveCount(2);
  await expect(strip(page)).toHaveCount(3, { timeout: 100_000 });
  const names = await strip(page).evaluateAll((all) => all.map((button) => /seed (\d+)/.exec(button.getAttribute("aria-label"))[1]));
  expect(names).toEqual(["13", "11", "3"]);
  await expect(page.locator("#queue")).toBeHidden();
  const last = await pixels(page, "#noisy");
  await runAgain(page);
  expect(await pixels(page, "#noisy")).toBe(last);
});

test("Stop lets the runs that wait be, and another model drops them in words", async ({ page }) => {
  await useModels(page, { tiny: modelFiles("models/selftest", card("Tiny")), other: modelFiles("models/selftest", card("Other")) });
  await visit(page, link({ steps: 1000 }));
  await expect(page.locator("#pace")).toContainText("/1000");
  await type(page, "#seed", "11");
  await type(page, "#steps", "3");
  await page.locator("#later").click();
  await page.locator("#stop").click();
  await says(page, "stopped");
  await expect(page.locator("#queue-go")).toBeVisible();
  await page.locator("#queue-go").click();
  await says(page, "done");
  await expect(strip(page)).toHaveCount(1);
  await type(page, "#steps", "1000");
  await page.locator("#run").click();
  await expect(page.locator("#pace")).toContainText("/1000");
  await page.locator("#later").click();
  await page.evaluate(() => (location.hash = "#model=other&seed=1&images=1&steps=2&sampler=ddim&backend=cpu"));
  await expect(page.locator("#notices")).toContainText("1 run of Tiny that waited will not be drawn, because another model was chosen.");
  await expect(page.locator("#queue")).toBeHidden();
});

test("a reload in mid-run says so and offers the same run again", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link({ steps: 60 }));
  const whole = await pixels(page, "#noisy");
  await page.evaluate(() => document.querySelector("#run").click());
  await expect(page.locator("#pace")).toContainText(/^[1-9]\d?\/60/);
  await page.reload();
  await expect(page.locator("#fault-text")).toHaveText(/^The page was reloaded at step \d+ of 60\. Your settings are back/);
  await says(page, "ready");
  await page.getByRole("button", { name: "Run it again" }).click();
  await says(page, "done");
  expect(await pixels(page, "#noisy")).toBe(whole);
  await page.reload(); // of a run that is done
  await says(page, "done");
});

test("strip and dialog are without violations in both languages", async ({ page }) => {
  await useTinyModel(page);
  await draw(page, [3, 4]);
  await look(page, 0);
  await page.locator("#history-other").selectOption({ index: 1 });
  expect(await everywhere(page)).toEqual([]);
  await page.keyboard.press("Escape");
  expect(await everywhere(page)).toEqual([]);
  expect(hash(page)).toContain("seed=4");
});
