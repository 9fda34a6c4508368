/** Weights go to the engine a few megabytes at a time: what that takes of memory, and what becomes of a load that fails. */

import { createHash } from "node:crypto";
import { expect, test } from "@playwright/test";
import { WEIGHTS, host, widened } from "./wide.js";

const MB = 1e6;

/** A page of that host with an engine on the CPU and the self-test's network on it. */
async function open(page, server) {
  await page.goto(`${server.url}blank.html`);
  await page.evaluate(async () => {
    window.unnoise = await import("./pkg/index.js");
    window.failure = (promise) => promise.then(() => null, ({ code, values, message }) => ({ code, values, message }));
    window.engine = await unnoise.Engine.open({ device: "cpu" });
    window.first = await engine.load("models/selftest");
    /** A model whose last step is the same as before is still on the device. */
    window.drawn = async (model) => {
      let last;
      for await (const frame of model.run({ sampler: "ddim", steps: 2, images: 1, seed: 3 })) last = String(frame.x);
      return last;
    };
  });
}

/** What the files of a folder are to be. */
const factsOf = (files) => Object.fromEntries(Object.entries(files).map(([name, data]) => [name, { bytes: data.length, sha256: createHash("sha256").update(data).digest("hex") }]));

for (const [name, how] of [
  ["answers ranges", {}],
  ["answers none", { ranges: false }],
]) {
  test(`a large model from a host that ${name} takes its weights and little more`, async ({ page }) => {
    const files = widened(24);
    const weights = files[WEIGHTS].length;
    expect(weights).toBeGreaterThan(60 * MB);
    const server = await host(files, how);
    await open(page, server);
    const { before, after, told, parts } = await page.evaluate(async () => {
      const told = [];
      const { about } = await engine.load("wide", { progress: (step) => told.push(step) });
      return { before: first.about.memory, after: about.memory, told, parts: about.parts };
    });
    await server.close();
    // A piece of the file, what the allocator rounds up to, and parameters besides their values.
    expect(after - before).toBeLessThan(weights * 1.05 + 10 * MB);
    expect(after - before).toBeGreaterThan(weights * 0.9);
    expect(parts).toEqual([{ folder: "unet", class: "UNet2DModel", parameters: expect.any(Number), bytes: weights, stored: ["float32"] }]);
    // Progress by file and by bytes, a few megabytes at a time.
    const steps = told.filter(({ file }) => file === WEIGHTS).map(({ file_loaded }) => file_loaded);
    expect(steps.length).toBeGreaterThan(weights / (4 << 20));
    expect(steps.every((step, i) => i === 0 || (step > steps[i - 1] && step - steps[i - 1] <= 4 << 20))).toBe(true);
    expect(told.at(-1)).toMatchObject({ file: WEIGHTS, file_loaded: weights, file_total: weights });
    expect(told.at(-1).loaded).toBe(told.at(-1).total);
    // One request for all of them.
    expect(server.asked.filter(({ name }) => name === WEIGHTS)).toHaveLength(1);
  });
}

test("a file of the person's own is read where it lies", async ({ page }) => {
  const server = await host(widened(16));
  await open(page, server);
  const told = await page.evaluate(async (weights) => {
    const names = ["unet/config.json", "scheduler/scheduler_config.json", weights];
    const files = await Promise.all(names.map(async (name) => [name, new File([await (await fetch(`wide/${name}`)).blob()], name)]));
    const folder = new Map(files);
    const slices = [];
    const slice = File.prototype.slice;
    File.prototype.slice = function (...args) {
      slices.push(args);
      return slice.apply(this, args);
    };
    const { about } = await engine.load({ list: () => names.map((path) => ({ path, bytes: folder.get(path).size })), read: (path) => folder.get(path) });
    return { slices, memory: about.memory - first.about.memory, weights: folder.get(weights).size };
  }, WEIGHTS);
  await server.close();
  expect(told.slices[0]).toEqual([0, 8]);
  expect(Math.max(...told.slices.map(([from, to]) => to - from))).toBeLessThanOrEqual(4 << 20);
  expect(told.slices.at(-1)[1]).toBe(told.weights);
  expect(told.memory).toBeLessThan(told.weights * 1.05 + 10 * MB);
});

for (const ranges of [true, false]) {
  test(`a connection that breaks is taken up again, ${ranges ? "where it broke" : "from the start where the host knows no ranges"}`, async ({ page }) => {
    const server = await host(widened(16), { ranges, cut: 6 * MB });
    await open(page, server);
    const memory = await page.evaluate(async () => (await engine.load("wide")).about.memory);
    await server.close();
    expect(memory).toBeGreaterThan(0);
    const asked = server.asked.filter(({ name }) => name === WEIGHTS);
    expect(asked.map(({ range }) => range)).toEqual([undefined, expect.stringMatching(/^bytes=\d+-$/)]);
  });
}

test("a checked file is kept as it comes, and read from the cache after that", async ({ page }) => {
  const files = widened(16);
  const facts = factsOf(files);
  const server = await host(files);
  await open(page, server);
  const load = (given) => page.evaluate(async (files) => failure(engine.load("wide", { files })), given);
  const asked = () => server.asked.filter(({ name }) => name === WEIGHTS).length;
  expect(await load(facts)).toBeNull();
  expect(await load(facts)).toBeNull();
  expect(asked()).toBe(1);
  const kept = () => page.evaluate(async () => (await (await caches.open("unnoise")).keys()).map(({ url }) => new URL(url).pathname.slice("/wide/".length)));
  expect(await kept()).toContain(WEIGHTS);
  const stated = await page.evaluate(async () => {
    const cache = await caches.open("unnoise");
    const [key] = (await cache.keys()).filter(({ url }) => url.includes("safetensors"));
    return Number((await cache.match(key)).headers.get("content-length"));
  });
  expect(stated).toBe(files[WEIGHTS].length);

  // Other bytes under the same name are noticed at the end, the model before stays, and nothing of them is kept.
  files[WEIGHTS] = Buffer.from(files[WEIGHTS]);
  files[WEIGHTS][files[WEIGHTS].length - 1] ^= 1;
  await page.evaluate(() => caches.delete("unnoise"));
  const before = await page.evaluate(async () => drawn((window.former = await engine.load("models/selftest"))));
  expect(await load(facts)).toMatchObject({ code: "damaged", values: { file: expect.stringContaining(WEIGHTS) } });
  expect(await kept()).not.toContain(WEIGHTS);
  expect(await page.evaluate(() => drawn(former))).toBe(before);
  await server.close();
});

test("without a cache, as on a site without https, a checked model loads all the same", async ({ page }) => {
  const files = widened(8);
  const facts = factsOf(files);
  const server = await host(files);
  await page.addInitScript(() => delete globalThis.caches);
  await open(page, server);
  const seen = await page.evaluate(async (files) => {
    const told = [];
    const source = await unnoise.fetch_model("wide", { files, progress: ({ loaded, total }) => told.push(loaded / total) });
    const fetched = told.at(-1);
    return { caches: typeof caches, fetched, error: await failure(engine.load(source)), loaded: told.at(-1) };
  }, facts);
  await server.close();
  expect(seen).toMatchObject({ caches: "undefined", error: null, loaded: 1 });
  expect(seen.fetched).toBeLessThan(0.1); // weights are not held until there is an engine
  expect(server.asked.filter(({ name }) => name === WEIGHTS)).toHaveLength(1);
});

test("a model that is downloaded early is in the cache, and read from there", async ({ page }) => {
  const files = widened(8);
  const facts = factsOf(files);
  const server = await host(files);
  await open(page, server);
  const seen = await page.evaluate(async (files) => {
    const told = [];
    const source = await unnoise.fetch_model("wide", { files, progress: ({ loaded, total }) => told.push(loaded / total) });
    const fetched = told.at(-1);
    // Two at the same time, as by two workers.
    const other = await unnoise.Engine.open({ device: "cpu" });
    const errors = await Promise.all([failure(engine.load(source)), failure(other.load(source))]);
    return { fetched, errors };
  }, facts);
  await server.close();
  expect(seen).toEqual({ fetched: 1, errors: [null, null] });
  expect(server.asked.filter(({ name }) => name === WEIGHTS)).toHaveLength(1);
});

test("a damaged copy in the cache is fetched anew", async ({ page }) => {
  const files = widened(2);
  const facts = factsOf(files);
  const server = await host(files);
  await open(page, server);
  const seen = await page.evaluate(async ([files, weights]) => {
    const cache = await caches.open("unnoise");
    const key = `wide/${weights}?sha256=${files[weights].sha256}`;
    await cache.put(key, new Response(new Uint8Array(files[weights].bytes).fill(7)));
    const failed = await failure(engine.load("wide", { files }));
    return { failed, first: new Uint8Array(await (await cache.match(key)).arrayBuffer())[0] };
  }, [facts, WEIGHTS]);
  expect(seen.failed).toBeNull();
  expect(seen.first).toBe(files[WEIGHTS][0]);
  await server.close();
});

test("a load that is cancelled reads no further, and the model before it stays", async ({ page }) => {
  const server = await host(widened(16));
  await open(page, server);
  const seen = await page.evaluate(async (weights) => {
    const abort = new AbortController();
    const before = await drawn(first);
    const asked = [];
    const files = { "unet/config.json": 1, "scheduler/scheduler_config.json": 1, [weights]: 1 };
    const blobs = Object.fromEntries(await Promise.all(Object.keys(files).map(async (name) => [name, await (await fetch(`wide/${name}`)).blob()])));
    const source = {
      list: () => Object.keys(files),
      read: (path) => blobs[path],
      range: async (path, from, to) => {
        asked.push(from);
        if (asked.length === 4) abort.abort();
        return blobs[path].slice(from, to);
      },
    };
    const error = await failure(engine.load(source, { signal: abort.signal }));
    const same = (await drawn(first)) === before;
    const next = await engine.load("models/selftest");
    return { error, same, asked: asked.length, next: next.about.parameters };
  }, WEIGHTS);
  await server.close();
  expect(seen).toMatchObject({ error: { code: "aborted" }, same: true, asked: 4 });
  expect(seen.next).toBeGreaterThan(0);
});

test("a range that is too short is a sentence, and the model before it stays", async ({ page }) => {
  const server = await host({});
  await open(page, server);
  const seen = await page.evaluate(async (weights) => {
    const before = await drawn(first);
    const read = async (path) => (await fetch(`models/selftest/${path}`)).blob();
    const list = () => ["unet/config.json", "scheduler/scheduler_config.json", weights];
    const range = async (path, from, to) => (await read(path)).slice(from, to - 1);
    return { error: await failure(engine.load({ list, read, range })), same: (await drawn(first)) === before };
  }, WEIGHTS);
  await server.close();
  expect(seen).toMatchObject({ error: { code: "truncated", values: { file: WEIGHTS } }, same: true });
});
