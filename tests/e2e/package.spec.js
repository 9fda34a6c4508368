/** The npm package, as its README says it is used, and as it leaves `npm pack`. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";
import { serve } from "./server.js";

const readme = readFileSync(path.join(root, "pkg/README.md"), "utf8");
const [, example] = /```html\n([\s\S]*?)```/.exec(readme);

/** A page that has the package's exports as `unnoise`, beside the site. */
async function open(page) {
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title>" }));
  await page.goto(`${url}blank.html`);
  await page.evaluate(async () => {
    window.unnoise = await import("./pkg/index.js");
    /** What a promise rejects with. */
    window.failure = (promise) => promise.then(() => null, ({ name, code, values, message }) => ({ name, code, values, message }));
    /** The steps of a run, which `each` may end. */
    window.steps = async (run, each = () => {}) => {
      const seen = [];
      for await (const { step } of run) {
        seen.push(step);
        if (each(step) === "leave") break;
      }
      return seen;
    };
  });
}

/** The same with an engine on the CPU and the self-test's network on it. */
async function load(page) {
  await open(page);
  await page.evaluate(async () => {
    window.engine = await unnoise.Engine.open({ device: "cpu" });
    window.model = await engine.load("models/selftest");
  });
}

const QUICK = { sampler: "ddim", steps: 6, images: 2, seed: 3 };

test("the README's page of twenty lines runs when it is copied", async ({ page }) => {
  expect(example.trim().split("\n").length).toBeLessThanOrEqual(22);
  const site = await serve(url, { "/index.html": { body: example }, "/node_modules/unnoise/": { at: "/pkg/" } });
  await page.goto(site.url);
  await expect(page.locator("#state")).toHaveText("step 20 of 20 on cpu");
  const levels = await page.locator("#picture").evaluate((canvas) => new Set(canvas.getContext("2d").getImageData(0, 0, 28, 28).data).size);
  expect(levels).toBeGreaterThan(20); // a digit, and no blank
  await site.close();
});

test("a page made from the packed package runs, and the package has what it needs and no more", async ({ page }) => {
  const folder = mkdtempSync(path.join(tmpdir(), "unnoise-"));
  const [{ filename, files }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: path.join(root, "pkg"), encoding: "utf8" }));
  const names = files.map((file) => file.path);
  for (const name of ["index.js", "index.d.ts", "worker.js", "README.md", "LICENSE-MIT", "selftest/expected.safetensors", "unnoise_settings.js", "unnoise_settings.d.ts", "unnoise_cpu_bg.wasm"]) expect(names).toContain(name);
  expect(names.filter((name) => /\.(br|gz|part|tgz)$|^old_/.test(name))).toEqual([]);
  execFileSync("tar", ["-xzf", path.join(folder, filename), "-C", folder]);
  const types = readFileSync(path.join(folder, "package/index.d.ts"), "utf8");
  for (const [, imported, file] of types.matchAll(/import type \{ (.*) \} from "\.\/(unnoise_\w+)\.js"/g)) {
    const generated = readFileSync(path.join(folder, `package/${file}.d.ts`), "utf8");
    for (const name of imported.split(", ").map((name) => name.split(" as ")[0])) expect(generated, file).toMatch(new RegExp(`^export (interface|type|class) ${name}\\b`, "m"));
  }
  const site = await serve(url, { "/index.html": { body: example }, "/node_modules/unnoise/": { folder: path.join(folder, "package") } });
  await page.goto(site.url);
  await expect(page.locator("#state")).toHaveText("step 20 of 20 on cpu");
  await site.close();
  rmSync(folder, { recursive: true });
});

test("every name of the types is there, and none besides", async ({ page }) => {
  await open(page);
  const types = readFileSync(path.join(root, "pkg/index.d.ts"), "utf8");
  const declared = [...types.matchAll(/^export (?:function|class|const) (\w+)/gm)].map(([, name]) => name);
  expect(await page.evaluate(() => Object.keys(unnoise).sort())).toEqual([...declared].sort());
  const methods = (name) => [...new Set([...new RegExp(`^export class ${name} \\{([\\s\\S]*?)^\\}`, "m").exec(types)[1].matchAll(/^ {2}(\w+)\(/gm)].map(([, method]) => method))]; // an overloaded one is listed more than once
  const lab = await page.evaluate(() => Object.getOwnPropertyNames(unnoise.Lab.prototype));
  expect(lab.sort()).toEqual(methods("Lab").filter((name) => name !== "open").concat("constructor").sort());
});

test("functions of links want init first, and say so", async ({ page }) => {
  await open(page);
  const early = await page.evaluate(() => failure((async () => unnoise.catalogue())()));
  expect(early).toMatchObject({ name: "UnnoiseError", code: "not-ready" });
  const after = await page.evaluate(async () => {
    await unnoise.init();
    const { settings, problems } = unnoise.read_link("#sampler=heun&steps=12&seed=5");
    return { settings, problems, link: unnoise.write_link(settings), samplers: unnoise.catalogue().samplers.length };
  });
  expect(after.settings).toMatchObject({ sampler: "heun", steps: 12, seed: 5 });
  expect(after.problems).toEqual([]);
  expect(after.link).toContain("sampler=heun&steps=12");
  expect(after.samplers).toBeGreaterThan(40);
});

test("leaving the loop stops the run, and the engine is free for the next", async ({ page }) => {
  await load(page);
  const seen = await page.evaluate(async (quick) => {
    const left = await steps(model.run({ ...quick, steps: 1000 }), (step) => step === 3 && "leave");
    const begun = performance.now();
    const next = await steps(model.run(quick));
    return { left, next, took: performance.now() - begun };
  }, QUICK);
  expect(seen.left).toEqual([0, 1, 2, 3]);
  expect(seen.next).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(seen.took).toBeLessThan(5000); // a thousand steps would take longer
});

test("a setting that is undefined or null is as one that is left out", async ({ page }) => {
  await load(page);
  const seen = await page.evaluate(async (quick) => {
    const last = async (settings) => {
      let x;
      for await (const frame of model.run(settings)) ({ x } = frame);
      return [...x];
    };
    return { unset: await last({ ...quick, eta: undefined, sampler: null }), plain: await last((({ sampler, ...rest }) => rest)(quick)) };
  }, QUICK);
  expect(seen.unset).toEqual(seen.plain);
});

test("an aborted signal ends a run, a download and a start, with one clear error each", async ({ page }) => {
  await load(page);
  const errors = await page.evaluate(async (quick) => {
    const abort = new AbortController();
    const run = failure(steps(model.run({ ...quick, steps: 1000 }, { signal: abort.signal }), (step) => void (step === 2 && abort.abort())));
    const stopped = AbortSignal.abort();
    return [await run, await failure(engine.load("models/selftest", { signal: stopped })), await failure(unnoise.Engine.open({ device: "cpu", signal: stopped }))];
  }, QUICK);
  for (const error of errors) expect(error).toEqual({ name: "AbortError", code: "aborted", values: {}, message: "The operation was aborted." });
  expect(await page.evaluate((quick) => steps(model.run(quick)), QUICK)).toHaveLength(7);
});

test("another model takes the first one's place, which says so", async ({ page }) => {
  await load(page);
  const { error, seen, about, progress } = await page.evaluate(async (quick) => {
    const first = model.run({ ...quick, steps: 1000 });
    await first.next();
    const at = [];
    const other = await engine.load(new URL("models/mnist/", location.href), { progress: (told) => at.push(told) });
    return { error: await failure(steps(first)), seen: await steps(other.run({ ...quick, steps: 1, images: 1 })), about: other.about, progress: at.at(-1) };
  }, QUICK);
  expect(error).toMatchObject({ code: "model-replaced" });
  expect(seen).toEqual([0, 1]);
  expect(about).toMatchObject({ channels: 1, height: 28, width: 28 });
  expect(progress.loaded).toBe(progress.total);
});

test("a model comes from anything that can read a path", async ({ page }) => {
  await load(page);
  const same = await page.evaluate(async (quick) => {
    const last = async (model) => {
      let x;
      for await (const frame of model.run(quick)) x = frame.x;
      return String(x);
    };
    const served = await last(model);
    const weights = new Uint8Array(await (await fetch("models/selftest/unet/diffusion_pytorch_model.safetensors")).arrayBuffer());
    const read = async (path) => {
      if (path.endsWith("safetensors")) return weights;
      const answer = await fetch(`models/selftest/${path}`);
      return answer.ok ? answer : undefined;
    };
    const mine = await engine.load({ read }, { id: "mine" });
    return { same: (await last(mine)) === served, kept: weights.length, missing: await failure(engine.load({ read: () => undefined })) };
  }, QUICK);
  expect(same).toMatchObject({ same: true, missing: { code: "missing", values: { file: "unet/config.json" } } });
  expect(same.kept).toBeGreaterThan(0); // the caller's bytes are still the caller's
});

for (const [settings, key, code] of [
  [{ sampler: "nope" }, "sampler", "one-of"],
  [{ steps: 0 }, "steps", "whole"],
  [{ steps: "many" }, "steps", "whole"],
  [{ schedule: "karras:0" }, "schedule", "schedule"],
  [{ sampler: "heun", eta: 1 }, "eta", "no-knob"],
  [{ stesp: 4 }, "stesp", "unknown-key"],
]) {
  test(`the settings ${JSON.stringify(settings)} reject, and no default is run in their place`, async ({ page }) => {
    await load(page);
    const { error, seen } = await page.evaluate(async (settings) => {
      const seen = [];
      const error = await failure(steps(model.run(settings), (step) => void seen.push(step)));
      return { error, seen };
    }, settings);
    expect(error).toMatchObject({ name: "UnnoiseError", code: "setting", values: { key, code } });
    expect(seen).toEqual([]);
  });
}

test("a trapped engine and a lost worker are one clear error each", async ({ page }) => {
  await page.route("**/pkg/unnoise_cpu.js", async (route) => {
    const response = await route.fetch();
    const trap = `Engine.prototype.run = () => ({ next() { return new Promise(() => setTimeout(() => { throw new WebAssembly.RuntimeError("unreachable"); })); }, free() {} });`;
    await route.fulfill({ response, body: `${await response.text()}\n${trap}` });
  });
  await load(page);
  const errors = await page.evaluate(async () => [await failure(steps(model.run())), await failure(steps(model.run()))]);
  for (const error of errors) expect(error).toMatchObject({ code: "engine-crashed", values: { message: expect.stringContaining("unreachable") } });
  await page.route("**/pkg/worker.js", (route) => route.fulfill({ status: 404, body: "no" }));
  expect(await page.evaluate(() => failure(unnoise.Engine.open()))).toMatchObject({ code: "worker" });
});

test("an engine that is closed says so to whoever waits", async ({ page }) => {
  await load(page);
  const errors = await page.evaluate(async () => {
    const waiting = failure(steps(model.run({ steps: 1000 }), (step) => void (step === 1 && engine.close())));
    return [await waiting, await failure(engine.load("models/selftest"))];
  });
  for (const error of errors) expect(error).toMatchObject({ code: "closed" });
});

test("the package runs in a worker of the page's own", async ({ page }) => {
  await open(page);
  const seen = await page.evaluate(async (quick) => {
    const script = `
      import { Engine } from "${location.href.replace("blank.html", "pkg/index.js")}";
      const engine = await Engine.open({ device: "cpu" });
      const model = await engine.load("${location.href.replace("blank.html", "models/selftest/")}");
      let last;
      for await (const { step } of model.run(${JSON.stringify(quick)})) last = step;
      postMessage(last);`;
    const worker = new Worker(URL.createObjectURL(new Blob([script], { type: "text/javascript" })), { type: "module" });
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
  }, QUICK);
  expect(seen).toBe(6);
});

test("a download without a list reports its progress and keeps what the server says it is", async ({ page }) => {
  await open(page);
  const told = await page.evaluate(async () => {
    const at = [];
    const data = await unnoise.download("models/selftest/unet/diffusion_pytorch_model.safetensors", { progress: (loaded, total) => at.push([loaded, total]) });
    return { length: data.length, last: at.at(-1), wrong: await failure(unnoise.download("models/selftest/model_index.json", { facts: { bytes: 3, sha256: "00" } })) };
  });
  expect(told.last[0]).toBe(told.length);
  expect(told.wrong).toMatchObject({ code: "truncated", values: { expected: 3 } });
});

test("trained steps are those that were read", async ({ page }) => {
  await open(page);
  const { train, step } = await page.evaluate(async () => {
    const lab = await unnoise.Lab.open({ data: "moons", model: "learned", depth: 1, width: 16, batch: 64 });
    let step = 0;
    for await (const told of lab.train(1000)) {
      step = told.step;
      if (step > 20) break;
    }
    let next;
    for await (const told of lab.train(step + 1)) next = told.step;
    lab.close();
    return { train: next, step };
  });
  expect(train).toBe(step + 1); // nothing was trained behind the reader's back
});
