/** What goes wrong is said on the page, in a sentence, with a way on where there is one. */

import { expect, test } from "@playwright/test";
import { pictures, says, useTinyModel, visit } from "./page.js";

const WEIGHTS = "unet/diffusion_pytorch_model.safetensors";
const LINK = "#model=tiny&steps=2&seed=1&images=1&backend=cpu";

test("a link's bad values fall back, and each is named", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, "#model=tiny&sampler=magic&steps=0&seed=-1&images=2&class=9&guidance=lots&backend=abacus&lang=xx&colour=red");
  const notices = page.locator("#notices");
  for (const text of [
    /The link says sampler=magic, but it must be one of euler, .*…; dpmpp-2m is used\./,
    "The link says steps=0, but it must be a whole number from 1 to 1000; 20 is used.",
    "The link says seed=-1, but it must be a whole number from 0 to 4294967295; 7 is used.",
    "The link says class=9, but this model has 2 classes; all is used.",
    "The link says guidance=lots, but it must be a number from 0 to 20; 2 is used.",
    "The link says backend=abacus, but it must be one of auto, cpu, webgpu; auto is used.",
    "The link says lang=xx, but it must be one of en, zh; the default is used.",
  ]) {
    await expect(notices).toContainText(text);
  }
  await expect(notices).toContainText("The link says colour=red, but there is no such setting; it is left out.");
  await expect(page.locator("#images")).toHaveValue("2");
  expect(page.url()).not.toContain("colour");
  const before = await notices.locator(".notice").count();
  await notices.getByRole("button", { name: "Dismiss" }).first().click();
  await expect(notices.locator(".notice")).toHaveCount(before - 1);
});

for (const [name, served, sentence] of [
  ["missing", (files) => delete files[WEIGHTS], `The server does not have models/tiny/${WEIGHTS} (it answered 404)`],
  ["truncated", (files) => (files[WEIGHTS] = files[WEIGHTS].subarray(0, 1000)), `The download of models/tiny/${WEIGHTS} is incomplete: 1000 of `],
  ["damaged", (files) => (files[WEIGHTS] = Buffer.from(files[WEIGHTS]).fill(7, 5000, 5100)), `The download of models/tiny/${WEIGHTS} is damaged`],
]) {
  test(`${name} weights are reported, and a second try works`, async ({ page }) => {
    await useTinyModel(page, { served });
    await visit(page, LINK);
    await expect(page.locator("#fault-text")).toContainText(sentence);
    await says(page, "failed.start");
    await page.unroute("**/models/tiny/**");
    await page.unroute("**/models/index.json");
    await useTinyModel(page);
    await page.getByRole("button", { name: "Try again" }).click();
    await says(page, "done");
    await expect(page.locator("#fault")).toBeHidden();
  });
}

test("weights that do not fit their network are reported", async ({ page }) => {
  const listed = (files) => {
    const config = JSON.parse(files["unet/config.json"]);
    files["unet/config.json"] = Buffer.from(JSON.stringify({ ...config, block_out_channels: [8, 16] }));
  };
  await useTinyModel(page, { listed });
  await visit(page, LINK);
  await expect(page.locator("#fault-text")).toHaveText(/^The model cannot be used\. .+/);
  await says(page, "failed.start");
});

for (const [name, url, sentence] of [
  ["no list of models", "**/models/index.json", "The server does not have models/index.json (it answered 404)"],
  ["no engine", "**/pkg/unnoise_cpu.js", "The engine pkg/unnoise_cpu.js could not be loaded"],
  ["no engine binary", "**/pkg/unnoise_cpu_bg.wasm", "The server does not have pkg/unnoise_cpu_bg.wasm (it answered 404)"],
  ["no reader of links", "**/pkg/unnoise_settings.js", "The engine pkg/unnoise_settings.js could not be loaded"],
  ["no stored example", "**/pkg/selftest/expected.safetensors", "The server does not have pkg/selftest/expected.safetensors (it answered 404)"],
  ["no worker", "**/pkg/worker.js", "The page's worker could not start"],
]) {
  test(`a site with ${name} says so`, async ({ page }) => {
    await useTinyModel(page);
    await page.route(url, (route) => route.fulfill({ status: 404, body: "no" }));
    await visit(page, LINK);
    await expect(page.locator("#fault-text")).toContainText(sentence);
    await expect(page.locator("#fault")).toBeVisible();
  });
}

test("after a failed start another backend can be chosen, and the link is kept", async ({ page }) => {
  await useTinyModel(page);
  await page.route("**/pkg/unnoise_cpu.js", (route) => route.fulfill({ status: 404, body: "no" }));
  await visit(page, "#model=tiny&steps=2&seed=41&images=1");
  await expect(page.locator("#fault")).toBeVisible();
  await page.unroute("**/pkg/unnoise_cpu.js");
  await page.locator("#backend").selectOption("cpu");
  await says(page, "done");
  await expect(page.locator("#seed")).toHaveValue("41");
  expect(page.url()).toContain("backend=cpu");
});

test("an empty list of models is reported", async ({ page }) => {
  await page.route("**/models/index.json", (route) => route.fulfill({ json: [] }));
  await visit(page);
  await expect(page.locator("#fault-text")).toContainText("The list of models models/index.json is empty or broken");
});

test("an engine that is no WebAssembly is reported", async ({ page }) => {
  await useTinyModel(page);
  await page.route("**/pkg/unnoise_cpu_bg.wasm", (route) => route.fulfill({ contentType: "application/wasm", body: "not wasm" }));
  await visit(page, LINK);
  await expect(page.locator("#fault-text")).toContainText("The browser could not start the engine");
});

test("a browser without WebAssembly is reported", async ({ page }) => {
  await useTinyModel(page);
  await page.route("**/pkg/worker.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `delete globalThis.WebAssembly;\n${await response.text()}` });
  });
  await visit(page, LINK);
  await expect(page.locator("#fault-text")).toContainText("cannot run WebAssembly");
});

test("losing the network is reported, and a cached model does not need it", async ({ page, context }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  const fetched = [];
  page.on("request", (request) => fetched.push(request.url()));
  await page.reload();
  await says(page, "done");
  expect(fetched.filter((url) => url.includes("/models/tiny/"))).toEqual([]);

  await context.setOffline(true);
  await page.locator("#backend").selectOption("webgpu");
  await expect(page.locator("#fault-text")).toContainText("You are offline");
});

test("a download can be cancelled and begun again", async ({ page }) => {
  await useTinyModel(page);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  await page.route(`**/models/tiny/${WEIGHTS}`, async (route) => {
    await held;
    await route.fallback().catch(() => {}); // the page may have given up on it
  });
  await visit(page, LINK);
  await page.getByRole("button", { name: "Cancel" }).click();
  await says(page, "cancelled");
  release();
  await page.getByRole("button", { name: "Load the model" }).click();
  await says(page, "done");
});

test("a page whose scripts do not load says so in both languages", async ({ page }) => {
  await page.route("**/www/main.js", (route) => route.fulfill({ status: 404, body: "no" }));
  await page.goto("./");
  await expect(page.locator("#boot")).toContainText("scripts could not be loaded");
  await expect(page.locator("#boot")).toContainText("脚本无法加载");
});
