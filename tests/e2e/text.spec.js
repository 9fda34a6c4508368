/** Words to pictures: a link with a prompt, on the page and in the package. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root } from "./browser.js";
import { unnoise } from "./cli.js";
import { decode, given, pictures, pixels, print, runAgain, says, type } from "./page.js";

const HEART = "#model=emoji-text&prompt=red%20heart&seed=3&steps=4&backend=cpu";

test("a link with a prompt loads the model of words and draws the command line's picture", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await pictures(page, HEART);
  await expect(page.locator("#prompt")).toHaveValue("red heart");
  expect(given(page)).toMatchObject({ prompt: "red heart", guidance: "3", steps: "4" });
  const saving = page.waitForEvent("download");
  await page.locator("#save").click();
  const saved = await decode(page, readFileSync(await (await saving).path()));
  const file = info.outputPath("native.png");
  unnoise("sample", "--link", HEART, "--out", file);
  const native = await decode(page, readFileSync(file));
  expect([saved.width, saved.height]).toEqual([native.width, native.height]);
  const worst = saved.data.reduce((most, value, i) => Math.max(most, Math.abs(value - native.data[i])), 0);
  // Both run the same Rust, but another width of SIMD adds in another order, which may move a rounding.
  expect(worst).toBeLessThanOrEqual(1);
});

test("prompts change the picture, and go along to the faster model but not to one without words", async ({ page }) => {
  await pictures(page, HEART);
  const heart = await print(page, "#noisy");
  await type(page, "#prompt", "蓝色的鸟 & Co.");
  await runAgain(page);
  expect(await print(page, "#noisy")).not.toBe(heart);
  await pictures(page, "#model=emoji-text-turbo&prompt=red%20heart&seed=3&backend=cpu");
  expect(await pixels(page, "#noisy")).not.toBe("");
  await page.goto("#model=mnist&prompt=red%20heart&backend=cpu");
  await expect(page.locator("#notices")).toContainText("prompt=red heart");
  await says(page, "done");
  await expect(page.locator("#prompt-field")).toBeHidden();
});

test("the package says what a model is conditioned on, counts tokens, and reads what the model asks for", async ({ page }) => {
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title>" }));
  await page.goto("blank.html");
  const seen = await page.evaluate(async () => {
    const { Engine } = await import(new URL("pkg/index.js", location.href).href);
    const engine = await Engine.open({ device: "cpu" });
    const asked = [];
    const files = await (await fetch("models/index.json")).json();
    const { files: listed } = files.find(({ id }) => id === "emoji-text-turbo");
    const source = {
      // What a person's folder holds besides is not read.
      list: () => [...Object.keys(listed), "README.md", "samples.png"],
      read: async (path) => {
        asked.push(path);
        return fetch(new URL(path, new URL("models/emoji-text-turbo/", location.href)));
      },
    };
    const model = await engine.load(source, { id: "mine" });
    const { conditioning, latent, tokens, width, parts } = model.about;
    let last;
    for await (const frame of model.run({ prompt: "red heart", seed: 3 })) last = frame;
    return {
      about: { conditioning, latent, tokens, width, parts: parts.map(({ folder }) => folder) },
      facts: model.facts,
      prompts: model.prompts.en.length,
      count: await model.tokens("red heart"),
      long: (await model.tokens("heart ".repeat(40))).left_out.length,
      asked: [...new Set(asked)].length === asked.length && !asked.some((path) => /README|samples/.test(path)) && asked.length,
      last: [last.step, last.x.length, last.denoised.length],
    };
  });
  expect(seen.about).toEqual({ conditioning: "text", latent: true, tokens: 32, width: 64, parts: ["unet", "vae", "text_encoder"] });
  expect(seen.facts).toEqual({ classes: 0, null_class: null, text: true, latent: true, sizes: [8, 4] });
  expect(seen).toMatchObject({ count: { count: 4, left_out: [] }, asked: 12, last: [2, 64 * 64 * 3, 64 * 64 * 3] });
  expect(seen.prompts).toBeGreaterThan(4);
  expect(seen.long).toBeGreaterThan(5);
});

/** Draws with a small StableDiffusion pipeline of random weights, once as it is stored, in 16 bits, and once widened to 32. */
const draw = (page, device) =>
  page.evaluate(async (device) => {
    const { Engine } = await import(new URL("pkg/index.js", location.href).href);
    const engine = await Engine.open({ device });
    const weights = (part) => `${part}/${part === "text_encoder" ? "" : "diffusion_pytorch_"}model.safetensors`;
    const parts = ["unet", "vae", "text_encoder"].flatMap((part) => [`${part}/config.json`, weights(part)]);
    const tokenizer = ["tokenizer_config.json", "vocab.json", "merges.txt"].map((file) => `tokenizer/${file}`);
    const list = ["model_index.json", "scheduler/scheduler_config.json", ...parts, ...tokenizer];
    const stored = async (path) => new Uint8Array(await (await fetch(new URL(`words/${path}`, location.href))).arrayBuffer());
    /** A file of weights with every tensor in 32 bits. */
    const widened = (bytes) => {
      const end = 8 + Number(new DataView(bytes.buffer).getBigUint64(0, true));
      const { __metadata__: _, ...tensors } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, end)));
      for (const tensor of Object.values(tensors)) {
        if (tensor.dtype !== "F16") throw new Error(`a tensor is stored as ${tensor.dtype}`);
        Object.assign(tensor, { dtype: "F32", data_offsets: tensor.data_offsets.map((at) => 2 * at) });
      }
      const header = new TextEncoder().encode(JSON.stringify(tensors));
      const values = new Float32Array(new Float16Array(bytes.slice(end).buffer));
      return new Blob([new BigUint64Array([BigInt(header.length)]), header, values]).arrayBuffer();
    };
    const drawn = async (read) => {
      const model = await engine.load({ list: () => list, read });
      let last;
      for await (const frame of model.run({ prompt: "a red heart on white", negative: "night", seed: 20, steps: 4, images: 2 })) last = frame;
      const stored = [...new Set(model.about.parts.flatMap(({ stored }) => stored))];
      return { backend: engine.backend, stored, step: last.step, values: [...last.denoised] };
    };
    const wide = async (path) => (path.endsWith(".safetensors") ? widened(await stored(path)) : stored(path));
    return [await drawn(stored), await drawn(wide)];
  }, device);

test("WebGPU draws the CPU's pictures of a prompt, with weights of 16 and of 32 bits", async ({ page }) => {
  test.setTimeout(900_000); // SwiftShader compiles every kernel anew
  const golden = path.join(root, "tests/golden");
  await page.route("**/words/**", (route) => {
    const file = route.request().url().split("/words/")[1];
    const shared = /tokenizer\/(vocab.json|merges.txt)$/.exec(file)?.[1];
    return route.fulfill({ body: readFileSync(shared ? path.join(golden, "tokenizer", shared) : path.join(golden, "folders/sd1", file)) });
  });
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title>" }));
  await page.goto("blank.html");
  const [half, whole] = await draw(page, "cpu");
  expect([half.stored, whole.stored, half.values]).toEqual([["float16"], ["float32"], whole.values]);
  expect(Math.max(...half.values) - Math.min(...half.values)).toBeGreaterThan(60); // a picture, and no blank
  for (const [i, drawn] of (await draw(page, "webgpu")).entries()) {
    expect(drawn).toMatchObject({ backend: "webgpu", stored: [half, whole][i].stored, step: half.step });
    const apart = drawn.values.reduce((most, value, i) => Math.max(most, Math.abs(value - half.values[i])), 0);
    // Kernels add in another order, which may move a value over the middle between two of 255 steps.
    expect(apart).toBeLessThanOrEqual(1);
  }
});
