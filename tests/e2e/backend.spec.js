/** Which backend computes, and what the page says about it. */

import { expect, test } from "@playwright/test";
import { difference, pictures, pixels, says, useTinyModel, visit } from "./page.js";

const LINK = "#model=tiny&sampler=dpmpp-2m&steps=3&schedule=trailing&seed=5&images=2&class=all&guidance=1";

/** Runs `code` in the worker before the page's own. */
const inWorker = (page, code) =>
  page.route("**/www/worker.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `${code}\n${await response.text()}` });
  });

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

test("WebGPU draws the CPU's pictures, and the page warns of a software adapter", async ({ page }) => {
  test.setTimeout(600_000); // SwiftShader compiles every kernel anew
  await useTinyModel(page);
  await pictures(page, LINK);
  const [noisy, guess] = [await pixels(page, "#noisy"), await pixels(page, "#guess")];
  await visit(page, `${LINK}&backend=webgpu`);
  await expect(page.locator("#status")).toHaveAttribute("data-i18n", "done", { timeout: 540_000 });
  await expect(page.locator("#status")).toContainText("on the WebGPU");
  await expect(page.locator("#notices")).toContainText("is software");
  expect(difference(await pixels(page, "#noisy"), noisy)).toBeLessThanOrEqual(2);
  expect(difference(await pixels(page, "#guess"), guess)).toBeLessThanOrEqual(2);
});

/**
 * Puts the CPU engine in the WebGPU engine's place, with `Engine` changed by the code of `disguise`, a function of the
 * real engine that returns what to override.
 */
async function disguiseEngine(page, disguise) {
  const script = `
    import init, * as cpu from "./unnoise_cpu.js";
    export const { catalogue, check_link } = cpu;
    export default () => init({ module_or_path: new URL("./unnoise_cpu_bg.wasm", import.meta.url) });
    const forward = (real, name) => (...given) => real[name](...given);
    export const Engine = {
      async open() {
        const real = await cpu.Engine.open();
        const names = ["self_test", "load", "run"];
        const methods = Object.fromEntries(names.map((name) => [name, forward(real, name)]));
        return { ...methods, backend: "webgpu", adapter: "test", ...(${disguise})(real) };
      },
    };`;
  await page.route("**/pkg/unnoise_webgpu.js", (route) => route.fulfill({ contentType: "text/javascript", body: script }));
  await page.route("**/pkg/unnoise_webgpu_bg.wasm", (route) => route.fulfill({ body: "" }));
}

/** Changes the file's last number, which every backend then disagrees with. */
const WRONG = `(oracle) => {
  const changed = oracle.slice();
  const last = new DataView(changed.buffer, changed.length - 4);
  last.setFloat32(0, last.getFloat32(0, true) + 0.5, true);
  return changed;
}`;

test("a WebGPU that computes wrong numbers gives way to the CPU, and the page gives the numbers", async ({ page }) => {
  await disguiseEngine(page, `(real) => ({ self_test: (config, weights, oracle) => real.self_test(config, weights, (${WRONG})(oracle)) })`);
  await useTinyModel(page);
  await pictures(page, `${LINK}&backend=webgpu`);
  await expect(page.locator("#notices")).toContainText(
    /On the CPU, because WebGPU could not be used. Its result for a stored example is off by 5\.0e-1, and at most \d\.\de-\d is allowed\./,
  );
  await expect(page.locator("#status")).toContainText("on the CPU");
});

test("a CPU that computes wrong numbers shows no pictures, and the page says so", async ({ page }) => {
  await useTinyModel(page);
  await page.route("**/models/selftest/oracle.safetensors", async (route) => {
    const response = await route.fetch();
    const body = await response.body();
    body.writeFloatLE(body.readFloatLE(body.length - 4) + 0.5, body.length - 4);
    await route.fulfill({ response, body });
  });
  await visit(page, LINK);
  await expect(page.locator("#fault-text")).toHaveText(/computes wrong numbers: a stored example is off by 5\.0e-1, and at most .* is allowed/);
  await says(page, "failed.start");
});

test("a graphics device lost in mid-run is told, and the CPU finishes the job", async ({ page }) => {
  await disguiseEngine(
    page,
    `(real) => ({
      run: (link, onFrame) => real.run(link, async (frame) => {
        if (frame.step === 2) throw Object.assign(new Error("The graphics device was lost."), { code: "backend" });
        return onFrame(frame);
      }),
    })`,
  );
  await useTinyModel(page);
  await visit(page, `${LINK}&backend=webgpu`);
  await expect(page.locator("#fault-text")).toHaveText("The run failed. The graphics device was lost.");
  await page.getByRole("button", { name: "Continue on the CPU" }).click();
  await says(page, "done");
  await expect(page.locator("#status")).toContainText("on the CPU");
  expect(page.url()).toContain("backend=cpu");
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
