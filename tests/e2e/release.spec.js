/** A site that is put up anew while somebody has it open. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";
import { rests } from "./lab.js";
import { link, pictures, says } from "./page.js";
import { serve } from "./server.js";

const HASH = link({ model: "mnist", steps: 1, images: 1 });
/** The page of a release, as `cargo xtask dist` writes it. */
const pageOf = (release) => ({ body: readFileSync(path.join(root, "index.html"), "utf8").replaceAll('"www/', `"assets-${release}/www/`) });
const folder = (release) => `/assets-${release}/`;

let site;
let routes;

test.beforeEach(async () => {
  routes = { "/index.html": pageOf("one"), [folder("one")]: { at: "/" }, "/www/": null, "/pkg/": null };
  site = await serve(url, routes);
});

test.afterEach(() => site.close());

/** Puts the second release up. */
function renew({ keep }) {
  routes["/index.html"] = pageOf("two");
  routes[folder("two")] = { at: "/" };
  if (!keep) routes[folder("one")] = null;
}

test("everything that changes comes from the release's own folder", async ({ page }) => {
  const asked = [];
  page.on("request", (request) => request.url().startsWith("http") && asked.push(new URL(request.url()).pathname)); // a small picture of a finished run is a blob
  await pictures(page, HASH, site.url);
  const outside = asked.filter((path) => !path.startsWith(folder("one")) && !path.startsWith("/models/") && !["/", "/favicon.ico", "/sw.js"].includes(path));
  expect(outside).toEqual([]);
});

test("an open page of an old release that is still there goes on working", async ({ page }) => {
  await pictures(page, HASH, site.url);
  renew({ keep: true });
  await page.getByRole("link", { name: "2-D lab" }).click();
  await rests(page);
  await expect(page.locator("#lab-fault")).toBeHidden();
});

for (const [part, use, fault] of [
  ["the lab", (page) => page.getByRole("link", { name: "2-D lab" }).click(), "#lab-fault"],
  ["another language", (page) => page.getByRole("button", { name: "中文" }).click(), "#fault"],
]) {
  test(`an open page of an old release that is gone says to reload when ${part} is wanted`, async ({ page }) => {
    await pictures(page, HASH, site.url);
    renew({ keep: false });
    await use(page);
    await expect(page.locator(`${fault}-text`)).toHaveText("This site was renewed since you opened it; reload the page to go on.");
    const asked = [];
    page.on("request", (request) => asked.push(new URL(request.url()).pathname));
    await page.locator(fault).getByRole("button", { name: "Reload" }).click();
    await expect.poll(() => asked.some((path) => path.startsWith(folder("two")))).toBe(true);
    await expect(page.locator(fault)).toBeHidden();
    expect(asked.filter((path) => path.startsWith(folder("one")))).toEqual([]);
  });
}

test("trying again fetches a broken file anew, and not the copy that the browser keeps", async ({ page }) => {
  const binary = `${folder("one")}pkg/unnoise_cpu_bg.wasm`;
  routes[binary] = { body: "broken" };
  await page.goto(site.url + HASH);
  await expect(page.locator("#fault-text")).toContainText("The browser could not start the engine");
  delete routes[binary];
  await page.getByRole("button", { name: "Try again" }).click();
  await says(page, "done");
});
