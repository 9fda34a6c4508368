/** A published site without a network: one visit is enough, and releases never mix. */

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { root, url } from "./browser.js";
import { link, pictures, pixels, says, visit } from "./page.js";
import { serve } from "./server.js";

const HASH = link({ model: "mnist", steps: 2, images: 2 });
/** `cargo xtask test` says where it has published the site. */
const FOLDER = process.env.UNNOISE_DIST ?? path.join(root, "target/site");

let release;
let site;
let routes;

test.beforeAll(() => {
  test.setTimeout(1_200_000);
  if (!existsSync(path.join(FOLDER, "sw.js"))) {
    const made = spawnSync("cargo", ["xtask", "dist", "--backends", "cpu", "--out", FOLDER], { cwd: root, stdio: "inherit" });
    expect(made.status).toBe(0);
  }
  release = readdirSync(FOLDER).find((name) => name.startsWith("assets-"));
});

test.beforeEach(async () => {
  routes = { "/": { folder: FOLDER }, "/index.html": { body: read("index.html") }, "/favicon.ico": null };
  site = await serve(url, routes);
});

test.afterEach(() => site.close());

const read = (name) => readFileSync(path.join(FOLDER, name), "utf8");

/** Puts another release up, and takes the first one down. @param {(site: object) => void} [alter] what the worker knows of it */
function renew(alter = () => {}) {
  const page = read("index.html").replaceAll(release, "assets-two");
  const [, list, worker] = /^const SITE = (.*);\n([^]*)$/.exec(read("sw.js").replaceAll(release, "assets-two"));
  const known = JSON.parse(list);
  known.shell["index.html"] = createHash("sha256").update(page).digest("hex");
  alter(known);
  routes["/index.html"] = { body: page };
  routes["/sw.js"] = { body: `const SITE = ${JSON.stringify(known)};\n${worker}` };
  routes["/assets-two/"] = { folder: path.join(FOLDER, release) };
  routes[`/${release}/`] = null;
}

/** The first visit, until all of it is kept. */
async function visited(page) {
  await pictures(page, HASH, site.url);
  const there = () => page.evaluate(async () => {
    const names = await caches.keys();
    const kept = await Promise.all(names.map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
    return kept.flat();
  });
  await expect.poll(there).toEqual(expect.arrayContaining([expect.stringMatching(/unnoise_cpu_bg\.wasm$/), expect.stringMatching(/index\.html$/)]));
  return pixels(page, "#noisy");
}

const releaseOf = (page) => page.evaluate(() => document.querySelector("script[src]").getAttribute("src").split("/")[0]);
const update = (page) => page.evaluate(async () => (await navigator.serviceWorker.getRegistration()).update().then(() => true, () => false));
const offer = (page) => page.locator("#notices [data-name=offline]");

test("after one visit the same link draws the same pictures without a network, in both views and languages", async ({ page }) => {
  const drawn = await visited(page);
  await page.reload(); // the list of models is kept of a page that the worker serves
  await says(page, "done");
  await site.close();
  await page.reload();
  await says(page, "done");
  expect(await pixels(page, "#noisy")).toBe(drawn);
  await page.getByRole("button", { name: "中文" }).click();
  await expect(page.locator("#run")).toContainText("运行");
  await page.getByRole("link", { name: "二维实验室" }).click();
  await expect(page.locator("#lab-status")).not.toBeEmpty();
  await expect(page.locator("#lab-fault")).toBeHidden();
  const elsewhere = await page.context().newPage();
  await pictures(elsewhere, HASH, site.url);
  expect(await pixels(elsewhere, "#noisy")).toBe(drawn);
});

test("one visit alone is enough", async ({ page }) => {
  const drawn = await visited(page);
  await site.close();
  await page.reload();
  await says(page, "done");
  expect(await pixels(page, "#noisy")).toBe(drawn);
});

test("a newer release is offered and not mixed with the one that is open", async ({ page }) => {
  const drawn = await visited(page);
  renew();
  const failed = [];
  page.on("response", (response) => response.status() >= 400 && failed.push(response.url()));
  expect(await update(page)).toBe(true);
  await expect(offer(page)).toContainText("A new version of this page is ready.");
  // Reloaded and used to its last corner, the page is of the old release, which the server has no more.
  await page.reload();
  await says(page, "done");
  expect(await releaseOf(page)).toBe(release);
  await page.getByRole("link", { name: "2-D lab" }).click();
  await expect(page.locator("#lab-status")).not.toBeEmpty();
  expect(failed).toEqual([]);
  await page.getByRole("link", { name: "Pictures" }).click();
  await site.close(); // the newer one is here as a whole, with the engine that was used
  await offer(page).getByRole("button", { name: "Use it" }).click();
  await expect.poll(() => releaseOf(page).catch(() => "")).toBe("assets-two");
  await says(page, "done");
  expect(await pixels(page, "#noisy")).toBe(drawn);
  const caches = await page.evaluate(() => caches.keys());
  expect(caches.filter((name) => name.startsWith("unnoise-page"))).toEqual(["unnoise-page / assets-two"]);
});

test("a release of which a file is not the listed one is not taken", async ({ page }) => {
  await visited(page);
  renew((known) => (known.shell["assets-two/www/main.js"] = "0".repeat(64)));
  await update(page);
  await page.waitForTimeout(2000);
  expect(await page.evaluate(async () => Boolean((await navigator.serviceWorker.getRegistration()).waiting))).toBe(false);
  await page.reload();
  await says(page, "done");
  expect(await releaseOf(page)).toBe(release);
  await expect(offer(page)).toHaveCount(0);
});

test("the storage dialog says what is kept of page, runs and models, and deletes each", async ({ page }) => {
  await visited(page);
  await page.locator("#storage").click();
  const rows = page.locator("#storage-list li");
  await expect(rows).toHaveText([/^Page and engine, for use without a network\d+\.\d MB in \d+ files/, /^Finished runs0\.\d MB/, /^mnist\d\.\d MB in 5 files/]);
  expect(await everywhere(page)).toEqual([]);
  await rows.nth(1).getByRole("button").click();
  await expect(rows).toHaveCount(2);
  await expect(page.locator("#history")).toBeHidden();
  await rows.nth(0).getByRole("button").click();
  await expect(rows).toHaveText([/^mnist/]);
  expect(await page.evaluate(async () => [(await navigator.serviceWorker.getRegistrations()).length, await caches.keys()])).toEqual([0, ["unnoise"]]);
});

test("where the page is edited there is no worker", async ({ page }) => {
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  const count = () => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);
  expect(await count()).toBe(0);
});

test("the page can be installed", async ({ page }) => {
  await visited(page);
  const session = await page.context().newCDPSession(page);
  const { errors, data } = await session.send("Page.getAppManifest");
  expect(errors).toEqual([]);
  const { start_url, icons } = JSON.parse(data);
  const at = await page.evaluate(() => document.querySelector("link[rel=manifest]").href);
  expect(new URL(start_url, at).href).toBe(site.url);
  for (const { src, sizes } of icons) {
    const size = await page.evaluate(async (src) => {
      const { width, height } = await createImageBitmap(await (await fetch(src)).blob());
      return `${width}x${height}`;
    }, new URL(src, at).href);
    expect(size).toBe(sizes);
  }
  const { installabilityErrors } = await session.send("Page.getInstallabilityErrors");
  expect(installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== "in-incognito")).toEqual([]);
});
