/** The page's policy: nothing on a whole journey is against it, and it has teeth. */

import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";
import { link, pictures, runAgain, says, type, useTinyModel } from "./page.js";

/** Our own scripts in a folder, with their text. */
const readFolder = (folder) => readdirSync(path.join(root, folder)).filter((name) => /^(?!unnoise_).*\.js$/.test(name)).map((name) => [`${folder}/${name}`, readFileSync(path.join(root, folder, name), "utf8")]);

/** Counts what is against the policy, in every frame of the page. */
async function watch(page) {
  const found = [];
  await page.exposeFunction("against", (what) => found.push(what));
  await page.addInitScript(() => addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, lineNumber, sample }) => window.against(`${effectiveDirective}: ${blockedURI} ${sample} (${sourceFile}:${lineNumber})`)));
  page.on("console", (message) => /Content Security Policy|TrustedScript|TrustedHTML/.test(message.text()) && found.push(message.text()));
  return found;
}

test("a whole journey violates no policy", async ({ page }) => {
  const found = await watch(page);
  await useTinyModel(page);
  await pictures(page, link());
  await type(page, "#seed", "4");
  await runAgain(page);
  await page.locator("#again").click();
  await says(page, "done");
  await page.locator("#play").click();
  await page.locator("#theme").click();
  for (const language of ["中文", "EN"]) await page.getByRole("button", { name: language, exact: true }).click();
  for (const [button, dialog] of [["#storage", "#storage-dialog"], ["#open", "#open-dialog"], ["#code", "#code-dialog"], ["#compare", "#compare-dialog"], ["#history-list .kept >> nth=0", "#history-dialog"]]) {
    await page.locator(button).click();
    await expect(page.locator(dialog)).toBeVisible();
    await page.keyboard.press("Escape");
    await expect(page.locator(dialog)).toBeHidden();
  }
  await page.locator("#share").click();
  await page.locator("#share-more").click();
  await expect(page.locator("#sharing-dialog .code")).toBeVisible();
  await page.keyboard.press("Escape");
  await page.locator("#start").evaluate((part) => (part.open = true));
  await page.locator("#start-take").click();
  await page.locator("#noisy").click({ position: { x: 8, y: 8 } });
  await expect(page.locator("#large-dialog")).toBeVisible();
  await expect(page.locator("#large-plot")).toBeVisible(); // by uPlot
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "2-D lab" }).click();
  for (const activity of ["reverse", "anneal", "numbers", "forward"]) await page.locator(`[data-activity=${activity}]`).click();
  await expect(page.locator("#lab-fault")).toBeHidden();
  // Texts with marks are as they were.
  expect(await page.locator("[data-i18n-html] b.alpha").count()).toBeGreaterThan(0);
  expect(await page.locator("[data-i18n-html] sub").count()).toBeGreaterThan(5);
  expect(await page.locator("[data-i18n-html]").evaluateAll((all) => all.filter(({ textContent }) => /[<>]/.test(textContent)).length)).toBe(0);
  expect(found).toEqual([]);
});

for (const [what, act, directive] of [
  ["markup from a text", () => void (document.createElement("p").innerHTML = "<b>bold</b>"), "require-trusted-types-for"],
  ["another policy", () => void window.trustedTypes.createPolicy("other", {}), "trusted-types"],
  ["a worker by its address", () => void new Worker("www/main.js"), "require-trusted-types-for"],
  ["a style in an attribute", () => document.body.setAttribute("style", "color: red"), "style-src-attr"],
  ["a picture of another host", () => void document.body.append(Object.assign(document.createElement("img"), { src: "https://example.org/pixel.png" })), "img-src"],
  ["a request to another host", () => void fetch("https://example.org/").catch(() => {}), "connect-src"],
]) {
  test(`${what} is against the policy`, async ({ page }) => {
    const found = await watch(page);
    await useTinyModel(page);
    await page.goto("./");
    await page.evaluate(act).catch(() => {});
    await expect.poll(() => found.some((line) => line.startsWith(`${directive}:`)), found.join()).toBe(true);
  });
}

test("no script of ours writes markup, evaluates text or styles by an attribute", () => {
  const files = ["www", "www/lab", "www/history", "www/offline", "pkg"].flatMap(readFolder);
  for (const [file, text] of files) expect(text, file).not.toMatch(/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function\(|setAttribute\("style"/);
  const page = readFileSync(path.join(root, "index.html"), "utf8");
  expect(page).not.toMatch(/ style=|<style| on\w+=|<script(?![^>]* src=)/);
});

test("the server says what a page cannot say of itself", async ({ request }) => {
  const page = await request.get(url);
  expect(page.headers()["x-content-type-options"]).toBe("nosniff");
  expect(page.headers()["referrer-policy"]).toBe("strict-origin-when-cross-origin");
  expect(page.headers()["permissions-policy"]).toContain("camera=()");
  // Frames are allowed: the page is made to be put into others.
  expect(page.headers()["x-frame-options"]).toBeUndefined();
  const worker = await request.get(`${url}pkg/worker.js`);
  expect(worker.headers()["content-security-policy"]).toContain("script-src 'self' 'wasm-unsafe-eval'");
});
