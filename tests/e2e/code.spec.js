/** The run as a Python script, where the engine writes one. */

import { expect, test } from "@playwright/test";
import { link, pictures, says, useTinyModel, visit } from "./page.js";

const LINK = link();

/** Puts `write`, the code of a function of the settings, in the place of the engine's own writer. */
const useWriter = (page, write) =>
  page.route("**/pkg/unnoise_cpu.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${await response.text()}\nEngine.prototype.python = ${write};` });
  });

test.beforeEach(async ({ page }) => {
  await useTinyModel(page);
});

test("the run as a script is shown and copied, and the dialog gives the focus back", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await useWriter(page, "(settings) => `# ${settings.sampler} ${settings.steps}\\nprint(1)\\n`");
  await pictures(page, LINK);
  await page.locator("#code").focus();
  await page.keyboard.press("Enter");
  const dialog = page.getByRole("dialog", { name: "The same picture with diffusers" });
  await expect(dialog).toBeVisible();
  await expect(page.locator("#code-text")).toHaveText(/^# ddim 3\nprint\(1\)\n$/);
  await page.locator("#code-copy").click();
  await expect(page.locator("#code-note")).toHaveText("Copied.");
  expect(await page.evaluate(() => navigator.clipboard.readText())).toContain("print(1)");
  await page.keyboard.press("Escape");
  await expect(dialog).toBeHidden();
  await expect(page.locator("#code")).toBeFocused();
});

test("Escape closes the dialog and leaves the run alone", async ({ page }) => {
  await useWriter(page, "() => 'print(1)'");
  await visit(page, link({ steps: 1000, images: 16 }));
  await expect(page.locator("#pace")).toContainText("/1000");
  await page.locator("#code").click();
  await expect(page.locator("#code-dialog")).toBeVisible();
  await page.keyboard.press("Escape");
  await expect(page.locator("#code-dialog")).toBeHidden();
  await expect(page.locator("#status")).toHaveAttribute("data-i18n", "running");
  await page.keyboard.press("Escape");
  await says(page, "stopped");
});

test("a run that diffusers cannot repeat is reported in a sentence", async ({ page }) => {
  await useWriter(page, "() => { throw Object.assign(new Error('diffusers has no Ralston.'), { code: 'no-diffusers' }); }");
  await pictures(page, LINK);
  await page.locator("#code").click();
  await expect(page.locator("#code-note")).toHaveText("There is no such script: diffusers has no Ralston.");
  await expect(page.locator("#code-text")).toBeHidden();
  await expect(page.locator("#code-copy")).toBeHidden();
  await page.getByRole("button", { name: "Close" }).click();
  await expect(page.locator("#code-dialog")).toBeHidden();
});

test("without the clipboard's leave the script is selected", async ({ page }) => {
  await page.addInitScript(() => {
    Object.defineProperty(navigator, "clipboard", { value: { writeText: () => Promise.reject(new Error("denied")) } });
  });
  await useWriter(page, "() => 'print(1)'");
  await pictures(page, LINK);
  await page.locator("#code").click();
  await page.locator("#code-copy").click();
  expect(await page.evaluate(() => String(getSelection()))).toBe("print(1)");
});
