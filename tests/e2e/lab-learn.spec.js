/** What the lab does besides sampling: training in the tab, bending curves, cooling, numbers. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { lab, labSays, rests, shows } from "./lab.js";

const LINK = "#lab&data=moons&seed=0&particles=100&pane1=ddim~5&pane2=ddpm~5";
/** A network that learns in moments. */
const SMALL = `${LINK}&model=learned&field=learned&depth=1&width=16&batch=64`;

const state = (page) => page.locator("#lab-train-state");
const step = async (page) => Number(/Step (\d+)/.exec(await state(page).textContent())?.[1] ?? 0);

// Nothing plays by itself: the end is shown as soon as it is there.
test.use({ contextOptions: { reducedMotion: "reduce" } });

test("the shipped network is there at once", async ({ page }) => {
  await lab(page, `${LINK}&model=learned`);
  await expect(state(page)).toHaveAttribute("data-i18n", "lab.train.shipped");
  await expect(page.locator("#lab-fault")).toBeHidden();
});

test("a network is trained, paused, trained on, and shown", async ({ page }) => {
  await lab(page, SMALL);
  await expect(state(page)).toHaveAttribute("data-i18n", "lab.train.untrained");
  const before = await shows(page);
  await page.locator("#lab-train").click();
  await expect(page.locator("#lab-train")).toHaveText("Pause");
  await expect.poll(() => step(page)).toBeGreaterThan(50);
  await expect(page.locator("#lab-loss canvas")).toBeVisible();
  await page.locator("#lab-train").click();
  await rests(page);
  const paused = await step(page);
  expect(page.url()).toContain(`train-steps=${paused}`);
  expect(await shows(page)).not.toEqual(before);
  await page.locator("#lab-train-one").click();
  await rests(page);
  expect(await step(page)).toBe(paused + 1);
  await page.locator("#lab-train-reset").click();
  await rests(page);
  await expect(state(page)).toHaveAttribute("data-i18n", "lab.train.untrained");
  expect(await shows(page)).toEqual(before);
});

test("the link trains to the same network", async ({ page, context }) => {
  await lab(page, SMALL);
  await page.locator("#lab-train").click();
  await expect.poll(() => step(page)).toBeGreaterThan(20);
  await page.locator("#lab-train").click();
  await rests(page);
  const here = [await state(page).textContent(), ...(await shows(page))];
  const tab = await context.newPage();
  await lab(tab, new URL(page.url()).hash);
  // The losses too, the mean of the last steps and that of the held-out data: they do not depend on how the steps were cut into slices.
  expect(here[0]).toMatch(/^Step \d+ · loss [\d.]+ \(mean of the last 50 steps\)/);
  expect([await state(tab).textContent(), ...(await shows(tab))]).toEqual(here);
});

test("while the network of a link is trained, the noise waits and the steps are counted", async ({ page }) => {
  await page.goto(`./${LINK}&model=learned&field=learned&train-steps=3000`);
  await expect(state(page)).toHaveText(/^Step \d+ of 3000 · loss/);
  await expect(page.locator("#lab-status")).toHaveText("Training the network that the link names, 3000 steps from random weights…");
  const [noise] = await shows(page);
  expect(noise).toContain("step 0 of 5");
  const blank = await page.locator(".plane canvas").last().evaluate((canvas) => canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.every((byte) => byte === 0));
  expect(blank).toBe(false);
  await page.locator("#lab-train").click(); // it can be paused
  await rests(page);
  await expect(page.locator(".pane .figures").first()).toContainText("step 5 of 5");
});

// What an exact model loses on the held-out points, as the shipped networks' card has it.
const card = readFileSync(new URL("../../models/lab/README.md", import.meta.url), "utf8");
for (const [, data, exact] of card.matchAll(/^\| ([\w-]+) \| [\d.]+ \| ([\d.]+) \|$/gm)) {
  test(`a network learns ${data} in the tab`, async ({ page }) => {
    test.setTimeout(120_000);
    await lab(page, `#lab&data=${data}&seed=0&particles=16&pane1=ddim~5&pane2=none&model=learned&width=64&batch=128&ema=0.98&lr=0.002&train-steps=1500`);
    expect(await step(page)).toBe(1500);
    const [, held] = /on held-out data ([\d.]+)/.exec(await state(page).textContent());
    // Nine tenths of the way from knowing nothing, which loses the variance of the noise, to the exact model.
    expect(Number(held)).toBeLessThan(0.1 + 0.9 * exact);
    expect(Number(held)).toBeGreaterThan(0.95 * exact);
  });
}

test("other data or another view end the training, and one can go on", async ({ page }) => {
  await lab(page, SMALL);
  await page.locator("#lab-train").click();
  await expect.poll(() => step(page)).toBeGreaterThan(10);
  await page.locator("[data-activity=forward]").click();
  await rests(page);
  await expect(page.locator("#lab-train")).toHaveText("Train on");
  const before = await step(page);
  expect(page.url()).toContain(`train-steps=${before}`);
  await page.locator("#lab-train").click();
  await expect.poll(() => step(page)).toBeGreaterThan(before + 10);
  await page.getByRole("link", { name: "Pictures" }).click();
  await expect(page.locator("#pictures")).toBeVisible();
  await page.getByRole("link", { name: "2-D lab" }).click();
  await rests(page);
  expect(page.url()).toContain(`train-steps=${await step(page)}`);
  await page.locator("#lab-train").click();
  await expect(page.locator("#lab-train")).toHaveText("Pause");
  await page.locator("#lab-data").selectOption("circles");
  await rests(page);
  await expect(page.locator("#lab-train")).toHaveText("Train");
  await expect(state(page)).toHaveAttribute("data-i18n", "lab.train.untrained");
});

test("a link that is followed while a network learns is opened", async ({ page }) => {
  await lab(page, `${SMALL}&tour=3`);
  await page.locator("#lab-train").click();
  await expect.poll(() => step(page)).toBeGreaterThan(10);
  await page.locator("#lab-tour-on").click();
  await expect(page.locator("#lab-stop-title")).toContainText("4.");
  await rests(page);
  expect(page.url()).toContain("tour=4");
  await expect(page.locator("#lab-data")).toHaveValue("ring");
});

test("a shipped network that does not come is reported, and is fetched the next time", async ({ page }) => {
  await page.route("**/models/lab/moons.safetensors", (route) => route.fulfill({ status: 404, body: "no" }));
  await lab(page, `${LINK}&model=learned`);
  await expect(page.locator("#lab-fault")).toContainText("moons.safetensors");
  await expect(state(page)).toHaveAttribute("data-i18n", "lab.train.untrained");
  await page.unroute("**/models/lab/moons.safetensors");
  await page.locator("#lab-particles").fill("120");
  await page.locator("#lab-particles").blur();
  await rests(page);
  await expect(state(page)).toHaveAttribute("data-i18n", "lab.train.shipped");
  await expect(page.locator("#lab-fault")).toBeHidden();
});

test("arrows of the learned score are those of the network that ships", async ({ page, context }) => {
  const arrows = (tab) => tab.locator(".plane canvas").first().evaluate((canvas) => canvas.toDataURL());
  await lab(page, `${LINK}&heat=off&clock=0.5`);
  const none = await arrows(page);
  await page.route("**/models/lab/moons.safetensors", async (route) => {
    await new Promise((done) => setTimeout(done, 1000)); // long enough to draw what is there before
    await route.continue();
  });
  await page.locator("#lab-field").selectOption("learned");
  await expect(state(page)).toHaveAttribute("data-i18n", "lab.train.shipped");
  const tab = await context.newPage();
  await lab(tab, `${LINK}&heat=off&clock=0.5&field=learned`);
  await expect.poll(() => arrows(tab)).not.toEqual(none);
  const right = await arrows(tab);
  await expect.poll(() => arrows(page)).not.toEqual(none);
  await expect.poll(() => arrows(page)).toEqual(right);
});

test("the noise schedule is bent with the keyboard and the mouse, and stays in the link", async ({ page }) => {
  await lab(page, `${LINK}&process=curve`);
  const before = await shows(page);
  const handle = page.locator("#lab-schedule [role=slider]").nth(2);
  await expect(handle).toHaveAccessibleName("Share of noise, handle 3 of 5");
  await handle.focus();
  await page.keyboard.press("ArrowDown");
  await rests(page);
  await expect(handle).toHaveAttribute("aria-valuenow", "0.490");
  await expect(handle).toBeFocused();
  expect(page.url()).toContain("curve=");
  const { x, y, width, height } = await handle.boundingBox();
  await page.mouse.move(x + width / 2, y + height / 2);
  await page.mouse.down();
  await page.mouse.move(x + width / 2, y - 2000, { steps: 5 });
  await page.mouse.up();
  await rests(page);
  await expect(handle).toHaveAttribute("aria-valuenow", "0.830"); // below its neighbour
  expect(await shows(page)).not.toEqual(before);
  await page.getByRole("button", { name: "More handles" }).first().click();
  await rests(page);
  await expect(page.locator("#lab-schedule [role=slider]")).toHaveCount(6);
  await expect(handle).toHaveAccessibleName("Share of noise, handle 3 of 6");
  await expect(page.locator("#lab-notices")).toBeEmpty();
});

test("slow cooling finds the deepest basin more often than fast cooling, and the curve can be bent", async ({ page }) => {
  await lab(page, "#lab&data=ring&seed=0&particles=300&class=0&guidance=0.3&view=anneal&temperature=8_0.05_200");
  const [slow, fast] = (await page.locator(".pane .figures").allTextContents()).map((text) => Number(/(\d+) % in the deepest/.exec(text)[1]));
  expect(slow).toBeGreaterThan(fast);
  await expect(page.locator(".pane .figures").first()).toContainText("step 200 of 200");
  await expect(page.locator(".pane .figures").last()).toContainText("step 20 of 20");
  const before = await shows(page);
  await page.locator("#lab-cooling [role=slider]").nth(1).focus();
  await page.keyboard.press("Shift+ArrowUp");
  await rests(page);
  expect(page.url()).toContain("cooling=");
  expect(await shows(page)).not.toEqual(before);
  await page.locator("#lab-cooling-straight").click();
  await rests(page);
  expect(page.url()).not.toContain("cooling=");
  expect(await shows(page)).toEqual(before);
});

test("the numbers agree with the exact ones", async ({ page, context }) => {
  test.setTimeout(300_000);
  await lab(page, "#lab&data=four-gaussians&seed=0&particles=300&view=numbers&pane1=ddim~20&pane2=ddpm~20");
  const rows = page.locator("#lab-likelihood tr");
  await expect(rows).toHaveCount(5);
  for (const off of await page.locator("#lab-likelihood td:nth-child(4)").allTextContents()) expect(Number(off)).toBeLessThan(1e-3);
  const [total, error, entropy] = /Sum: ([\d.]+) ± ([\d.]+) nats a point · entropy of the data: ([\d.]+)/.exec(await page.locator("#lab-bound-sum").textContent()).slice(1).map(Number);
  // Of four Gaussians far from each other: ln 4 more than that of one, 1 + ln(2 pi 0.5^2), but for what they overlap.
  expect(entropy).toBeCloseTo(Math.log(4) + 1 + Math.log(2 * Math.PI * 0.25), 2);
  expect(error).toBeLessThanOrEqual(0.01);
  expect(total - 4 * error).toBeGreaterThan(entropy);
  await expect(page.locator("#lab-bound canvas")).toBeVisible();
  await expect(page.locator("#lab-inversion tr")).toHaveCount(3);
  await expect(page.locator("#lab-inversion")).toContainText("no way back");
  await expect(page.locator("#lab-race-row")).toContainText("sliced Wasserstein");
  await page.locator(".plane canvas").last().click();
  await expect(rows).toHaveCount(6);
  await page.locator("#lab-ask").click();
  await expect(rows).toHaveCount(7);
  await page.locator("#lab-ask-x").fill("");
  await page.locator("#lab-ask").click();
  await expect(page.locator("#lab-ask-refused")).toHaveText("Type a number from -100 to 100 for x and for y.");
  await expect(rows).toHaveCount(7);
  // The places that were asked about are in the link.
  const asked = await page.locator("#lab-likelihood th[scope=row]").allTextContents();
  const tab = await context.newPage();
  await tab.goto(`./${new URL(page.url()).hash}`);
  await expect(tab.locator("#lab-likelihood tr")).toHaveCount(7);
  expect(await tab.locator("#lab-likelihood th[scope=row]").allTextContents()).toEqual(asked);
});

test("guidance gathers the particles at the component that is asked for", async ({ page }) => {
  const asked = "#lab&data=four-gaussians&seed=0&particles=200&pane1=ddim~10&pane2=ddpm~10";
  await lab(page, asked);
  const plain = await shows(page);
  await page.locator("#lab-part-guidance summary").click();
  await page.locator("#lab-guidance").fill("4");
  await page.locator("#lab-guidance").blur();
  await rests(page);
  expect(await shows(page)).toEqual(plain); // no component is asked for
  await page.locator("#lab-class").selectOption("2");
  await rests(page);
  expect(page.url()).toMatch(/class=2&guidance=4/);
  const colours = await page.locator(".plane canvas").nth(1).evaluate((canvas) => {
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    const solid = new Set();
    for (let i = 0; i < data.length; i += 4) if (data[i + 3] === 225) solid.add(`${data[i]} ${data[i + 1]} ${data[i + 2]}`);
    return solid.size;
  });
  expect(colours).toBeLessThanOrEqual(2); // but for the few that stray, all have the colour of one component
});

test("a learned classifier is trained, said how good it is, and leads as the exact one does", async ({ page }) => {
  await lab(page, "#lab&data=four-gaussians&seed=0&particles=200&pane1=ddim~10&pane2=none&class=2&guidance=2&guide=classifier");
  const at = async () => (await shows(page))[0];
  const exact = await at();
  await expect(page.locator("#lab-classifier")).toBeHidden();
  await page.locator("#lab-guide").selectOption("learned-classifier");
  await expect(page.locator("#lab-status")).toContainText("Training the classifier: step");
  await rests(page);
  expect(page.url()).toContain("guide=learned-classifier");
  const [, steps, loss, floor] = /after (\d+) steps: cross entropy ([\d.]+) nats .* has (\d\.\d+)/.exec(await page.locator("#lab-classifier").textContent());
  expect(Number(steps)).toBe(1000);
  expect(Number(loss)).toBeLessThan(Number(floor) + 0.03);
  const learned = await at();
  expect(learned).not.toEqual(exact);
  // Another sampler needs no other classifier; it is trained once.
  await page.locator("#lab-class").selectOption("1");
  await rests(page);
  await page.locator("#lab-class").selectOption("2");
  await rests(page);
  expect(await at()).toEqual(learned);
  await page.locator("#lab-class").selectOption("-1");
  await expect(page.locator("#lab-classifier")).toBeHidden();
  // A single component has nothing to be told apart.
  await lab(page, "#lab&data=one-gaussian&seed=0&particles=200&pane1=ddim~10&pane2=none&class=0&guidance=2&guide=learned-classifier");
  await expect(page.locator("#lab-classifier")).toBeHidden();
  await expect(page.locator("#lab-fault")).toBeHidden();
});

test("a run that cannot be is reported", async ({ page }) => {
  await page.route("**/pkg/unnoise_lab.js", (route) => route.fulfill({ status: 404, body: "no" }));
  await page.goto("./#lab");
  await labSays(page, "lab.failed");
  await expect(page.locator("#lab-fault")).toContainText("pkg/unnoise_lab.js could not be loaded");
  await page.unroute("**/pkg/unnoise_lab.js");
  await page.getByRole("button", { name: "Try again" }).click();
  await rests(page);
});
