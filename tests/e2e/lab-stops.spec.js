/** The stops of latents and of words: what is shown is what is computed, in the link, by keyboard, in both languages. */

import { expect, test } from "@playwright/test";
import { lab, rests, shows, turn } from "./lab.js";

// Nothing plays by itself: the end is shown as soon as it is there.
test.use({ contextOptions: { reducedMotion: "reduce" } });

const LATENT = "#lab&data=spiral&seed=2&process=cosine&view=latent&pane1=ddim~8&particles=400";
const WORDS = "#lab&seed=5&view=discrete";

/** The rows of a table as numbers, by what they are of. */
const rows = (page, id) =>
  page.locator(`#lab-${id} tr`).evaluateAll((all) => Object.fromEntries(all.slice(1).map((row) => [row.cells[0].dataset.i18n === "plain" ? row.cells[0].textContent : row.cells[0].dataset.i18n, [...row.cells].slice(1).map(({ textContent }) => Number.parseFloat(textContent))])));

/** The words of a pane; a letter that is masked is a square. */
const words = (page, pane) => page.locator(`#lab-letters figure:nth-child(${pane}) .word`).allTextContents();

test("the latent cannot leave the curve, and the plane does at the same number of evaluations", async ({ page }) => {
  await lab(page, LATENT);
  await expect(page.locator(".planes .pane")).toHaveCount(4);
  const { "lab.latent.data": data, "lab.latent.decoder": decoder, "lab.latent.plane": plane, "lab.latent.latent": latent } = await rows(page, "latent");
  // Off the curve: the width of the data, nothing, far in so few steps, nothing.
  expect(data[0]).toBeGreaterThan(0.07);
  expect(data[0]).toBeLessThan(0.11);
  expect(data[1]).toBeLessThan(1.5);
  expect(plane[0]).toBeGreaterThan(data[0]);
  expect(plane[1]).toBeGreaterThan(3);
  for (const [off, astray] of [decoder, latent]) expect([off, astray]).toEqual([0, 0]);
  for (const way of [plane, latent]) expect(way[3]).toBe(8);
  for (const [, , distance] of [data, decoder, plane, latent]) expect(distance).toBeGreaterThan(0);
  // The first pane has the error that the table has, of other data.
  const said = await page.locator(".pane:nth-child(1) > .figures").textContent();
  expect(Math.abs(Number(said.match(/[\d.]+$/)[0]) - data[0])).toBeLessThan(0.01);
});

test("the deviation of the latents is in the link, and wrong ones end further from the data", async ({ page }) => {
  const distance = async () => (await rows(page, "latent"))["lab.latent.latent"][2];
  await lab(page, LATENT);
  const [unit, before] = [await distance(), await shows(page)];
  for (const std of ["0.1", "10"]) {
    await page.locator("#lab-latent-std").fill(std);
    await page.locator("#lab-latent-std").blur();
    await rests(page);
    expect(page.url()).toContain(`latent-std=${std}`);
    expect(await distance()).toBeGreaterThan(1.5 * unit);
  }
  const after = await shows(page);
  expect(after[1]).toBe(before[1]); // the plane knows nothing of latents
  expect(after[2]).not.toBe(before[2]);
  await page.locator("#lab-latent-std").fill("0");
  await page.locator("#lab-latent-std").blur();
  await expect(page.locator("#lab-latent-std-refused")).toContainText("0.01 to 100");
});

test("the clock moves what there is to see, and one sampler is that of both", async ({ page }) => {
  await lab(page, LATENT);
  const end = await shows(page);
  await turn(page, 0.4);
  const middle = await shows(page);
  for (const [i, pane] of middle.entries()) expect(pane, `pane ${i + 1}`).not.toBe(end[i]);
  await page.locator(".pane:nth-child(2) select").selectOption("dpmpp-2m");
  await rests(page);
  expect(page.url()).toContain("pane1=dpmpp-2m~8");
  for (const pane of [2, 3]) await expect(page.locator(`.pane:nth-child(${pane}) > .figures`)).toContainText("step 8 of 8");
  // What has no use here is not offered.
  for (const field of ["model", "class", "field"]) await expect(page.locator(`#lab-${field}`)).toBeHidden();
});

test("words are masked and shown again, as the clock says", async ({ page }) => {
  await lab(page, WORDS);
  const [data, few, many] = [await words(page, 1), await words(page, 2), await words(page, 3)];
  expect(data).toHaveLength(20);
  for (const word of [...data, ...few, ...many]) expect(word).toMatch(/^[a-z]{5}$/);
  await turn(page, 0);
  for (const pane of [1, 2, 3]) expect(new Set(await words(page, pane))).toEqual(new Set(["▪▪▪▪▪"]));
  await turn(page, 0.5);
  for (const [pane, end] of [[1, data], [2, few], [3, many]]) {
    const now = await words(page, pane);
    for (const [i, word] of now.entries()) for (const [k, letter] of [...word].entries()) expect(["▪", end[i][k]]).toContain(letter);
    expect(now.join("")).toContain("▪");
  }
  expect(page.url()).toContain("clock=0.5");
});

test("more steps make more words, and bound, likelihood and entropy stand in their order", async ({ page }) => {
  await lab(page, `${WORDS}&unmask-steps=1`);
  const wrong = () => page.locator("#lab-letters figure:nth-child(2) .wrong").count();
  const inOne = await wrong();
  expect(inOne).toBeGreaterThan(10);
  const known = await rows(page, "discrete");
  const entropy = Math.log(24);
  const steps = Object.keys(known).map(Number);
  expect(steps).toEqual([1, 2, 4, 8, 16, 32, 64]);
  for (const [i, n] of steps.entries()) {
    const [bound, exact, share] = known[n];
    expect(bound).toBeGreaterThanOrEqual(exact);
    expect(exact).toBeGreaterThan(entropy);
    if (i > 0) expect(bound).toBeLessThan(known[steps[i - 1]][0]);
    if (i > 0) expect(share).toBeGreaterThan(known[steps[i - 1]][2]);
  }
  await page.locator("#lab-unmask-steps").fill("40");
  await page.locator("#lab-unmask-steps").blur();
  await rests(page);
  expect(page.url()).toContain("unmask-steps=40");
  expect(await wrong()).toBeLessThan(inOne / 2);
  expect(Object.keys(await rows(page, "discrete"))).toContain("40");
});

test("the denoiser's table is of the first word, and a link opened elsewhere shows the same words", async ({ page, context }) => {
  await lab(page, `${WORDS}&words=chinese&masking=cosine`);
  const [first] = await words(page, 2);
  expect(first).toMatch(/^\p{Script=Han}{4}$/u);
  const guess = page.locator("#lab-guess tr");
  await expect(guess).toHaveCount(5);
  for (const [i, letter] of [...first].entries()) await expect(guess.nth(i + 1)).toContainText(`${letter} 100 %`);
  await turn(page, 0);
  const shares = await page.locator("#lab-guess td:nth-child(2)").allTextContents();
  expect(shares).toHaveLength(4);
  for (const share of shares) expect(Number.parseFloat(share.split(" ")[1])).toBeLessThan(60);
  await turn(page, 1);
  const here = await words(page, 3);
  const tab = await context.newPage();
  await lab(tab, new URL(page.url()).hash);
  expect(await words(tab, 3)).toEqual(here);
  for (const key of ["data", "process", "particles", "field", "heat", "class"]) await expect(tab.locator(`#lab-${key}`)).toBeHidden();
  await tab.locator("#lab-seed").fill("6");
  await tab.locator("#lab-seed").blur();
  await rests(tab);
  expect(await words(tab, 3)).not.toEqual(here);
});
