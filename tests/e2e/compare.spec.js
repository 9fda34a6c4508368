/** Compare: a grid of runs, from the form, by keyboard and from a link. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { card, decode, difference, given, link, modelFiles, pictures, pixels, runAgain, says, type, useModels, useTinyModel, visit } from "./page.js";

const at = (column, row = 0) => `.cells tr:nth-child(${row + 2}) .cell >> nth=${column}`;
const picture = (page, column, row) => pixels(page, `${at(column, row)} >> canvas`);
const said = (page, key) => expect(page.locator("#compare-dialog [role=status].hint").first()).toHaveAttribute("data-i18n", key);
const GRID = link({ x: "steps:2,5", y: "sampler:ddim,heun" });

/** The text of what a button saves. */
async function saved(page, button) {
  const [download] = await Promise.all([page.waitForEvent("download"), page.locator("#compare-dialog").getByRole("button", { name: button }).click()]);
  return { name: download.suggestedFilename(), data: readFileSync(await download.path()) };
}

test.beforeEach(({ page }) => useTinyModel(page));

test("a link's grid is drawn, each cell as its run alone, the cheapest first", async ({ page }) => {
  await page.addInitScript(() => {
    window.finished = [];
    addEventListener("DOMContentLoaded", () => new MutationObserver((changes) => {
      for (const { target } of changes) if (target.matches?.("td.drawn") && !window.finished.includes(target)) window.finished.push(target);
    }).observe(document, { subtree: true, attributes: true, attributeFilter: ["class"] }));
  });
  await visit(page, GRID);
  await said(page, "compare.done");
  const order = await page.evaluate(() => window.finished.map((cell) => [cell.cellIndex - 1, cell.parentNode.rowIndex - 1].join()));
  expect(order).toEqual(["0,0", "0,1", "1,0", "1,1"]); // 2, 3, 5 and 9 evaluations
  const cells = {};
  for (const [column, steps] of [2, 5].entries()) for (const [row, sampler] of ["ddim", "heun"].entries()) cells[`${sampler} ${steps}`] = await picture(page, column, row);
  expect(new Set(Object.values(cells)).size).toBe(4);
  for (const [run, cell] of Object.entries(cells)) {
    const [sampler, steps] = run.split(" ");
    await pictures(page, link({ sampler, steps }));
    expect(difference(cell, await pixels(page, "#noisy")), run).toBe(0);
  }
});

test("axes are typed and picked, the cost is told before, and the grid is stopped and drawn again", async ({ page }) => {
  await pictures(page, link());
  await page.getByRole("button", { name: "Compare" }).click();
  await expect(page.locator("#compare-x-key")).toHaveValue("steps");
  await type(page, "#compare-x-values", "3-9 [3]");
  await page.locator("#compare-y-key").selectOption("sampler");
  await type(page, "#compare-y-values", "ddim");
  await page.locator("#compare-y-pick").selectOption("heun");
  await expect(page.locator("#compare-y-values")).toHaveValue("ddim,heun");
  // 3 + 6 + 9, and 5 + 11 + 17.
  await expect(page.locator("#compare-dialog")).toContainText(/6 cells, 51 evaluations of 2 images, about \d+ s\./);
  expect(given(page)).toMatchObject({ x: "steps:3-9 [3~5d-", y: "sampler:ddim,heun" });
  await type(page, "#compare-x-values", "3,4000");
  await expect(page.locator("#compare-x-refused")).toHaveText("“steps:3,4000”: the values must be whole numbers from 1 to 1000.");
  await type(page, "#compare-x-values", "3,900");
  await page.getByRole("button", { name: "Draw the grid" }).click();
  await expect(page.locator("td.drawn")).toHaveCount(2);
  await page.getByRole("button", { name: "Stop" }).last().click();
  await said(page, "compare.stopped");
  const halted = await picture(page, 1, 0);
  await page.waitForTimeout(300); // some hundred steps of this network
  expect(await picture(page, 1, 0)).toBe(halted);
  await expect(page.locator("td.drawn")).toHaveCount(2);
  await type(page, "#compare-x-values", "1,2");
  await page.getByRole("button", { name: "Draw the grid" }).click();
  await said(page, "compare.done");
  await expect(page.locator("td.drawn")).toHaveCount(4);
});

test("the difference to the pinned cell, by keyboard, and a cell becomes the run of the page", async ({ page }) => {
  await visit(page, GRID);
  await said(page, "compare.done");
  await page.locator(at(0, 0)).focus();
  await expect(page.locator("#compare-words")).toHaveAttribute("data-i18n", "compare.same");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator(at(1, 0))).toBeFocused();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await expect(page.locator(at(1, 1))).toBeFocused();
  const [one, other] = [await picture(page, 0, 0), await picture(page, 1, 1)].map((text) => Buffer.from(text, "base64"));
  const inside = [...one.keys()].filter((i) => i % 4 === 0 && one[i + 3] === 255);
  const rms = Math.sqrt(inside.reduce((sum, i) => sum + ((one[i] - other[i]) / 255) ** 2, 0) / inside.length);
  await expect(page.locator("#compare-words")).toContainText(`RMS difference ${Number(rms.toFixed(4))} from`);
  const shown = Buffer.from(await pixels(page, ".beside figure:last-child canvas"), "base64");
  expect(inside.every((i) => shown[i] === Math.abs(one[i] - other[i]))).toBe(true);
  await page.getByRole("button", { name: "Pin this cell" }).click();
  await expect(page.locator("#compare-words")).toHaveAttribute("data-i18n", "compare.same");
  await page.getByRole("button", { name: "Open as a run" }).click();
  await expect(page.locator("#compare-dialog")).toBeHidden();
  await says(page, "done");
  expect(given(page)).toMatchObject({ sampler: "heun", steps: "5" });
  expect(given(page)).not.toHaveProperty("x");
  expect(difference(other.toString("base64"), await pixels(page, "#noisy"))).toBe(0);
});

test("one clock scrubs all cells", async ({ page }) => {
  await visit(page, GRID);
  await said(page, "compare.done");
  const ends = [await picture(page, 0, 0), await picture(page, 1, 1)];
  await page.locator("#compare-clock").fill("0");
  const starts = [await picture(page, 0, 0), await picture(page, 1, 1)];
  expect(starts[0]).toBe(starts[1]); // the same noise
  expect(starts[0]).not.toBe(ends[0]);
  await page.locator("#compare-clock").fill("1");
  expect([await picture(page, 0, 0), await picture(page, 1, 1)]).toEqual(ends);
});

test("the sheet has its axes and every cell's pixels, and the table its numbers", async ({ page }) => {
  await visit(page, GRID);
  await said(page, "compare.done");
  const sheet = await saved(page, "Save PNG");
  expect(sheet.name).toBe("unnoise-steps-by-sampler.png");
  const { width, data } = await decode(page, sheet.data);
  const cell = Buffer.from(await picture(page, 1, 1), "base64");
  const side = await page.locator(`${at(1, 1)} >> canvas`).evaluate((canvas) => [canvas.width, canvas.height]);
  const zoom = Math.ceil(96 / side[0]);
  // The last cell lies in the corner, 16 pixels from both edges.
  const height = data.length / 4 / width;
  const [left, top] = [width - 16 - zoom * side[0], height - 16 - zoom * side[1]];
  for (let y = 0; y < side[1]; y += 3) for (let x = 0; x < side[0]; x += 3) {
    const from = 4 * (y * side[0] + x);
    if (cell[from + 3] === 255) expect(data[4 * ((top + zoom * y) * width + left + zoom * x)]).toBe(cell[from]);
  }
  const titles = data.slice(0, 4 * width * 56).filter((value, i) => i % 4 === 0 && value < 128).length;
  expect(titles).toBeGreaterThan(100);
  const table = (await saved(page, "Save CSV")).data.toString().trim().split("\n").map((line) => line.split(","));
  expect(table[0]).toEqual(["steps", "sampler", "evaluations", "seconds", "rms"]);
  expect(table.slice(1).map(([steps, sampler, evaluations]) => [steps, sampler, evaluations].join())).toEqual(["2,ddim,2", "5,ddim,5", "2,heun,3", "5,heun,9"]);
  expect(Number(table[1][4])).toBe(0);
  expect(Number(table[4][4])).toBeGreaterThan(0);
});

test("what a cell cannot be is said in it, and the others are drawn", async ({ page }) => {
  await visit(page, link({ x: "eta:0,1", y: "sampler:ddim,heun" }));
  await said(page, "compare.done");
  await expect(page.locator("td.drawn")).toHaveCount(2);
  await expect(page.locator(".cells .bad")).toHaveText(Array(2).fill("Heun has no parameter “Noise share η”."));
  await page.evaluate(() => document.querySelector("[data-language=zh]").click());
  await expect(page.locator(".cells .bad").first()).toHaveText(/^Heun 没有“.*”这个参数。$/);
});

test("a model axis draws each cell on its model, and puts the page's own back", async ({ page }) => {
  const files = (name, more) => modelFiles("models/selftest", card(name, more));
  await useModels(page, { tiny: files("Tiny"), loose: files("Loose", { clip_denoised: false }) });
  await visit(page, link({ x: "model:tiny,loose", y: "steps:2,3" }));
  await said(page, "compare.done");
  await expect(page.locator("td.drawn")).toHaveCount(4);
  await expect(page.locator(".cells th[scope=col]")).toHaveText([/Tiny$/, /Loose$/]);
  const cells = [await picture(page, 0, 1), await picture(page, 1, 1)];
  expect(cells[0]).not.toBe(cells[1]);
  await page.keyboard.press("Escape");
  await says(page, "ready");
  await runAgain(page); // on the model of the settings, which is there again
  expect(difference(cells[0], await pixels(page, "#noisy"))).toBe(0);
  await pictures(page, link({ model: "loose" }));
  expect(difference(cells[1], await pixels(page, "#noisy"))).toBe(0);
});

test("the clock stays in sight however many rows there are, and titles are no code", async ({ page }) => {
  await page.setViewportSize({ width: 1280, height: 720 });
  await visit(page, link({ x: "seed:1,2", y: "steps:1-8" }));
  await said(page, "compare.done");
  await expect(page.locator("#compare-clock")).toBeInViewport({ ratio: 1 });
  await page.locator(at(0, 7)).focus();
  await expect(page.locator(at(0, 7))).toBeInViewport();
  await expect(page.locator("#compare-clock")).toBeInViewport({ ratio: 1 });
  for (const scope of ["row", "col"]) expect(await page.locator(`.cells th[scope=${scope}]`).first().evaluate((title) => getComputedStyle(title).fontFamily)).not.toContain("mono");
});

test("closing writes the address once", async ({ page }) => {
  await visit(page, GRID);
  await said(page, "compare.done");
  await page.evaluate(() => {
    window.written = [];
    for (const name of ["replaceState", "pushState"]) {
      const write = history[name].bind(history);
      history[name] = (...given) => (window.written.push(given[2]), write(...given));
    }
  });
  await page.keyboard.press("Escape");
  await expect.poll(() => given(page)).not.toHaveProperty("y");
  expect(await page.evaluate(() => window.written.length)).toBe(1);
});

test("closing leaves the grid out of the address, and the Share button there keeps it", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await visit(page, GRID);
  await said(page, "compare.done");
  await page.locator("#compare-dialog").getByRole("button", { name: "Share" }).click();
  await expect(page.locator("#compare-shared-text")).toContainText("copied");
  const copied = await page.evaluate(() => navigator.clipboard.readText());
  expect(new URL(copied).hash).toContain("x=steps:2,5&y=sampler:ddim,heun");
  await page.keyboard.press("Escape");
  await expect.poll(() => given(page)).not.toHaveProperty("x");
  await says(page, "ready");
});

test("axe-core finds nothing in a grid", async ({ page }) => {
  test.setTimeout(240_000);
  await visit(page, link({ x: "eta:0,1", y: "sampler:ddim,heun" }));
  await said(page, "compare.done");
  await page.locator(at(0, 0)).focus();
  await type(page, "#compare-x-values", "7");
  expect(await everywhere(page)).toEqual([]);
});
