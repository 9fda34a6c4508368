/**
 * A step of a network in one browser, by this package and by onnxruntime-web, and prints the milliseconds as one JSON object:
 * for each side by number of images. The sides take turns, and the best of some rounds counts.
 *
 *   node browser.mjs cpu|webgpu MODEL NETWORK.onnx INPUTS
 *
 * MODEL is where the site has its folder, and INPUTS what `network.py export` printed. Needs UNNOISE_URL, where the page is served, and CHROMIUM.
 */

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "@playwright/test";
import { launchOptions, url } from "../../tests/e2e/browser.js";

const [backend, model, network, printed] = process.argv.slice(2);
const inputs = JSON.parse(printed);
/** Words are vectors, and a class is a whole number. */
const words = inputs.condition.type === "float32";
/** A GPU that is the processor in disguise takes seconds a step, and a model of words on the processor, with 16 images, a second. */
const [ROUNDS, STEPS] = backend === "webgpu" ? [2, 2] : [5, 4];
const IMAGES = backend === "webgpu" || words ? [1, 4] : [1, 4, 16];
const SIDES =
  backend === "webgpu"
    ? { ours: ["ours", { device: "webgpu" }], ort: ["ort", { provider: "webgpu", threads: 1 }] }
    : {
        ours_one: ["ours", { device: "cpu", workers: 1 }],
        ours: ["ours", { device: "cpu" }],
        ort_one: ["ort", { provider: "wasm", threads: 1 }],
        ort: ["ort", { provider: "wasm", threads: 2 }],
      };

const dist = fileURLToPath(new URL("./node_modules/onnxruntime-web/dist/", import.meta.url));
const TYPES = { html: "text/html", mjs: "text/javascript", wasm: "application/wasm" };
// Threads of WebAssembly want a page that is isolated from others; this package does without.
const ISOLATED = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

const browser = await chromium.launch(launchOptions);

/** A page of the site with nothing on it. */
async function blank(headers = {}) {
  const page = await browser.newPage({ baseURL: url });
  await page.route("**/peers/**", (route) => {
    const name = new URL(route.request().url()).pathname.split("/").at(-1);
    const contentType = TYPES[name.split(".").at(-1)] ?? "application/octet-stream";
    const body = name === "blank.html" ? "<!doctype html>" : readFileSync(name === "network.onnx" ? network : dist + name);
    return route.fulfill({ body, contentType, headers });
  });
  await page.goto("./peers/blank.html");
  return page;
}

/** In the page: the best milliseconds of a step. */
const drawn = async ([{ device, workers }, images, steps, model]) => {
  const { Engine } = await import("/pkg/index.js");
  const engine = await Engine.open({ device, workers });
  if (engine.backend !== device) throw new Error(`this browser has no ${device}: ${engine.reason.code}`);
  const network = await engine.load(model);
  let [best, last] = [Infinity];
  for (let round = 0; round < 2; round++) {
    for await (const { step, total_ms } of network.run({ sampler: "ddim", guidance: 1, images, steps, seed: 1, preview: "linear" })) {
      if (step > 1) best = Math.min(best, total_ms - last);
      last = total_ms;
    }
  }
  engine.close();
  return best;
};

/** The same of onnxruntime-web. */
const evaluated = async ([{ provider, threads }, images, steps, inputs]) => {
  const ort = await import(`/peers/ort.${provider === "webgpu" ? "webgpu" : "wasm"}.min.mjs`);
  ort.env.wasm.wasmPaths = new URL("/peers/", location.href).href;
  ort.env.wasm.numThreads = threads;
  const session = await ort.InferenceSession.create("/peers/network.onnx", { executionProviders: [provider], graphOptimizationLevel: "all" });
  const tensor = ([name, { shape, type }]) => {
    const size = [images, ...shape];
    const length = size.reduce((a, b) => a * b);
    const data = type === "float32" ? Float32Array.from({ length }, (_, i) => Math.sin(i)) : new BigInt64Array(length).fill(1n);
    return [name, new ort.Tensor(type, data, size)];
  };
  const feeds = Object.fromEntries(Object.entries(inputs).map(tensor));
  let best = Infinity;
  for (let i = 0; i < 2 * steps; i++) {
    const start = performance.now();
    await session.run(feeds);
    if (i) best = Math.min(best, performance.now() - start);
  }
  await session.release();
  return best;
};

const best = Object.fromEntries(Object.keys(SIDES).map((side) => [side, {}]));
for (let round = 0; round < ROUNDS; round++) {
  for (const images of IMAGES) {
    for (const [side, [kind, options]] of Object.entries(SIDES)) {
      const page = await blank(kind === "ort" ? ISOLATED : {});
      const took = await page.evaluate(kind === "ours" ? drawn : evaluated, [options, images, STEPS, kind === "ours" ? model : inputs]);
      console.error(`${model}: round ${round + 1} of ${ROUNDS}, ${side}, ${images} images: ${took.toFixed(1)} ms a step`);
      best[side][images] = Math.min(best[side][images] ?? Infinity, took);
      await page.close();
    }
  }
}
console.log(JSON.stringify({ cores: await cores(), ...best }));
await browser.close();

async function cores() {
  const page = await blank();
  return page.evaluate(() => navigator.hardwareConcurrency);
}
