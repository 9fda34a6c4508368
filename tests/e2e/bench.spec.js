/** Bench: the kernels on this machine's graphics card, from the form, by keyboard and from a link. */

import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { disguiseEngine, inWorker } from "./disguise.js";
import { given, link, says, useTinyModel, visit } from "./page.js";

const dialog = (page) => page.locator("#bench-dialog");
const button = (page, name) => dialog(page).getByRole("button", { name, exact: true });
const said = (page, key) => expect(page.locator("#bench-said")).toHaveAttribute("data-i18n", key);
const rows = (page) => page.locator("#bench-rows tr").evaluateAll((rows) => rows.map((row) => [...row.cells].map(({ textContent }) => textContent)));

test.beforeEach(({ page }) => useTinyModel(page));

/** A graphics card that is no imitation, whose kernels take what they are said to. */
async function useCard(page) {
  await page.route("**/pkg/adapter.js", (route) =>
    route.fulfill({ contentType: "text/javascript", body: 'export const adapter = async () => ({ name: "Test card", software: false });' }),
  );
  await disguiseEngine(
    page,
    `() => ({
      bench() {
        const rates = [
          { kind: "peak", network: null, shape: [], rate: 2e12, share: 1 },
          { kind: "convolution", network: "fashion-mnist", shape: [4, 64, 64, 14, 14, 3], rate: 1e12, share: 0.5 },
          { kind: "attention", network: "emoji-text", shape: [4, 64, 32, 4, 24], rate: 5e11, share: 0.25 },
        ].map((rate, i) => ({ ...rate, done: i + 1, total: 3 }));
        return { next: async () => rates.shift(), free() {} };
      },
    })`,
  );
}

const TABLE = [
  ["Plain loop: the most", "2000.0", ""],
  ["fashion-mnist: 4 × 64 to 64, 14 × 14, kernel 3", "1000.0", "50 %"],
  ["emoji-text: attention, 4 × 64 to 32, 4 heads of 24", "500.0", "25 %"],
];

test("the link #bench opens it, and a measurement ends with a step of the model", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await useCard(page);
  await visit(page, "#bench");
  await expect(dialog(page)).toBeVisible();
  await expect(page.locator("#notices")).toBeEmpty();
  expect(await rows(page)).toEqual([]); // it waits for a person
  await button(page, "Measure").click();
  await said(page, "bench.done");
  const [step, ...others] = (await rows(page)).reverse();
  expect(others.reverse()).toEqual(TABLE);
  expect(step[0]).toMatch(/^A step of Tiny, \d+ images$/);
  expect(step[1]).toMatch(/^[\d.]+ ms$/);
  await button(page, "Copy as text").click();
  await said(page, "bench.copied");
  const text = await page.evaluate(() => navigator.clipboard.readText());
  expect(text).toMatch(/^test, Mozilla.*\n\n\| Layer \| GFLOP\/s \| Share of the most \|\n\|---\|---:\|---:\|\n\| Plain loop: the most \| 2000\.0 \|  \|\n/);
  expect(text).toContain(`| ${step[0]} | ${step[1]} |`);
  expect(await everywhere(page)).toEqual([]);
});

test("it is opened, run and closed by keyboard, and the link has it while it is open", async ({ page }) => {
  await useCard(page);
  await visit(page, link({ backend: undefined }));
  await says(page, "done");
  await page.locator("#bench").focus();
  await page.keyboard.press("Enter");
  await expect(dialog(page)).toBeVisible();
  expect(given(page).bench).toBe("1");
  await button(page, "Measure").focus();
  await page.keyboard.press("Enter");
  await said(page, "bench.done");
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toBeHidden();
  await expect.poll(() => given(page).bench).toBeUndefined(); // `close` comes after the dialog is gone
});

test("without WebGPU it says so, in both languages", async ({ page }) => {
  await inWorker(page, "delete Object.getPrototypeOf(navigator).gpu;");
  await visit(page, "#bench&lang=en");
  await button(page, "Measure").click();
  await expect(page.locator("#bench-refused")).toHaveText("There is nothing to measure: this browser has no WebGPU.");
  await expect(button(page, "Copy as text")).toBeDisabled();
  await visit(page, "#bench&lang=zh");
  await button(page, "开始测量").click();
  await expect(page.locator("#bench-refused")).toHaveText("无法测量：此浏览器没有 WebGPU。");
});

test("on a device that the page itself does not use the kernels are timed for real, until Stop", async ({ page }) => {
  test.setTimeout(600_000); // SwiftShader compiles every kernel anew
  await visit(page, "#bench&backend=cpu");
  await button(page, "Measure").click();
  await expect(page.locator("#bench-rows tr")).toHaveCount(3, { timeout: 540_000 });
  await button(page, "Stop").click();
  await said(page, "bench.stopped");
  const [peak, ...layers] = await rows(page);
  expect(peak[0]).toBe("Plain loop: the most");
  expect(layers.map(([name]) => name)).toEqual(["fashion-mnist: 4 × 32 to 32, 28 × 28, kernel 3", "fashion-mnist: 4 × 64 to 64, 14 × 14, kernel 3"]);
  for (const [name, rate, share] of layers) {
    expect(Number(rate), name).toBeGreaterThan(0);
    // Nothing is faster than the most, but for what else the machine does while it is measured.
    expect(Number.parseInt(share), name).toBeLessThan(130);
  }
});
