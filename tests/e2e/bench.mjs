/**
 * Measures the page in a browser and prints one JSON object:
 *
 *   cold_ms        from opening a link (1 image, 10 steps) to its finished picture, nothing cached
 *   warm_ms        the same with everything cached
 *   ms_per_step    by number of images: mean over the steps after the first, which pays for compiling; no guidance, so one evaluation each
 *   outside_share  share of a run's time (16 images) that is not in the network's forward pass
 *   peak_memory    largest resident size of the page's process in bytes; null where /proc is missing
 *
 * `npm run bench -- webgpu` measures the other backend. Needs a running `cargo xtask serve --port 8089`, or UNNOISE_URL.
 */

import { readFileSync } from "node:fs";
import { chromium } from "@playwright/test";
import { launchOptions, url } from "./browser.js";

const backend = process.argv[2] ?? "cpu";
const STEPS = 10;
const PATIENCE = { timeout: 600_000 };

const browser = await chromium.launch(launchOptions);
const context = await browser.newContext({ baseURL: url });
const page = await context.newPage();
// The page's own messages from its worker carry the engine's clock.
await page.addInitScript(() => {
  window.frames = [];
  window.Worker = class extends Worker {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data: { result } }) => result?.network_ms !== undefined && window.frames.push(result));
    }
  };
});

const until = (key) => page.waitForFunction((key) => document.querySelector("#status")?.dataset.i18n === key, key, PATIENCE);

const link = (images) => `./#images=${images}&steps=${STEPS}&guidance=1&backend=${backend}`;

async function timeToPicture() {
  const start = performance.now();
  await page.goto(link(1));
  await until("done");
  return Math.round(performance.now() - start);
}

async function frames(images) {
  await page.goto("about:blank");
  await page.goto(link(images));
  await until("done");
  return page.evaluate(() => window.frames.map(({ step, total_ms, network_ms }) => ({ step, total_ms, network_ms })));
}

async function peakMemory() {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const kilobytes = ({ id }) => Number(/VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${id}/status`, "utf8"))[1]);
  return 1024 * Math.max(...processInfo.filter(({ type }) => type === "renderer").map(kilobytes));
}

const cold_ms = await timeToPicture();
await page.goto("about:blank");
const warm_ms = await timeToPicture();
const ms_per_step = {};
let outside_share;
for (const images of [1, 4, 16]) {
  const run = await frames(images);
  const [first, last] = [run[1], run.at(-1)];
  ms_per_step[images] = Number(((last.total_ms - first.total_ms) / (last.step - first.step)).toFixed(1));
  outside_share = Number((1 - last.network_ms / last.total_ms).toFixed(4));
}
const peak_memory = await peakMemory().catch(() => null);
console.log(JSON.stringify({ backend, cold_ms, warm_ms, ms_per_step, outside_share, peak_memory }));
await browser.close();
