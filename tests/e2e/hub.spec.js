/** Models of a hub, played by a server of the tests' own: what it is asked, what is kept, and what goes wrong. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";
import { serveHub } from "./hub.js";
import { given, hash, link, pictures, print, runAgain, says, useTinyModel, visit } from "./page.js";
import { repository } from "./repository.js";

const WEIGHTS = "unet/diffusion_pytorch_model.safetensors";
const SITE = link({ steps: 1, images: 1 });
/** Bytes of a piece as the page keeps it. */
const PIECE = 4 << 20;

let hub;

/** A repository with what such ones also hold. */
const crowded = () => ({
  ...repository(),
  ".gitattributes": Buffer.from("*.safetensors filter=lfs"),
  "README.md": Buffer.from("A model."),
  "unet/diffusion_pytorch_model.bin": Buffer.alloc(200_000),
  "unet/diffusion_pytorch_model.fp16.safetensors": Buffer.alloc(100_000),
});

/** The same with weights of several pieces: those of a shipped model. */
function large() {
  const folder = path.join(root, "models/emoji-32");
  const names = ["unet/config.json", WEIGHTS, "scheduler/scheduler_config.json"];
  const index = { _class_name: "DDPMPipeline", unet: ["diffusers", "UNet2DModel"], scheduler: ["diffusers", "DDIMScheduler"] };
  return { ...Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name))])), "model_index.json": Buffer.from(JSON.stringify(index)) };
}

test.beforeEach(async ({ page }) => {
  hub = await serveHub({ "cats/tiny": crowded(), "cats/large": large() });
  await useTinyModel(page);
  await pictures(page, SITE);
});

test.afterEach(() => hub.close());

const text = (page) => page.locator("#open-text");
const button = (page, name) => page.locator("#open-dialog").getByRole("button", { name });

/** Types a repository and contacts the hub. */
async function look(page, id) {
  await page.getByRole("button", { name: "Open a model…" }).click();
  await page.getByLabel("Repository").fill(id);
  await page.getByLabel("Mirror").fill(hub.url);
  await button(page, `Contact ${hub.host}`).click();
}

/** Opens a repository of the hub, as far as the device. */
async function open(page, id) {
  await look(page, id);
  await button(page, /^Download/).click();
  await expect(page.locator("#open-dialog")).toBeHidden();
  await says(page, "ready");
}

async function short(page) {
  await page.locator("#images").fill("1");
  await page.locator("#steps").fill("2");
  await page.locator("#steps").blur();
  await runAgain(page);
}

const asked = (what) => hub.asked.filter((line) => line.includes(what));

test("nothing is contacted before a person says so, nor downloaded before its size is told, and only what is needed", async ({ page, context }) => {
  await page.getByRole("button", { name: "Open a model…" }).click();
  await expect(button(page, "Contact huggingface.co")).toBeVisible();
  await page.getByLabel("Repository").fill("cats/tiny");
  await page.getByLabel("Mirror").fill(hub.url);
  // The page's own policy would not let it, whatever its scripts did.
  expect(await page.evaluate((url) => fetch(url).then(() => "let through", String), hub.url)).toContain("Failed to fetch");
  expect(hub.asked).toEqual([]);
  await button(page, `Contact ${hub.host}`).click();
  await expect(text(page)).toContainText(/^cats\/tiny is 0\.1 MB in 4 files\. Of that, 0\.1 MB has yet to be downloaded from 127\.0\.0\.1:\d+\.$/);
  await button(page, "Download 0.1 MB").click();
  await says(page, "ready");
  for (const other of [".bin", ".fp16.", "README", ".gitattributes"]) expect(asked(other)).toEqual([]);
  expect(asked("OPTIONS")).toEqual([]);
  expect(given(page).model).toBe("hub:cats/tiny");
  await short(page);
  const [shared, drawn] = [hash(page), await print(page, "#noisy")];

  await test.step("the link in another tab: what is kept needs no hub", async () => {
    const before = hub.asked.length;
    const other = await context.newPage();
    await useTinyModel(other);
    await pictures(other, shared);
    expect(await print(other, "#noisy")).toBe(drawn);
    expect(hub.asked.length).toBe(before);
  });
  await test.step("the link in another browser: the reader is asked first, with host and size", async () => {
    const elsewhere = await context.browser().newContext({ locale: "en-GB" });
    const other = await elsewhere.newPage();
    await other.addInitScript((url) => localStorage.setItem("unnoise.mirror", url), hub.url);
    await useTinyModel(other);
    const before = hub.asked.length;
    await visit(other, shared, url);
    await expect(other.locator("#fault-text")).toContainText(`The link's model is cats/tiny, which lies on ${hub.host}.`);
    expect(hub.asked.length).toBe(before);
    await other.getByRole("button", { name: "Contact the hub" }).click();
    await other.getByRole("button", { name: "Download 0.1 MB" }).click();
    await says(other, "done");
    expect(await print(other, "#noisy")).toBe(drawn);
    await elsewhere.close();
  });
});

test("a connection that breaks in the middle goes on where it was", async ({ page }) => {
  const size = Object.values(large()).reduce((sum, { length }) => sum + length, 0);
  await look(page, "cats/large");
  await expect(button(page, /^Download/)).toBeVisible();
  hub.faults.breaks = 6_000_000;
  await button(page, /^Download/).click();
  await says(page, "ready");
  expect(hub.faults.breaks).toBe(undefined);
  expect(hub.served()).toBeGreaterThanOrEqual(size);
  // With the listing, and with what the browser had not passed on yet when the connection broke.
  expect(hub.served()).toBeLessThan(size + 500_000);
  expect(asked("bytes=").at(-1)).toMatch(/bytes=[1-9]\d{5,}-$/);
  await short(page);
});

test("a download that was cancelled goes on after a reload, at the last whole piece", async ({ page }) => {
  const size = large()[WEIGHTS].length;
  hub.faults.holds = 2 * PIECE + 500_000;
  await look(page, "cats/large");
  await button(page, /^Download/).click();
  await expect(text(page)).toContainText(/: 9\.\d MB of 11\.0 MB$/);
  await expect(page.getByRole("progressbar", { name: WEIGHTS })).toBeVisible();
  await button(page, "Cancel").click();
  await expect(text(page)).toContainText("What has arrived is kept");
  hub.faults.holds = undefined;
  await page.reload();
  await says(page, "done");
  await look(page, "cats/large");
  await expect(button(page, "Download 2.6 MB")).toBeVisible();
  const before = hub.served();
  await button(page, /^Download/).click();
  await says(page, "ready");
  expect(hub.served() - before).toBeLessThanOrEqual(size - 2 * PIECE);
});

test("a hub that knows no ranges sends the beginning once more", async ({ page }) => {
  hub.faults.ranges = false;
  await look(page, "cats/large");
  await expect(button(page, /^Download/)).toBeVisible();
  hub.faults.breaks = 6_000_000;
  await button(page, /^Download/).click();
  await says(page, "ready");
  await short(page);
});

test("files that are not what the hub lists are refused, and nothing of them is kept", async ({ page }) => {
  hub.faults.served = (file, data) => (file === WEIGHTS ? Buffer.from(data).fill(7, data.length - 100) : data);
  await look(page, "cats/large");
  await button(page, /^Download/).click();
  await expect(text(page)).toContainText(`The download of cats/large/${WEIGHTS} is damaged: its checksum is not the listed one`);
  hub.faults.served = undefined;
  await button(page, "Try again").click();
  await button(page, /^Download/).click();
  await says(page, "ready");
});

test("files that end too early are refused", async ({ page }) => {
  await look(page, "cats/large");
  await expect(button(page, /^Download/)).toBeVisible();
  hub.faults.truncate = 5_000_000;
  await button(page, /^Download/).click();
  await expect(text(page)).toContainText(`The download of cats/large/${WEIGHTS} is incomplete: 5000000 of 10960662 bytes came`);
});

for (const [name, id, faults, sentence] of [
  ["no repository", "cats/none", {}, "shows no repository cats/none to visitors: there is none of this name, or it is private or gated"],
  ["no revision", "cats/tiny@v9", {}, "has no revision v9"],
  ["401", "cats/tiny", { status: 401 }, "shows no repository cats/tiny to visitors"],
  ["403", "cats/tiny", { status: 403, code: "GatedRepo" }, "cats/tiny is gated on"],
  ["a gated listing", "cats/tiny", { gated: "manual" }, "cats/tiny is gated on"],
  ["404", "cats/tiny", { status: 404 }, "has no repository cats/tiny with a revision main"],
  ["429", "cats/tiny", { status: 429 }, "too many requests"],
  ["500", "cats/tiny", { status: 500 }, "could not answer (status 500)"],
  ["no sizes", "cats/tiny", { listed: (row) => delete row.size }, "does not list cats/tiny as a model hub does"],
  ["no CORS", "cats/tiny", { cors: false }, "does not let pages of other sites read its files"],
]) {
  test(`${name} is said in a sentence`, async ({ page }) => {
    Object.assign(hub.faults, faults);
    await look(page, id);
    await expect(text(page)).toContainText(sentence);
    await button(page, "Back").click();
    await expect(page.getByLabel("Repository")).toHaveValue(id);
  });
}

test("a hub that does not answer is named", async ({ page }) => {
  await hub.close();
  await look(page, "cats/tiny");
  await expect(text(page)).toContainText(`${hub.host} could not be reached; check the connection, or use a mirror.`);
});

test("what is typed is checked before anything is asked", async ({ page }) => {
  await page.getByRole("button", { name: "Open a model…" }).click();
  await page.getByLabel("Repository").fill("just a name");
  await button(page, "Contact huggingface.co").click();
  await expect(page.locator("#open-repository-refused")).toHaveText("“just a name” names no repository; it would look like google/ddpm-cifar10-32.");
  await expect(page.getByLabel("Repository")).toBeFocused();
  await page.getByLabel("Repository").fill(`${hub.url}/cats/tiny/tree/main`);
  await expect(button(page, `Contact ${hub.host}`)).toBeVisible();
  await page.getByLabel("Repository").fill("cats/tiny");
  await page.getByLabel("Mirror").fill("http://");
  await button(page, "Contact").click();
  await expect(page.locator("#open-mirror-refused")).toContainText("is no address");
});

test("the mirror is remembered", async ({ page }) => {
  await look(page, "cats/tiny");
  await expect(button(page, /^Download/)).toBeVisible();
  await page.reload();
  await says(page, "done");
  await page.getByRole("button", { name: "Open a model…" }).click();
  await expect(page.getByLabel("Mirror")).toHaveValue(hub.url);
});

test("what is kept is listed with its size, and deleted", async ({ page }) => {
  await open(page, "cats/tiny");
  await page.getByRole("button", { name: "Storage…" }).click();
  const rows = page.locator("#storage-list li");
  await expect(rows).toHaveText([/^Finished runs0\.0 MBDelete$/, /^tiny0\.1 MB in 4 filesDelete$/, /^cats\/tiny0\.1 MB in 4 filesDelete$/]);
  await expect(page.locator("#storage-total")).toHaveText(/^0\.[23] MB in all\.$/);
  await page.getByRole("button", { name: "Delete cats/tiny" }).click();
  await expect(rows).toHaveText([/^Finished runs/, /^tiny/]);
  await page.getByRole("button", { name: "Delete all" }).click();
  await expect(rows).toHaveCount(0);
  await expect(page.locator("#storage-total")).toHaveText("Nothing is kept.");
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await look(page, "cats/tiny");
  await expect(button(page, "Download 0.1 MB")).toBeVisible();
});

test("a full disk is said once, and the run goes on", async ({ page }) => {
  await page.evaluate(() => {
    const { put } = Cache.prototype;
    let room = 2;
    Cache.prototype.put = function (request, response) {
      return String(request).includes("piece") && !room-- ? ((room = 0), Promise.reject(new DOMException("full", "QuotaExceededError"))) : put.call(this, request, response);
    };
  });
  await open(page, "cats/large");
  await expect(page.locator("#notices")).toContainText("There is no more room for this page on the disk");
  await expect(page.locator("#notices .notice")).toHaveCount(1);
  await short(page);
  // What found no room stayed in memory, and was not downloaded once more.
  const { length } = large()[WEIGHTS];
  expect(hub.served()).toBeLessThan(length + PIECE / 2);
});

test("without a cache a model is opened all the same", async ({ page }) => {
  await page.addInitScript(() => delete globalThis.caches);
  await page.reload();
  await says(page, "done");
  await open(page, "cats/tiny");
  await short(page);
  await page.getByRole("button", { name: "Storage…" }).click();
  await page.locator("#storage-list").getByRole("button").click(); // of the finished runs, which are kept elsewhere
  await expect(page.locator("#storage-total")).toContainText("This browser keeps nothing here");
});

test("two tabs download a model once", async ({ page, context }) => {
  const size = large()[WEIGHTS].length;
  const other = await context.newPage();
  await useTinyModel(other);
  await pictures(other, SITE);
  await look(page, "cats/large");
  await look(other, "cats/large");
  for (const tab of [page, other]) await expect(button(tab, /^Download/)).toBeVisible();
  const before = hub.served();
  hub.faults.slow = 2;
  await button(page, /^Download/).click();
  await button(other, /^Download/).click();
  for (const tab of [page, other]) await says(tab, "ready");
  expect(hub.served() - before).toBeLessThan(size + 100_000);
});
