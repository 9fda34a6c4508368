/** Which backend computes, and what the page says about it. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root } from "./browser.js";
import { disguiseEngine, inWorker } from "./disguise.js";
import { difference, link, pictures, pixels, says, useTinyModel, visit } from "./page.js";

const LINK = link({ sampler: "dpmpp-2m", seed: 5, guidance: 1, backend: undefined });

test("without WebGPU the page runs on the CPU and says why", async ({ page }) => {
  await inWorker(page, "delete Object.getPrototypeOf(navigator).gpu;");
  await useTinyModel(page);
  await pictures(page, LINK);
  await expect(page.locator("#backend-hint")).toHaveText("On the CPU: this browser has no WebGPU.");
});

test("a software adapter is passed over, with its name", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  await expect(page.locator("#status")).toContainText("on the CPU");
  await expect(page.locator("#backend-hint")).toHaveText(/^On the CPU: the only WebGPU adapter \(.*swiftshader.*\) is software/i);
});

for (const [adapter, reason] of [
  ["null", "On the CPU: WebGPU found no graphics card."],
  ['{ info: { vendor: "mesa", description: "llvmpipe (LLVM 15.0.7)" } }', "On the CPU: the only WebGPU adapter (llvmpipe (LLVM 15.0.7)) is software, and slower."],
  ['{ info: { device: "Microsoft Basic Render Driver" } }', "On the CPU: the only WebGPU adapter (Microsoft Basic Render Driver) is software, and slower."],
  ['{ isFallbackAdapter: true, info: { vendor: "acme" } }', "On the CPU: the only WebGPU adapter (acme) is software, and slower."],
]) {
  test(`the adapter ${adapter} is passed over`, async ({ page }) => {
    await inWorker(page, `Object.defineProperty(navigator, "gpu", { value: { requestAdapter: async () => (${adapter}) } });`);
    await useTinyModel(page);
    await pictures(page, LINK);
    await expect(page.locator("#backend-hint")).toHaveText(reason);
  });
}

/** Writes down what is submitted and how often a reading is begun and has come. */
const WATCH = `
  globalThis.log = [];
  const { submit } = GPUQueue.prototype;
  GPUQueue.prototype.submit = function (...commands) { log.push("submit"); return submit.apply(this, commands); };
  const { mapAsync } = GPUBuffer.prototype;
  GPUBuffer.prototype.mapAsync = function (...range) {
    log.push("read");
    return mapAsync.apply(this, range).then(() => log.push("came"));
  };`;

test("WebGPU draws the CPU's pictures, and the page warns of a software adapter", async ({ page }) => {
  test.setTimeout(600_000); // SwiftShader compiles every kernel anew
  await inWorker(page, WATCH);
  await useTinyModel(page);
  await pictures(page, LINK);
  const [noisy, guess] = [await pixels(page, "#noisy"), await pixels(page, "#guess")];
  await visit(page, `${LINK}&backend=webgpu`);
  await expect(page.locator("#status")).toHaveAttribute("data-i18n", "done", { timeout: 540_000 });
  await expect(page.locator("#status")).toContainText("on the WebGPU");
  await expect(page.locator("#status")).toHaveText(/on the WebGPU \([\d.]+ submissions a step, idle \d+ % of the time\)\.$/);
  await expect(page.locator("#notices")).toContainText("is software");
  expect(difference(await pixels(page, "#noisy"), noisy)).toBeLessThanOrEqual(2);
  expect(difference(await pixels(page, "#guess"), guess)).toBeLessThanOrEqual(2);
  // The next step is on the card before a step's pixels have come: its reading is begun while the one before is under way.
  const log = await page.workers()[0].evaluate(() => globalThis.log);
  let [coming, together] = [0, 0];
  for (const event of log) {
    if (event === "read" && coming > 0) together += 1;
    if (event !== "submit") coming += event === "read" ? 1 : -1;
  }
  expect(together).toBe(await page.evaluate(() => Number(document.querySelector("#steps").value)));
});

/** The stored example with one output value moved by 0.5, so that no backend agrees with it. */
function wrongOracle() {
  const file = readFileSync(path.join(root, "models/selftest/oracle.safetensors"));
  const header = 8 + Number(file.readBigUInt64LE(0));
  const { out } = JSON.parse(file.subarray(8, header));
  const at = header + out.data_offsets[0];
  file.writeFloatLE(file.readFloatLE(at) + 0.5, at);
  return file;
}

test("a WebGPU that computes wrong numbers gives way to the CPU, and the page gives the numbers", async ({ page }) => {
  await disguiseEngine(
    page,
    `(real) => ({
      async self_test(config, weights) {
        const oracle = await fetch(new URL("./selftest/wrong.safetensors", import.meta.url));
        return real.self_test(config, weights, new Uint8Array(await oracle.arrayBuffer()));
      },
    })`,
  );
  await page.route("**/pkg/selftest/wrong.safetensors", (route) => route.fulfill({ body: wrongOracle() }));
  await useTinyModel(page);
  await pictures(page, `${LINK}&backend=webgpu`);
  await expect(page.locator("#notices")).toContainText(
    /On the CPU, because WebGPU could not be used. Its result for a stored example is off by 5\.0e-1, and at most .* is allowed\./,
  );
  await expect(page.locator("#status")).toContainText("on the CPU");
});

test("a CPU that computes wrong numbers shows no pictures, and the page says so", async ({ page }) => {
  await useTinyModel(page);
  await page.route("**/pkg/selftest/expected.safetensors", (route) => route.fulfill({ body: wrongOracle() }));
  await visit(page, LINK);
  await expect(page.locator("#fault-text")).toHaveText(/computes wrong numbers: a stored example is off by 5\.0e-1, and at most .* is allowed/);
  await says(page, "failed.start");
});

test("a WebGPU engine that cannot be loaded falls back to the CPU, in words", async ({ page }) => {
  await page.route("**/pkg/unnoise_webgpu.js", (route) => route.fulfill({ status: 404, body: "no" }));
  await useTinyModel(page);
  await pictures(page, `${LINK}&backend=webgpu`);
  await expect(page.locator("#notices")).toContainText("On the CPU, because WebGPU could not be used. The engine pkg/unnoise_webgpu.js could not be loaded");
  await expect(page.locator("#backend-hint")).toContainText("pkg/unnoise_webgpu.js");
});

test("choosing a backend by hand starts it and writes it into the link", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, "");
  await says(page, "ready");
  await page.locator("#backend").selectOption("cpu");
  await says(page, "ready");
  await expect(page.locator("#backend-hint")).toHaveText("As chosen.");
  expect(page.url()).toContain("backend=cpu");
});

/** A graphics card that is no imitation. */
const useCard = (page) =>
  page.route("**/pkg/adapter.js", (route) =>
    route.fulfill({ contentType: "text/javascript", body: 'export const adapter = async () => ({ name: "Test card", software: false });' }),
  );

/** Waits for a run's end, at every frame: what is timed after it may soon be said in its place. */
const drawn = (page, where) =>
  page.waitForFunction((where) => {
    const status = document.querySelector("#status");
    return status?.dataset.i18n === "done" && status.textContent.includes(where);
  }, where);

test("where the CPU is faster than the graphics card, that is found out once, and it draws from then on", async ({ page }) => {
  await useCard(page);
  await disguiseEngine(
    page,
    `(real) => ({
      run: (...given) => {
        const run = real.run(...given);
        const next = () => new Promise((resolve) => setTimeout(resolve, 300)).then(() => run.next());
        return { next, free: () => run.free() };
      },
    })`,
  );
  await useTinyModel(page);
  await visit(page, LINK);
  await drawn(page, "on the WebGPU");
  await expect(page.locator("#notices")).toContainText(/For this model the CPU is faster here: a step takes .* ms, and .* ms by WebGPU on Test card/);
  await expect(page.locator("#backend-hint")).toHaveText(/^On the CPU: a step takes [\d.]+ ms there, and 3\d\d ms by WebGPU on Test card\.$/);
  await says(page, "ready");

  const asked = [];
  page.on("request", (request) => asked.push(request.url()));
  await page.reload();
  await says(page, "done");
  await expect(page.locator("#status")).toContainText("on the CPU");
  await expect(page.locator("#backend-hint")).toHaveText(/^On the CPU: a step takes/);
  expect(asked.filter((url) => url.includes("unnoise_webgpu"))).toEqual([]);
  expect(asked.some((url) => url.includes("unnoise_cpu"))).toBe(true);
});

test("what a graphics card was timed at is said, and a broken record of it is put aside", async ({ page }) => {
  await useCard(page);
  await disguiseEngine(page, "() => ({})");
  await useTinyModel(page);
  const record = (text) => page.addInitScript((text) => localStorage.setItem("unnoise.pace", text), text);
  await record('{"Test card tiny × 2": {"cpu": 40.4, "webgpu": 3.96}}');
  await visit(page, LINK.replace(/model=[^&]*/, "model=tiny"));
  await says(page, "done");
  await expect(page.locator("#status")).toContainText("on the WebGPU");
  await expect(page.locator("#backend-hint")).toHaveText("WebGPU on Test card: a step takes 4 ms there, and 40 ms on the CPU.");
  await record("[1");
  await page.reload();
  await drawn(page, "on the WebGPU");
  await expect(page.locator("#backend-hint")).toHaveText(/a step takes [\d.]+ ms there, and [\d.]+ ms (by WebGPU on Test card|on the CPU)\.$/);
  const { cpu, webgpu } = await page.evaluate(() => JSON.parse(localStorage.getItem("unnoise.pace"))["Test card tiny × 2"]);
  expect(Math.min(cpu, webgpu)).toBeGreaterThan(0);
  expect(webgpu).not.toBe(3.96);
});
