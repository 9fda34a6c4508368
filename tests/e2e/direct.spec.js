/** Steps that the graphics card draws on canvases itself, and that are not read back. */

import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { launchOptions, root, url } from "./browser.js";
import { inWorker } from "./disguise.js";
import { difference, given, link, pictures, pixels, runAgain, says, scrub, useTinyModel, visit } from "./page.js";

/** A canvas of Chromium's software adapter is shown only where SwiftShader's Vulkan draws everything else, too. */
const VULKAN = ["--use-webgpu-adapter=swiftshader", "--use-angle=swiftshader", "--enable-features=Vulkan", "--use-vulkan=swiftshader"];

test.use({ launchOptions: { ...launchOptions, args: [...launchOptions.args, ...VULKAN] } });
test.setTimeout(600_000); // SwiftShader compiles every kernel anew

/** Counts what is read back of the card. */
const WATCH = `
  globalThis.reads = 0;
  const { mapAsync } = GPUBuffer.prototype;
  GPUBuffer.prototype.mapAsync = function (...range) {
    globalThis.reads += 1;
    return mapAsync.apply(this, range);
  };`;
/** The number of read-backs since the last call. */
const reads = (page) => page.workers()[0].evaluate(() => [globalThis.reads, (globalThis.reads = 0)][0]);

/** A page that has an engine over WebGPU, and of what it draws what is read of a canvas. */
async function open(page) {
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title>" }));
  await page.route("**/folders/**", (route) => {
    const file = path.join(root, "tests/golden", new URL(route.request().url()).pathname.split("/golden/")[1]);
    return route.fulfill(existsSync(file) ? { body: readFileSync(file) } : { status: 404, body: "There is nothing here." });
  });
  await inWorker(page, WATCH);
  await page.goto(`${url}blank.html`);
  await page.evaluate(async () => {
    const unnoise = await import("./pkg/index.js");
    window.engine = await unnoise.Engine.open({ device: "webgpu" });
    window.failure = (run) => run.next().then(() => null, ({ code, values, message }) => ({ code, values, message }));
    /** A canvas on the page, and what the engine draws on. */
    window.canvas = () => {
      const element = document.createElement("canvas");
      document.body.append(element);
      return { element, offscreen: element.transferControlToOffscreen() };
    };
    /** What is on a canvas of the page, once the browser has taken it over: bytes of each picture of a frame's shape, and the share of the rest that is transparent. */
    window.drawn = async ({ element }, { images, channels, height, width }, gap) => {
      for (let i = 0; i < 10; i++) await new Promise(requestAnimationFrame);
      const columns = Math.ceil(Math.sqrt(images));
      const sheet = new OffscreenCanvas(columns * (width + gap) - gap, Math.ceil(images / columns) * (height + gap) - gap).getContext("2d");
      sheet.drawImage(element, 0, 0);
      const seen = [];
      for (let i = 0; i < images; i++) {
        const { data } = sheet.getImageData((i % columns) * (width + gap), Math.floor(i / columns) * (height + gap), width, height);
        for (let at = 0; at < data.length; at += 4) {
          if (data[at + 3] !== 255) return undefined;
          seen.push(...data.slice(at, at + (channels < 3 ? 1 : 3)));
        }
      }
      const all = sheet.getImageData(0, 0, sheet.canvas.width, sheet.canvas.height).data;
      const opaque = all.filter((value, i) => i % 4 === 3 && value > 0).length;
      return opaque === images * width * height ? seen : undefined;
    };
    /** How far bytes are from others at most; Infinity where there are not as many. */
    window.apart = (one, other) => (one?.length === other?.length ? Math.max(...one.map((value, i) => Math.abs(value - other[i]))) : Infinity);
  });
}

for (const [what, folder, settings] of [
  ["grey pictures", "models/selftest", { sampler: "ddim", steps: 5, images: 3, seed: 3 }],
  ["colours", "golden/folders/ddpm", { steps: 4, images: 2, seed: 3, schedule: "trailing", sampler: "ddim" }],
  ["latents by the linear map", "golden/folders/dit", { class: 1, steps: 4, images: 1, seed: 3, preview: "linear", schedule: "trailing", sampler: "ddim" }],
]) {
  test(`${what} are drawn as they are read back, and only the ends are read`, async ({ page }) => {
    await open(page);
    await page.evaluate(async (folder) => (window.model = await engine.load(folder)), folder);
    await reads(page); // those of the start
    const read = await page.evaluate(async (settings) => {
      window.read = [];
      for await (const frame of model.run(settings)) read.push(frame);
      return read.length;
    }, settings);
    const before = await reads(page);
    const seen = await page.evaluate(async (settings) => {
      const [x, denoised] = (window.canvases = [canvas(), canvas()]);
      const seen = [];
      for await (const frame of model.run(settings, { present: { x: x.offscreen, denoised: denoised.offscreen, gap: 2 } })) {
        const { step, steps } = frame;
        const bytes = [frame.x, frame.denoised].map((all) => all?.length ?? 0);
        // The card may be a step ahead.
        const near = async (kind, on) => {
          const now = await drawn(on, frame, 2);
          return Math.min(...read.slice(step, step + 2).map((other) => apart(now, other[kind] && [...other[kind]])));
        };
        seen.push({ step, last: step === steps, bytes, x: await near("x", x), denoised: step ? await near("denoised", denoised) : 0 });
      }
      return seen;
    }, settings);
    const drawing = await reads(page);
    expect(seen.map(({ step }) => step)).toEqual([...Array(read).keys()]);
    for (const { step, last, bytes, x, denoised } of seen) {
      expect(Math.max(x, denoised), `step ${step}`).toBeLessThanOrEqual(1);
      expect(bytes.every((count) => count === 0), `step ${step} has no bytes`).toBe(step > 0 && !last);
    }
    // Steps differ, so that one does not pass for another.
    expect(await page.evaluate(() => Math.min(...read.slice(2).map(({ x }, i) => apart([...x], [...read[i].x]))))).toBeGreaterThan(3);
    const latent = await page.evaluate(() => model.about.latent);
    if (!latent) expect([before, drawing]).toEqual([read, 2]);
    else expect(before - drawing).toBe(read - 2 + 1); // the first run fits the linear map, to pictures that are read
    // The same canvases take another run, of another size.
    const again = await page.evaluate(async (settings) => {
      const [x] = canvases;
      let last;
      for await (const frame of model.run({ ...settings, images: 1, steps: 2 }, { present: { x: x.offscreen } })) last = frame;
      return apart(await drawn(x, last, 0), [...last.x]);
    }, settings);
    expect(again).toBeLessThanOrEqual(1);
  });
}

test("what cannot be drawn on is refused in one sentence", async ({ page }) => {
  await open(page);
  const said = await page.evaluate(async () => {
    const model = await engine.load("models/selftest");
    const other = new OffscreenCanvas(1, 1);
    other.getContext("2d");
    const run = (present, more) => failure(model.run({ steps: 2 }, { present, ...more }));
    const { Engine } = await import("./pkg/index.js");
    const cpu = await Engine.open({ device: "cpu" });
    const onCpu = await cpu.load("models/selftest");
    return {
      element: await run({ x: document.createElement("canvas") }),
      context: await run({ x: other }),
      none: await run({}),
      large: await run({ x: new OffscreenCanvas(1, 1), gap: 4294967295 }),
      details: await run({ x: new OffscreenCanvas(1, 1) }, { details: true }),
      cpu: await failure(onCpu.run({ steps: 2 }, { present: { x: new OffscreenCanvas(1, 1) } })),
      after: await run(undefined),
    };
  });
  for (const what of ["element", "context", "none", "large"]) expect(said[what], what).toMatchObject({ code: "canvas", values: { why: expect.any(String) } });
  expect(said.details).toMatchObject({ code: "canvas-details" });
  expect(said.cpu).toMatchObject({ code: "canvas-cpu", message: expect.stringMatching(/CPU/) });
  expect(said.after).toBeNull();
});

const LINK = link({ sampler: "dpmpp-2m", steps: 4, seed: 5, images: 2, guidance: 1, backend: "webgpu" });
/** Whether it is the card whose pictures the stage shows. */
const shows = (page, on) => expect(page.locator("canvas.direct.on")).toHaveCount(on ? 2 : 0);

test("a switch of the page has steps drawn by the card, which the timeline then has the ends of", async ({ page }) => {
  await inWorker(page, WATCH);
  await useTinyModel(page);
  await pictures(page, LINK.replace("webgpu", "cpu"));
  await expect(page.locator("#direct-field")).toBeHidden();
  await visit(page, LINK);
  await says(page, "done");
  const [noisy, guess] = [await pixels(page, "#noisy"), await pixels(page, "#guess")];
  await scrub(page, 0);
  const start = await pixels(page, "#noisy");
  expect(await reads(page)).toBeGreaterThan(2);
  expect(await page.locator("#slider").getAttribute("max")).toBe("4");

  await page.locator("#direct").check();
  await runAgain(page);
  expect(await reads(page)).toBe(2);
  await shows(page, false);
  expect(difference(await pixels(page, "#noisy"), noisy)).toBeLessThanOrEqual(1);
  expect(difference(await pixels(page, "#guess"), guess)).toBeLessThanOrEqual(1);
  expect(await page.locator("#slider").getAttribute("max")).toBe("1");
  await scrub(page, 0);
  expect(await pixels(page, "#noisy")).toBe(start);
  await expect(page.locator("#notices")).not.toContainText("timeline keeps");
  expect(given(page)).not.toHaveProperty("direct");

  // It is remembered, and Stop ends a run within a step, of which the stage has what the card drew last.
  await visit(page, LINK.replace("steps=4", "steps=40"));
  await page.reload();
  await expect(page.locator("#direct")).toBeChecked();
  await page.locator("#fault-actions button").first().click(); // the run that the reload cut short
  await shows(page, true);
  await expect(page.locator("#save")).toBeDisabled();
  const at = async () => Number(/(\d+) of 40/.exec(await page.locator("#place").textContent())?.[1]);
  await expect.poll(at).toBeGreaterThan(25); // where the picture shows through the noise of the start
  await page.locator("#stop").click();
  await says(page, "stopped");
  const stopped = await at();
  expect(stopped).toBeLessThan(40);
  await shows(page, true);
  const [drawn, first] = await page.evaluate(() => {
    const grey = (canvas) => {
      const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d");
      copy.drawImage(canvas, 0, 0);
      return [...copy.getImageData(0, 0, copy.canvas.width, copy.canvas.height).data];
    };
    return [grey(document.querySelector("canvas.direct")), grey(document.querySelector("#noisy"))];
  });
  expect(drawn.length).toBe(first.length);
  expect(drawn.some((value, i) => Math.abs(value - first[i]) > 3)).toBe(true); // the sheet below has the start
  await scrub(page, 0);
  await shows(page, false);
  await expect(page.locator("#save")).toBeEnabled();

  await page.locator("#direct").uncheck();
  await visit(page, LINK);
  await says(page, "done");
  expect(await page.locator("#slider").getAttribute("max")).toBe("4");
  expect(difference(await pixels(page, "#noisy"), noisy)).toBeLessThanOrEqual(1);
});
