/** A graphics device that is lost in a run: it is opened anew, and the run goes on. */

import { expect, test } from "@playwright/test";
import { disguiseEngine } from "./disguise.js";
import { link, pictures, print, says, useTinyModel, visit } from "./page.js";

const GPU = link({ sampler: "dpmpp-2m", seed: 5, steps: 6, backend: "webgpu" });
const CPU = link({ sampler: "dpmpp-2m", seed: 5, steps: 6 });
const NOTICE = "#notices [data-name='device.lost'] p";

const GONE = 'Object.assign(new Error("gone"), { code: "device-failed", values: { why: "gone" } })';

/**
 * The CPU engine in the place of WebGPU's, whose device is lost at this step, on the first so many engines.
 * @param {string} [thrown] what is thrown then
 */
const losing = (page, step, times, thrown = GONE) =>
  disguiseEngine(
    page,
    `(real) => ({
      run: (...given) => {
        const run = real.run(...given);
        return {
          async next() {
            const frame = await run.next();
            if (frame?.step === ${step}) throw ${thrown};
            return frame;
          },
          free: () => run.free(),
        };
      },
    })`,
    times,
  );

/** The pictures of the run on the CPU. */
async function whole(page) {
  await useTinyModel(page);
  await pictures(page, CPU);
  return shown(page);
}

const shown = async (page) => [await print(page, "#noisy"), await print(page, "#guess")];

for (const [name, thrown] of [["is lost", GONE], ["breaks down", 'new WebAssembly.RuntimeError("unreachable")']]) {
  test(`a device that ${name} in mid-run is opened anew, and the run goes on to the same pictures`, async ({ page }) => {
    const undisturbed = await whole(page);
    await losing(page, 3, 1, thrown);
    await pictures(page, GPU);
    await expect(page.locator(NOTICE)).toHaveText("The graphics device was lost. It is opened anew, and the run goes on from its last step.");
    await expect(page.locator("#fault")).toBeHidden();
    await expect(page.locator("#status")).toContainText("on the WebGPU");
    expect(page.url()).toContain("backend=webgpu");
    expect(await shown(page)).toEqual(undisturbed);
    // Every step is on the timeline, those from before among them.
    await expect(page.locator("#slider")).toHaveAttribute("max", "6");
    for (const step of [0, 1, 2, 3, 4, 5]) {
      await page.locator("#slider").fill(String(step));
      await expect(page.locator("#place")).toContainText(`Step ${step} of 6`);
    }
  });
}

test("a device that is lost while it draws on the stage has its steps read back again, and the run begins anew", async ({ page }) => {
  const undisturbed = await whole(page);
  await disguiseEngine(
    page,
    `(real) => ({
      present(...given) {
        const run = real.run(...given.slice(0, 3));
        return {
          async next() {
            const frame = await run.next();
            if (frame?.step === 3) throw ${GONE};
            return frame?.step ? { ...frame, x: new Uint8Array(), denoised: undefined } : frame; // only the start is read back so far
          },
          free: () => run.free(),
        };
      },
    })`,
  );
  await page.evaluate(() => localStorage.setItem("unnoise.direct", "on"));
  await page.reload();
  await pictures(page, GPU);
  await expect(page.locator("#notices [data-name='direct.off'] p")).toHaveText("The graphics device was lost while it drew on the stage. Steps are read back again, and the run begins anew.");
  await expect(page.locator("#direct")).not.toBeChecked();
  await expect(page.locator("#slider")).toHaveAttribute("max", "6");
  expect(await shown(page)).toEqual(undisturbed);
});

/** Holds the second engine back until the function that it returns is called. */
async function holdSecond(page) {
  let release;
  const held = new Promise((resolve) => (release = resolve));
  let engines = 0;
  await page.route("**/pkg/unnoise_webgpu_bg.wasm", async (route) => {
    if ((engines += 1) > 1) await held;
    await route.fulfill({ body: "" });
  });
  return release;
}

test("what the stage has of a run stays there while its device is opened anew", async ({ page }) => {
  await losing(page, 3, 1);
  await useTinyModel(page);
  const release = await holdSecond(page);
  await visit(page, GPU);
  await expect(page.locator(NOTICE)).toBeVisible();
  await expect(page.locator("#place")).toContainText("Step 2 of 6");
  // Steps that the stage has are not shown again.
  await page.evaluate(() => {
    window.places = [];
    const place = document.getElementById("place");
    new MutationObserver(() => window.places.push(place.textContent)).observe(place, { childList: true, characterData: true, subtree: true });
  });
  release();
  await says(page, "done");
  const places = await page.evaluate(() => window.places.map((text) => Number(text.match(/\d+/)[0])));
  expect(places.length).toBeGreaterThan(0);
  expect(Math.min(...places)).toBeGreaterThanOrEqual(3);
});

test("a device that is lost twice within a minute gives way to the CPU", async ({ page }) => {
  const undisturbed = await whole(page);
  await losing(page, 3, 2);
  await pictures(page, GPU);
  await expect(page.locator(NOTICE)).toHaveText("The graphics device was lost twice within a minute, so the run begins anew on the CPU.");
  await expect(page.locator("#status")).toContainText("on the CPU");
  await expect(page.locator("#backend")).toHaveValue("cpu");
  expect(page.url()).toContain("backend=cpu");
  expect(await shown(page)).toEqual(undisturbed);
});

test("a device that is lost again after more than a minute is opened anew again", async ({ page }) => {
  await page.clock.install();
  await losing(page, 3, 2);
  await useTinyModel(page);
  const release = await holdSecond(page);
  await visit(page, GPU);
  await expect(page.locator(NOTICE)).toBeVisible();
  await page.clock.fastForward("01:01");
  release();
  await says(page, "done");
  await expect(page.locator("#status")).toContainText("on the WebGPU");
});

test("the sentence is Chinese on a Chinese page", async ({ page }) => {
  await losing(page, 1, 1);
  await useTinyModel(page);
  await pictures(page, `${GPU}&lang=zh`);
  await expect(page.locator(NOTICE)).toHaveText("与图形设备的连接中断了，正在重新打开；运行将从最后一步继续。");
});

test("a run that is stopped while its device is opened anew does not go on", async ({ page }) => {
  await losing(page, 3, 1);
  await useTinyModel(page);
  const release = await holdSecond(page);
  await visit(page, GPU);
  await expect(page.locator(NOTICE)).toBeVisible();
  await page.keyboard.press("Escape");
  release();
  await says(page, "ready");
  await expect(page.locator("#place")).toContainText("Step 2 of 6");
});

for (const [view, keys, draws] of [
  ["compare", { x: "steps:2,6" }, "Draw the grid"],
  ["walk", { walk: "seed:5,6", steps: 4 }, "Draw"],
]) {
  test(`a device that is lost in the view ${view} is there again for its next try`, async ({ page }) => {
    await losing(page, 3, 1);
    await useTinyModel(page);
    await visit(page, link({ sampler: "dpmpp-2m", seed: 5, backend: "webgpu", ...keys }));
    const dialog = page.locator(`#${view}-dialog`);
    await expect(dialog.locator(`[data-i18n="${view}.failed"]`)).toBeVisible();
    await expect(page.locator(NOTICE)).toHaveText("The graphics device was lost, and is opened anew.");
    await dialog.getByRole("button", { name: draws }).click();
    await expect(dialog.locator(`[data-i18n="${view}.done"]`)).toBeVisible();
  });
}

test("WebGPU itself: a device destroyed in mid-run is opened anew, and the run ends with the same pictures", async ({ page }) => {
  test.setTimeout(900_000); // SwiftShader compiles every kernel anew, three times
  await useTinyModel(page);
  let workers = 0;
  await page.route("**/pkg/worker.js", async (route) => {
    const response = await route.fetch();
    workers += 1;
    const destroy = workers === 1 ? DESTROY : "";
    await route.fulfill({ response, body: `${destroy}\n${await response.text()}` });
  });
  await visit(page, GPU);
  await expect(page.locator("#status")).toHaveAttribute("data-i18n", "done", { timeout: 800_000 });
  await expect(page.locator(NOTICE)).toContainText("was lost");
  expect(workers).toBe(2);
  const after = await shown(page);
  await page.locator("#status").evaluate((line) => (line.dataset.i18n = "before"));
  await page.locator("#run").click();
  await expect(page.locator("#status")).toHaveAttribute("data-i18n", "done", { timeout: 300_000 });
  expect(await shown(page)).toEqual(after);
});

/** Destroys the worker's device when the fourth frame is asked for. */
const DESTROY = `
  const devices = [];
  const request = GPUAdapter.prototype.requestDevice;
  GPUAdapter.prototype.requestDevice = async function (...given) {
    const device = await request.apply(this, given);
    devices.push(device);
    return device;
  };
  let asked = 0;
  addEventListener("message", ({ data }) => {
    if (data.call === "next" && (asked += 1) === 4) for (const device of devices) device.destroy();
  });`;
