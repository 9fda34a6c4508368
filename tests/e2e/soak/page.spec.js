/** A tab that is used for hours: its memory stays what it was after the first runs. */

import { expect, test } from "@playwright/test";
import { url } from "../browser.js";
import { says, visit } from "../page.js";
import { HEAD, held, row } from "./memory.js";

/** Of the level after the first runs. */
const GROWTH = 1.2;
const RUNS = Number(process.env.SOAK_RUNS ?? 1000);
const SWITCHES = Number(process.env.SOAK_SWITCHES ?? 300);
const CYCLES = Number(process.env.SOAK_CYCLES ?? 200);
/** Runs on a model before the next one is loaded, so that all have been after `SETTLED`. */
const EACH = 5;
const SETTLED = 50;

/** Goes to a link, as a bookmark does, and waits for its pictures. */
async function go(page, hash) {
  await page.evaluate((hash) => {
    document.getElementById("status").dataset.i18n = "before";
    location.hash = hash;
  }, hash);
  await says(page, "done");
}

test(`${RUNS} runs over all models and ${SWITCHES} switches of the view`, async ({ page, request }) => {
  const models = (await (await request.get(`${url}models/index.json`)).json()).map(({ id }) => id);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await visit(page, `#model=${models[0]}&steps=1&seed=1&images=1&backend=cpu`);
  console.log(HEAD);
  let settled;
  let switched = 0;
  for (let run = 1; run <= RUNS; run += 1) {
    const model = models[Math.floor(run / EACH) % models.length];
    await go(page, `#model=${model}&steps=${1 + (run % 2)}&seed=${run}&images=${1 + (run % 3 === 0)}&backend=cpu&sampler=ddim&guidance=1`);
    for (; switched < Math.floor((run * SWITCHES) / RUNS); switched += 1) {
      const [there, away] = switched % 2 ? ["pictures", "lab"] : ["lab", "pictures"];
      await page.locator(`#to-${there}`).click();
      await expect(page.locator(`#${there}`)).toBeVisible();
      await expect(page.locator(`#${away}`)).toBeHidden();
    }
    if (run === SETTLED) settled = await held(page);
    if (run === SETTLED || run % 100 === 0) console.log(row(run, run === SETTLED ? settled : await held(page)));
  }
  const last = await held(page);
  expect(switched).toBe(SWITCHES);
  expect(faults).toEqual([]);
  for (const what of ["process", "nodes", "listeners"]) expect(last[what], what).toBeLessThan(GROWTH * settled[what]);
});

test(`${CYCLES} engines that are opened with a model and closed`, async ({ page }) => {
  await page.route("**/blank.html", (route) => route.fulfill({ contentType: "text/html", body: "<!doctype html><title>blank</title>" }));
  await page.goto(`${url}blank.html`);
  console.log(HEAD);
  const cycle = () =>
    page.evaluate(async () => {
      const { Engine } = await import("./pkg/index.js");
      const engine = await Engine.open({ device: "cpu" });
      const model = await engine.load("models/mnist");
      let last;
      for await (const frame of model.run({ sampler: "ddim", steps: 1, images: 2, seed: 1 })) last = frame;
      engine.close();
      return last.done;
    });
  let settled;
  for (let done = 1; done <= CYCLES; done += 1) {
    expect(await cycle()).toBe(1);
    if (done === Math.min(SETTLED, CYCLES)) settled = await held(page);
    if (done % 50 === 0) console.log(row(done, await held(page)));
  }
  expect((await held(page)).process).toBeLessThan(GROWTH * settled.process);
});
