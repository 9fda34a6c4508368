/** Runs that several workers share out among them. */

import { expect, test } from "@playwright/test";
import { url } from "./browser.js";

/** A page with the package, which keeps the workers that are started, and digests of what runs draw. */
async function open(page) {
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title>" }));
  await page.addInitScript(() => {
    window.started = [];
    window.Worker = class extends Worker {
      constructor(...args) {
        super(...args);
        started.push(this);
      }
    };
  });
  await page.goto(`${url}blank.html`);
  await page.evaluate(async () => {
    window.unnoise = await import("./pkg/index.js");
    const digest = async (bytes) => bytes && [...new Uint8Array(await crypto.subtle.digest("SHA-256", bytes))].join();
    /** Everything of a run that may not depend on the workers. */
    window.drawn = async (model, settings, options = {}, each = () => {}) => {
      const frames = [];
      for await (const frame of model.run(settings, options)) {
        const { network_ms, read_ms, total_ms, x, denoised, ...rest } = frame;
        frames.push({ ...rest, x: await digest(x), denoised: await digest(denoised) });
        await each(frame);
      }
      return JSON.stringify(frames);
    };
    window.engineOf = async (workers, told = () => {}) => {
      const engine = await unnoise.Engine.open({ device: "cpu", workers, stage: told });
      return { engine, model: await engine.load("models/selftest") };
    };
  });
}

const QUICK = { sampler: "ddim", steps: 6, images: 7, seed: 3 };

test("pictures do not depend on how many workers draw them, whatever the sampler", async ({ page }) => {
  test.setTimeout(240_000);
  await open(page);
  const { different, drew, workers } = await page.evaluate(async () => {
    const models = [];
    for (const workers of [1, 2, 3]) models.push((await engineOf(workers)).model);
    const before = started.length;
    const samplers = unnoise.catalogue().samplers.map(({ id }) => id);
    const runs = samplers.map((sampler) => ({ sampler, steps: 4, images: 7, seed: 4294967293 }));
    runs.push({ sampler: "dpmpp-2m-sde", noise: "brownian", steps: 4, images: 7, seed: 1 }, { sampler: "dpmpp-sde", noise: "brownian", steps: 4, images: 7, seed: 1 });
    runs.push({ sampler: "euler", steps: 4, images: 7, class: 1, guidance: 3 }, { sampler: "heun", steps: 1, images: 2, strength: 1 });
    const different = [];
    let drew = 0;
    for (const settings of runs) {
      const [one, ...others] = await Promise.all(models.map((model) => drawn(model, settings).catch(({ code, message }) => `${code}: ${message}`)));
      if (one.startsWith("[")) drew += 1; // else the model has no place for it, and says so
      if (others.some((other) => other !== one)) different.push({ settings, one: one.slice(0, 300), others: others.map((other) => other.slice(0, 300)) });
    }
    return { different, drew, workers: [before, started.length] };
  });
  expect(different).toEqual([]);
  expect(drew).toBeGreaterThan(50);
  expect(workers).toEqual([3, 6]); // the others were started when pictures were wanted of them
});

test("a start picture and a mask are every worker's", async ({ page }) => {
  await open(page);
  const [one, three] = await page.evaluate(async (quick) => {
    const { model } = await engineOf(1);
    const { model: shared } = await engineOf(3);
    const picture = Uint8Array.from({ length: 144 }, (_, i) => (i * 37) % 256);
    const mask = Uint8Array.from({ length: 144 }, (_, i) => (i % 12 < 6 ? 255 : 0));
    const settings = { ...quick, strength: 0.7 };
    return Promise.all([model, shared].map((model) => drawn(model, settings, { picture, mask })));
  }, QUICK);
  expect(three).toBe(one);
});

test("what a worker that breaks down had to draw is drawn by another, and said", async ({ page }) => {
  await open(page);
  const { told, same, next } = await page.evaluate(async (quick) => {
    const { model } = await engineOf(1);
    const whole = await drawn(model, quick);
    const told = [];
    const { model: shared } = await engineOf(3, (note) => told.push(note));
    await drawn(shared, quick);
    const [lost] = started.slice(-1);
    const broken = await drawn(shared, quick, {}, ({ step }) => step === 2 && lost.dispatchEvent(new ErrorEvent("error", { message: "boom" })));
    return { told: told.filter(({ stage }) => stage === "worker-lost"), same: broken === whole, next: (await drawn(shared, quick)) === whole };
  }, QUICK);
  expect(told).toEqual([{ stage: "worker-lost", workers: 2 }]);
  expect(same).toBe(true);
  expect(next).toBe(true);
});

test("when the last worker breaks down the run ends with its error", async ({ page }) => {
  await open(page);
  const code = await page.evaluate(async (quick) => {
    const { model } = await engineOf(2);
    const boom = () => started.forEach((worker) => worker.dispatchEvent(new ErrorEvent("error", { message: "boom" })));
    return drawn(model, quick, {}, ({ step }) => step === 2 && boom()).then(() => "none", ({ code }) => code);
  }, QUICK);
  expect(code).toBe("worker");
});

test("stopping stops every worker, and leaves the engine free", async ({ page }) => {
  await open(page);
  const { code, took } = await page.evaluate(async (quick) => {
    const { model } = await engineOf(3);
    const abort = new AbortController();
    const long = drawn(model, { ...quick, steps: 1000 }, { signal: abort.signal }, ({ step }) => step === 3 && abort.abort());
    const code = await long.then(() => "none", ({ code }) => code);
    const begun = performance.now();
    await drawn(model, quick);
    return { code, took: performance.now() - begun };
  }, QUICK);
  expect(code).toBe("aborted");
  expect(took).toBeLessThan(5000); // a thousand steps would take longer
});

test("weights come over the network once, however many workers want them", async ({ page }) => {
  await open(page);
  const asked = [];
  page.on("request", (request) => request.url().endsWith(".safetensors") && request.url().includes("models/") && asked.push(request.url()));
  const workers = await page.evaluate(async () => {
    const listed = await (await fetch("models/index.json")).json();
    const { id, files } = listed.find(({ id }) => id === "mnist");
    const engine = await unnoise.Engine.open({ device: "cpu", workers: 2 });
    const model = await engine.load(`models/${id}`, { files });
    await drawn(model, { steps: 1, images: 2 });
    return started.length;
  });
  expect(workers).toBe(2);
  expect(asked.length).toBe(1);
});

test("shares follow the paces, and memory bounds the workers", async ({ page }) => {
  await open(page);
  const { divided, most } = await page.evaluate(async () => {
    const { maxWorkers, splitImages } = await import("./pkg/pool.js");
    const machine = (hardwareConcurrency, deviceMemory) => ({ hardwareConcurrency, deviceMemory });
    return {
      divided: [splitImages(7, [0, 0, 0]), splitImages(16, [1, 1]), splitImages(16, [3, 1]), splitImages(3, [100, 1, 1]), splitImages(4, [1, 0, 1])],
      most: [maxWorkers(2e6, machine(2, 8)), maxWorkers(2e6, machine(64, 8)), maxWorkers(2e6, machine(undefined, undefined)), maxWorkers(8.5e8, machine(8, 8)), maxWorkers(1e8, machine(8, 4))],
    };
  });
  expect(divided).toEqual([
    [[0, 2], [2, 5], [5, 7]],
    [[0, 8], [8, 16]],
    [[0, 12], [12, 16]],
    [[0, 1], [1, 2], [2, 3]],
    [[0, 1], [1, 3], [3, 4]],
  ]);
  expect(most).toEqual([2, 8, 1, 1, 2]);
});

test("the lab's panes are the same on workers of their own, with the network as it stands", async ({ page }) => {
  await open(page);
  const [one, three] = await page.evaluate(async () => {
    const settings = { data: "moons", particles: 50, pane1: "ddim~4", pane2: "heun~3", pane3: "ddpm~5", model: "learned", width: 16, depth: 2 };
    const panes = (lab) =>
      Promise.all([1, 2, 3].map(async (pane) => {
        let last;
        for await (const { x } of lab.run(pane)) last = [...x];
        return last;
      }));
    const with_cores = async (cores) => {
      Object.defineProperty(navigator, "hardwareConcurrency", { value: cores, configurable: true });
      const before = started.length;
      const lab = await unnoise.Lab.open(settings);
      const seen = [await panes(lab)];
      for await (const _ of lab.train(20));
      seen.push(await panes(lab));
      await lab.change({ ...settings, model: "exact", seed: 5 });
      seen.push(await panes(lab));
      await lab.change({ ...settings, guide: "learned-classifier", class: 1, guidance: 2 });
      for await (const _ of lab.classify());
      seen.push(await panes(lab));
      lab.close();
      return { seen, workers: started.length - before };
    };
    return [await with_cores(1), await with_cores(3)];
  });
  expect(three.seen).toEqual(one.seen);
  expect(new Set(one.seen.map((panes) => JSON.stringify(panes))).size).toBe(4); // each stage shows something else
  expect([one.workers, three.workers]).toEqual([1, 3]);
});
