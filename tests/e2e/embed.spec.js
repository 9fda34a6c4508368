/** The page inside another one: what it shows, and the messages of docs/embed.md. */

import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { root, url } from "./browser.js";
import { given, hash, link, pictures, pixels, print, says, type, useTinyModel, visit } from "./page.js";
import { serve } from "./server.js";

const RUN = link({ images: 1, embed: 1 });
const example = (name) => readFileSync(path.join(root, "examples/embed", name), "utf8");

/** Another site, on another origin, with the example on it. */
async function host(page, { run = RUN } = {}) {
  const script = example("host.js").replace(/const PAGE = .*/, `const PAGE = "${url}";`).replace(/const RUN = .*/, `const RUN = "${run.slice(1).replace("&embed=1", "")}";`);
  const site = await serve(url, { "/": null, "/index.html": { body: example("index.html") }, "/host.js": { body: script }, "/host.css": { body: example("host.css") } });
  await page.addInitScript(() => {
    if (window !== top) return;
    window.heard = [];
    addEventListener("message", ({ data }) => window.heard.push(data));
  });
  await useTinyModel(page);
  await page.goto(site.url);
  return { site, frame: page.frameLocator("#frame"), heard: (name) => page.evaluate((name) => window.heard.filter(({ unnoise }) => unnoise === name), name) };
}

const send = (page, message) => page.evaluate((message) => document.querySelector("iframe").contentWindow.postMessage(message, "*"), message);

test("the example's page runs, stops and sets, and hears each step, with the pixels of the whole page", async ({ page, context }) => {
  const alone = await context.newPage();
  await useTinyModel(alone);
  const shots = {};
  for (const seed of [3, 12]) {
    await pictures(alone, link({ images: 1, seed }));
    shots[seed] = await pixels(alone, "#noisy");
  }
  await alone.close();
  const { site, frame, heard } = await host(page);
  const drawn = () => frame.locator("#noisy").evaluate((canvas) => btoa(String.fromCharCode(...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data)));
  await expect(page.locator("#said")).toHaveText(/^Done after [\d.]+ s$/);
  expect(await drawn()).toBe(shots[3]);
  expect((await heard("ready")).length).toBe(1);
  expect((await heard("step")).map(({ step, steps }) => [step, steps])).toEqual([0, 1, 2, 3].map((step) => [step, 3]));
  await page.locator("#seed").fill("12");
  await page.locator("#seed").blur();
  await page.locator("#run").click();
  await expect.poll(async () => (await heard("done")).length).toBe(2);
  expect(await drawn()).toBe(shots[12]);
  expect((await heard("done"))[1]).toMatchObject({ how: "done", link: link({ images: 1, seed: 12 }) });
  await send(page, { unnoise: "set", settings: { steps: 1000 } });
  await page.locator("#run").click();
  await expect(page.locator("#said")).toHaveText(/of 1000/);
  await page.locator("#stop").click();
  await expect(page.locator("#said")).toHaveText(/^Stopped/);
  await site.close();
});

test("what cannot be used is answered in one sentence, and nothing breaks", async ({ page }) => {
  const { site, frame, heard } = await host(page);
  const broken = [];
  page.on("pageerror", (error) => broken.push(error.message));
  await expect(page.locator("#said")).toHaveText(/^Done/);
  const bad = [
    [{ unnoise: "dance" }, /none of them/],
    ["run", /none of them/],
    [null, /none of them/],
    [{ unnoise: "constructor" }, /none of them/],
    [{ unnoise: "set" }, /settings is an object/],
    [{ unnoise: "set", settings: [1] }, /settings is an object/],
    [{ unnoise: "set", settings: { stesp: 4 } }, /stesp/],
    [{ unnoise: "set", settings: { steps: 99999 } }, /^steps must be a whole number from 1 to 1000/],
    [{ unnoise: "set", settings: { seed: { a: 1 } } }, /seed must be a text, a number or null/],
    [{ unnoise: "set", settings: { embed: null } }, /embed is the frame's own/],
  ];
  for (const [i, [message, said]] of bad.entries()) {
    await send(page, message);
    await expect.poll(async () => (await heard("refused")).length, JSON.stringify(message)).toBe(i + 1);
    const answer = (await heard("refused"))[i].message;
    expect(answer).toMatch(said);
    expect(answer).toMatch(/[^.]\.$/);
  }
  // What the frame itself says is not answered, or a page that echoes would never come to rest.
  await send(page, { unnoise: "refused", message: "" });
  await page.waitForTimeout(200);
  expect((await heard("refused")).length).toBe(bad.length);
  await expect(frame.locator("#steps")).toHaveValue("3");
  expect(broken).toEqual([]);
  await site.close();
});

test("a page whose origin the browser hides is told from its first message on", async ({ page }) => {
  await page.addInitScript(() => {
    if (window === top) return;
    Object.defineProperty(Document.prototype, "referrer", { get: () => "" });
  });
  await page.route("**/www/embed.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: (await response.text()).replace("location.ancestorOrigins?.[0]", "undefined") });
  });
  const { site, frame, heard } = await host(page);
  await expect(frame.locator("#status")).toHaveAttribute("data-i18n", "done");
  expect(await page.evaluate(() => window.heard)).toEqual([]);
  await send(page, { unnoise: "set", settings: { seed: 5 } });
  await expect.poll(async () => (await heard("ready")).length).toBe(1);
  await send(page, { unnoise: "run" });
  await expect.poll(async () => (await heard("done")).length).toBe(1);
  await site.close();
});

test("it shows stage, timeline, Run and Stop, and a link to the whole page", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, RUN);
  for (const id of ["noisy", "guess", "slider", "run", "embed-full"]) await expect(page.locator(`#${id}`), id).toBeVisible();
  for (const id of ["gallery", "share", "save", "steps", "theme", "again", "history", "compare", "version"]) await expect(page.locator(`#${id}`), id).toBeHidden();
  await expect(page.locator("#notices")).toBeEmpty();
  for (const [width, height] of [[640, 560], [320, 420]]) {
    await page.setViewportSize({ width, height });
    const fits = await page.evaluate(() => [document.documentElement.scrollWidth - innerWidth, document.querySelector("#run").getBoundingClientRect().bottom - innerHeight].map((over) => Math.max(over, 0)));
    expect(fits, `${width} × ${height}`).toEqual([0, 0]);
  }
  const [whole] = await Promise.all([page.context().waitForEvent("page"), page.locator("#embed-full").click()]);
  expect(hash(whole)).toBe(link({ images: 1 }));
  const before = await page.evaluate(() => history.length);
  await page.setViewportSize({ width: 640, height: 560 });
  const first = await print(page, "#noisy");
  await page.evaluate(() => (location.hash = location.hash.replace("seed=3", "seed=4")));
  await expect.poll(() => print(page, "#noisy")).not.toBe(first);
  await page.locator("#run").click();
  await says(page, "done");
  // Another run after that one makes no entry of its own.
  await page.locator("#seed").evaluate((field) => {
    field.value = "9";
    field.dispatchEvent(new Event("change", { bubbles: true }));
  });
  expect(given(page).seed).toBe("9");
  await page.locator("#run").click();
  expect(await page.evaluate(() => history.length)).toBe(before + 1); // the hash's own
  expect(given(page).embed).toBe("1");
});

test("a value of embed that is none is named, and the whole page is shown", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, link({ embed: "yes" }));
  await says(page, "done");
  await expect(page.locator("#notices")).toContainText("The link says embed=yes");
  await expect(page.locator("#steps")).toBeVisible();
  await type(page, "#steps", "4");
  expect(hash(page)).not.toContain("embed");
});

test("the frame is without violations", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, RUN);
  expect(await everywhere(page)).toEqual([]);
});
