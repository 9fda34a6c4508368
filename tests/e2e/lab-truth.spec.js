/** What the lab says of the theory: its curves, its samplers, its bands; and what it says when its code does not come. */

import { expect, test } from "@playwright/test";
import { lab, rests, shows } from "./lab.js";

const SMALL = "#lab&data=moons&seed=0&particles=100";

// Nothing plays by itself: the end is shown as soon as it is there.
test.use({ contextOptions: { reducedMotion: "reduce" } });

/** The heights of a curve above the clock, from 0 at the bottom to 100. */
const heights = (page, name) => page.locator(`#lab-curves .${name}`).evaluate((path) => [...path.getAttribute("d").matchAll(/ ([\d.]+)/g)].map(([, y]) => 100 - Number(y)));

test("the curves above the clock are alpha and sigma themselves, with the ends of their scale", async ({ page }) => {
  await lab(page, `${SMALL}&view=forward&process=ve`);
  await expect(page.locator("#lab-top")).toHaveText("10");
  await expect(page.locator("#lab-foot")).toHaveText("0");
  expect(new Set(await heights(page, "alpha"))).toEqual(new Set([10])); // 1 of 10, at all times
  const sigma = await heights(page, "sigma");
  expect(sigma[0]).toBeLessThan(1);
  expect(sigma.at(-1)).toBe(100);
  await lab(page, `${SMALL}&view=forward&process=flow`);
  await expect(page.locator("#lab-top")).toHaveText("1");
  const [alpha, noise] = [await heights(page, "alpha"), await heights(page, "sigma")];
  for (const i of alpha.keys()) expect(alpha[i] + noise[i]).toBeCloseTo(100, 0);
});

test("the cooling curve has numbers", async ({ page }) => {
  await lab(page, "#lab&data=ring&seed=0&particles=100&view=anneal&temperature=8_0.05_60");
  expect(await page.locator("#lab-cooling text").allTextContents()).toEqual(["0.001", "0.01", "0.1", "1", "10", "100", "1000", "1", "60"]);
  await expect(page.locator("#lab-top")).toHaveText("1000");
});

test("eta turns the reverse SDE into the ODE, and no other sampler", async ({ page }) => {
  await lab(page, `${SMALL}&pane1=ddpm~20&pane2=reverse-sde~50`);
  await expect(page.locator("#lab-eta-field")).not.toHaveClass(/idle/);
  const [ddpm, sde] = await shows(page);
  await page.locator("#lab-eta").fill("0");
  await page.locator("#lab-eta").blur();
  await rests(page);
  expect(page.url()).toContain("eta=0");
  const [same, ode] = await shows(page);
  expect(same).toBe(ddpm);
  expect(ode).not.toBe(sde);
  await page.locator("[data-activity=numbers]").click();
  await rests(page);
  // Without noise it has a way back.
  await expect(page.locator("#lab-inversion tr").nth(1)).toContainText("no way back");
  await expect(page.locator("#lab-inversion tr").nth(2)).not.toContainText("no way back");
  await lab(page, `${SMALL}&pane1=ddim~5&pane2=ddpm~5`);
  await expect(page.locator("#lab-eta-field")).toHaveClass(/idle/);
});

test("distances are means over seeds and points that are named, with a band of data against data", async ({ page }) => {
  test.setTimeout(120_000);
  await lab(page, "#lab&data=one-gaussian&seed=0&particles=200&view=numbers&pane1=ddim~10&pane2=none");
  await expect(page.locator("#lab-race-state")).toContainText("between 200 points and as many data, in the mean over 5 seeds");
  for (const chart of ["#lab-sliced", "#lab-energy"]) await expect(page.locator(`${chart} .legend`)).toContainText("data against data");
  await expect(page.locator("#lab-race-row")).toContainText("100 evaluations");
});

test("headings go down one level at a time", async ({ page }) => {
  for (const view of ["forward", "reverse", "anneal", "numbers", "latent", "discrete"]) {
    await lab(page, `#lab&data=one-gaussian&seed=0&particles=50&view=${view}&pane1=ddim~5&pane2=none&temperature=8_0.05_20`);
    const levels = await page.evaluate(() => [...document.querySelectorAll("h1, h2, h3, h4")].filter((heading) => heading.getClientRects().length > 0).map(({ tagName }) => Number(tagName[1])));
    expect(levels[0]).toBe(1);
    for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
  }
});

test("a browser whose language is no language tag shows the lab and its charts", async ({ page }) => {
  test.setTimeout(120_000);
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "language", { get: () => "C", configurable: true }));
  await lab(page, "#lab&data=one-gaussian&seed=0&particles=50&view=numbers&pane1=ddim~5&pane2=none");
  expect(await page.evaluate(() => navigator.language)).toBe("en");
  await expect(page.locator("#lab-bound canvas")).toBeVisible();
});

test("a script that throws as it is loaded is told from one that does not come", async ({ page }) => {
  const fault = page.locator("#lab-fault-text");
  await page.route("**/www/lab/clock.js", (route) => route.fulfill({ contentType: "text/javascript", body: 'export class Clock {} throw new RangeError("a mistake")' }));
  await page.goto("./#lab");
  await expect(fault).toHaveText("www/lab/view.js stopped with an error as it was loaded (a mistake); reload the page, and if that does not help, use another browser.");
  await page.unroute("**/www/lab/clock.js");

  // WebKit says the same of both.
  const webkit = 'export class Clock {} throw new TypeError("Importing a module script failed.")';
  await page.route("**/www/lab/clock.js", (route) => route.fulfill({ contentType: "text/javascript", body: webkit }));
  await page.goto("about:blank");
  await page.goto("./#lab");
  await expect(fault).toContainText("www/lab/view.js stopped with an error as it was loaded");
  await page.unroute("**/www/lab/clock.js");
  await page.route("**/www/lab/view.js", (route) => route.fulfill({ contentType: "text/javascript", body: `/* import "./gone.js" */ ${webkit}` }));
  await page.goto("about:blank");
  await page.goto("./#lab");
  await expect(fault).toContainText("www/lab/gone.js could not be fetched");
});

test("a sampler that is not there is named in a short sentence", async ({ page }) => {
  for (const [name, meant] of [["ddimm", "ddim"], ["xyzzy", undefined]]) {
    await lab(page, `${SMALL}&pane1=${name}~3`);
    const said = await page.locator("#lab-notices").textContent();
    expect(said).toContain(`pane1=${name}~3`);
    if (meant) expect(said).toContain(`did you mean ${meant}?`);
    expect(said.length).toBeLessThan(300);
  }
});
