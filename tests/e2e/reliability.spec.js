/** What goes wrong around the page: a slow network, a server that dies, a clock that is set, another tab. Nothing is lost, and one sentence says it. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";
import { given, hash, link, pictures, print, runAgain, says, type, useTinyModel, visit } from "./page.js";
import { listen } from "./server.js";

const MNIST = "#model=mnist&sampler=ddim&steps=2&seed=4&images=1&guidance=1&backend=cpu";
const WEIGHTS = "/models/mnist/unet/diffusion_pytorch_model.safetensors";
const strip = (page) => page.locator("#history-list .kept");

test("over a slow network the download is told, the page answers meanwhile, and the pictures are the same", async ({ page, context }) => {
  const other = await context.browser().newContext();
  const quick = await other.newPage();
  await pictures(quick, `${url}${MNIST}`, "");
  const undisturbed = await print(quick, "#noisy");
  await other.close();
  const session = await context.newCDPSession(page);
  await session.send("Network.enable");
  await visit(page, "");
  await session.send("Network.emulateNetworkConditions", { offline: false, latency: 300, downloadThroughput: 400_000, uploadThroughput: 50_000 });
  await page.evaluate((hash) => (location.hash = hash), MNIST.replace("mnist", "mnist&lang=en"));
  await says(page, "stage.downloading");
  await expect(page.locator("#cancel")).toBeVisible();
  const loaded = async () => Number((await page.locator("#status").textContent()).match(/[\d.]+/)?.[0]);
  const first = await loaded();
  await type(page, "#seed", "4");
  await page.locator("#sampler").selectOption("euler");
  await page.locator("#sampler").selectOption("ddim");
  await expect.poll(loaded).toBeGreaterThan(first);
  await says(page, "done");
  await expect(page.locator("#fault")).toBeHidden();
  expect(await print(page, "#noisy")).toBe(undisturbed);
});

/** The site under test, of whose weights only the first half comes, and nothing more of the model, as long as it is `dead`. */
async function dying() {
  const state = { dead: true };
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, url);
    if (pathname === WEIGHTS && state.dead) {
      const weights = readFileSync(path.join(root, pathname));
      if (state.died) return request.socket.destroy();
      state.died = true;
      response.writeHead(200, { "content-type": "application/octet-stream", "content-length": weights.length });
      return response.write(weights.subarray(0, weights.length / 2), () => request.socket.destroy());
    }
    const inner = await fetch(new URL(`.${pathname}`, url), { headers: request.headers.range ? { range: request.headers.range } : {} });
    const headers = Object.fromEntries(["content-type", "content-range"].flatMap((name) => (inner.headers.get(name) ? [[name, inner.headers.get(name)]] : [])));
    response.writeHead(inner.status, headers).end(Buffer.from(await inner.arrayBuffer()));
  });
  return { state, ...(await listen(server)) };
}

test("a server that dies in mid-download is named, and what was made and set is there when it is back", async ({ page }) => {
  const site = await dying();
  await pictures(page, "#model=mnist-score&sampler=euler&steps=2&seed=4&images=1&backend=cpu", site.url);
  const before = await print(page, "#noisy");
  await page.evaluate((hash) => (location.hash = hash), MNIST);
  await expect(page.locator("#fault-text")).toContainText("models/mnist/unet/diffusion_pytorch_model.safetensors");
  await says(page, "failed.start");
  await expect(page.locator("#fault")).toHaveCount(1);
  expect(await print(page, "#noisy")).toBe(before);
  await expect(strip(page)).toHaveCount(1);
  expect(given(page)).toMatchObject({ model: "mnist", seed: "4" });
  site.state.dead = false;
  await page.getByRole("button", { name: "Try again" }).click();
  await says(page, "done");
  await expect(page.locator("#fault")).toBeHidden();
  await expect(strip(page)).toHaveCount(2);
  await site.close();
});

test("a clock that is set back or forward changes neither the order of finished runs nor which of them leaves", async ({ page }) => {
  await useTinyModel(page);
  await page.clock.setSystemTime(new Date("2031-05-05T12:00:00Z"));
  await pictures(page, link({ seed: 1 }));
  await expect(strip(page)).toHaveCount(1);
  for (const [seed, time] of [["2", "2030-01-01"], ["3", "2033-01-01"], ["4", "1999-01-01"]]) {
    await page.clock.setSystemTime(new Date(time));
    await type(page, "#seed", seed);
    await runAgain(page);
    await expect(strip(page)).toHaveCount(Number(seed));
  }
  const seeds = () => strip(page).evaluateAll((runs) => runs.map((run) => run.getAttribute("aria-label").match(/seed (\d)/)[1]));
  expect(await seeds()).toEqual(["4", "3", "2", "1"]);
  await page.reload();
  await says(page, "done"); // the link is drawn anew, and kept once more
  await expect(strip(page)).toHaveCount(5);
  expect(await seeds()).toEqual(["4", "4", "3", "2", "1"]);
});

test("what one tab deletes of the cache another one does without", async ({ page, context }) => {
  await pictures(page, MNIST);
  const before = await print(page, "#noisy");
  const other = await context.newPage();
  await pictures(other, MNIST);
  await other.getByRole("button", { name: "Storage…" }).click();
  await other.getByRole("button", { name: "Delete all" }).click();
  await runAgain(page);
  expect(await print(page, "#noisy")).toBe(before);
  await page.reload();
  await says(page, "done");
  expect(await print(page, "#noisy")).toBe(before);
  expect(hash(page)).toContain("model=mnist");
});
