/** The form: the sampler's knobs, the schedule's numbers, guidance, and what of them a link carries. */

import { expect, test } from "@playwright/test";
import { given, hash, link, pictures, print, runAgain, says, type, useTinyModel, visit } from "./page.js";

const LINK = link();

/** Opens a part of the form that is folded. */
const unfold = (page, id) => page.locator(`#${id} > summary`).click();

test.beforeEach(async ({ page }) => {
  await useTinyModel(page);
});

test("a first visit shows the few settings that matter, and the rest is folded", async ({ page }) => {
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  for (const id of ["sampler", "steps", "schedule", "class", "guidance", "images", "seed"]) await expect(page.locator(`#${id}`)).toBeVisible();
  for (const id of ["guide", "rescale", "clip", "noise", "start-file", "strength", "schedule-values"]) await expect(page.locator(`#${id}`)).toBeHidden();
  await expect(page.locator("#tuning")).toBeHidden(); // DPM-Solver++(2M) has nothing to tune
});

test("the samplers stand in families, each with a title", async ({ page }) => {
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  const groups = page.locator("#sampler optgroup");
  const titles = await groups.evaluateAll((all) => all.map(({ label }) => label));
  expect(titles.length).toBe(8);
  expect(new Set(titles).size).toBe(8);
  for (const title of titles) expect(title).not.toMatch(/^samplers\./);
  await expect(groups.filter({ has: page.locator("option[value=dpmpp-2m]") })).toHaveAttribute("label", /Multistep/);
});

test("turning a knob changes the pictures and the link; putting it back restores both", async ({ page }) => {
  await pictures(page, LINK);
  const plain = await print(page, "#noisy");
  await expect(page.locator("#sampler-facts")).toContainText("deterministic");
  await unfold(page, "tuning");
  await type(page, "#knob-eta", "0.5");
  expect(hash(page)).toContain("eta=0.5");
  await expect(page.locator("#tuning-title")).toHaveText("Tuned: Noise share η 0.5");
  await expect(page.locator("#sampler-facts")).toContainText("stochastic");
  await runAgain(page);
  expect(await print(page, "#noisy")).not.toBe(plain);
  await type(page, "#knob-eta", "0");
  expect(hash(page)).not.toContain("eta");
  await expect(page.locator("#tuning-title")).toHaveText("Tune this sampler");
  await runAgain(page);
  expect(await print(page, "#noisy")).toBe(plain);
});

test("a knob says what it takes, keeps what was typed, and an empty one goes back to its place", async ({ page }) => {
  await visit(page, link({ sampler: "heun" }));
  await unfold(page, "tuning");
  await type(page, "#knob-churn", "40");
  for (const [id, typed, said, written] of [
    ["churn", "-3", "“-3” is no number from 0 to 1000; 40 stays.", "churn=40"],
    ["noise-scale", "9", "“9” is no number from 0 to 2; 1 stays.", null],
  ]) {
    await type(page, `#knob-${id}`, typed);
    await expect(page.locator(`#knob-${id}-refused`)).toHaveText(said);
    await expect(page.locator(`#knob-${id}`)).toHaveAttribute("aria-invalid", "true");
    await expect(page.locator(`#knob-${id}`)).toHaveValue(typed); // to be mended
    if (written) expect(hash(page)).toContain(written);
    else expect(hash(page)).not.toContain(`&${id}=`);
  }
  for (const [id, typed, shown, written] of [
    ["churn", "30", "30", "churn=30"],
    ["noise-scale", "2", "2", "noise-scale=2"],
    ["noise-scale", "1", "1", null],
    ["churn-max", "5", "5", "churn-max=5"],
    ["churn-max", "", "", null],
  ]) {
    await type(page, `#knob-${id}`, typed);
    await expect(page.locator(`#knob-${id}`)).toHaveValue(shown);
    await expect(page.locator(`#knob-${id}-refused`)).toBeEmpty();
    if (written) expect(hash(page)).toContain(written);
    else expect(hash(page)).not.toContain(`&${id}=`);
  }
});

test("a knob that needs another says so until that is turned", async ({ page }) => {
  await visit(page, link({ sampler: "heun" }));
  await unfold(page, "tuning");
  await expect(page.locator("#knob-noise-scale-hint")).toHaveText("Acts only where there is some churn.");
  await type(page, "#knob-churn", "5");
  await expect(page.locator("#knob-noise-scale-hint")).toContainText("factor on all fresh noise");
});

test("another sampler has its own knobs, and those of the one before are forgotten", async ({ page }) => {
  await visit(page, LINK);
  await unfold(page, "tuning");
  await type(page, "#knob-eta", "0.5");
  await page.locator("#sampler").selectOption("euler-ancestral");
  await expect(page.locator("#knob-eta")).toHaveValue("1");
  expect(hash(page)).not.toContain("eta");
  await page.locator("#sampler").selectOption("dpm-solver");
  await expect(page.locator("#knob-eta")).toHaveCount(0);
  await expect(page.locator("#knob-order-slider")).toHaveAttribute("max", "3");
});

test("what is half typed when the engine answers stays", async ({ page }) => {
  let answer;
  const weights = new Promise((resolve) => (answer = resolve));
  await page.route("**/tiny/unet/diffusion_pytorch_model.safetensors", async (route) => {
    await weights;
    await route.fallback();
  });
  await visit(page, LINK);
  await page.locator("#seed").clear();
  await page.locator("#seed").pressSequentially("45");
  answer();
  await says(page, "done");
  await expect(page.locator("#seed")).toHaveValue("45");
  await page.locator("#seed").press("6");
  await page.locator("#seed").press("Enter");
  expect(hash(page)).toContain("seed=456");
});

test("what stands at its default is not written", async ({ page }) => {
  await visit(page, LINK);
  await unfold(page, "more");
  for (const [field, value, written] of [["#rescale", "0.7", "rescale=0.7"], ["#guidance-min", "0.5", "guidance-min=0.5"], ["#guidance-max", "8", "guidance-max=8"]]) {
    await type(page, field, value);
    expect(hash(page)).toContain(written);
  }
  for (const field of ["#rescale", "#guidance-min"]) await type(page, field, "0");
  await type(page, "#guidance-max", "");
  for (const [id, value] of [["clip", "off"], ["clip", "model"], ["guide", "perp-1"], ["guide", "cfg"]]) await page.locator(`#${id}`).selectOption(value);
  expect(hash(page)).toBe(LINK);
});

test("a link restores every setting, here and in a second tab, and opens what it uses", async ({ page, context }) => {
  const whole =
    "#model=tiny&sampler=heun&steps=3&schedule=beta:0.5,0.7&seed=3&images=2&class=1&guidance=3" +
    "&guide=perp-0&rescale=0.4&guidance-min=0.1&guidance-max=9&clip=range&noise=brownian&churn=7&churn-max=40&backend=cpu";
  await pictures(page, whole);
  for (const [id, value] of Object.entries({
    ...{ sampler: "heun", steps: "3", schedule: "beta", "schedule-values": "0.5,0.7", class: "1", guidance: "3", guide: "perp-0" },
    ...{ rescale: "0.4", "guidance-min": "0.1", "guidance-max": "9", clip: "range", noise: "brownian", "knob-churn": "7", "knob-churn-max": "40" },
  })) {
    await expect(page.locator(`#${id}`), id).toHaveValue(value);
    await expect(page.locator(`#${id}`), id).toBeVisible();
  }
  expect(given(page)).toEqual(Object.fromEntries(new URLSearchParams(whole.slice(1))));
  await expect(page.locator("#start")).not.toHaveAttribute("open");
  const other = await context.newPage();
  await useTinyModel(other);
  await pictures(other, hash(page));
  expect(await print(other, "#noisy")).toBe(await print(page, "#noisy"));
  expect(hash(other)).toBe(hash(page));
});

test("a link's knob that the sampler does not have is named and left out", async ({ page }) => {
  await pictures(page, `${LINK}&churn=5`);
  await expect(page.locator("#notices")).toContainText("The link says churn=5, but DDIM has no such parameter; it is left out.");
  expect(hash(page)).not.toContain("churn");
});

test("a schedule's numbers are typed, judged, and the last good ones kept", async ({ page }) => {
  await visit(page, LINK);
  await says(page, "done");
  await page.locator("#schedule").selectOption("karras");
  await expect(page.locator("#schedule-values")).toHaveValue("7");
  expect(hash(page)).toContain("schedule=karras&");
  await type(page, "#schedule-values", " 5 ");
  await expect.poll(() => hash(page)).toContain("schedule=karras:5&");
  await type(page, "#schedule-values", "0");
  await expect(page.locator("#schedule-refused")).toHaveText("“0” cannot be used here, so 5 stays.");
  await expect(page.locator("#schedule-values")).toHaveAttribute("aria-invalid", "true");
  await expect(page.locator("#schedule-values")).toHaveValue("0"); // to be mended
  expect(hash(page)).toContain("schedule=karras:5&");
  await expect(page.locator("#notices")).toBeEmpty();
  await type(page, "#schedule-values", "6");
  await expect.poll(() => hash(page)).toContain("schedule=karras:6&");
  await expect(page.locator("#schedule-refused")).toBeEmpty();
  await expect(page.locator("#schedule-values")).toHaveAttribute("aria-invalid", "false");
  await type(page, "#schedule-values", "");
  expect(hash(page)).toContain("schedule=karras&");
});

test("a form's numbers are those that the engine takes", async ({ page }) => {
  await visit(page, LINK);
  await says(page, "done");
  const outside = { karras: "101", polyexponential: "4.1", beta: "0.6,11", shifted: "0.009", "align-your-steps": "sd4", custom: "1,2", "custom-times": "5,5" };
  for (const [id, text] of Object.entries(outside)) {
    await page.locator("#schedule").selectOption(id);
    await expect(page.locator("#schedule-format")).not.toBeEmpty();
    await type(page, "#schedule-values", text);
    await expect(page.locator("#schedule-refused"), id).toContainText(`“${text}” cannot be used here`);
  }
  const inside = { karras: "100", polyexponential: "4", beta: "0.25,10", shifted: "0.01", "align-your-steps": "svd", custom: "2,1", "custom-times": "5,0" };
  for (const [id, text] of Object.entries(inside)) {
    await page.locator("#schedule").selectOption(id);
    await expect(page.locator("#schedule-refused")).toBeEmpty();
    await type(page, "#schedule-values", text);
    await expect.poll(() => hash(page)).toContain(`schedule=${id}:${text}&`);
  }
});

test("a typed list says the number of steps", async ({ page }) => {
  await visit(page, LINK);
  await says(page, "done");
  await page.locator("#schedule").selectOption("custom");
  await expect(page.locator("#steps")).toBeDisabled();
  await expect(page.locator("#steps")).toHaveValue("8");
  await expect(page.locator("#steps-listed")).toHaveText("Your list has its own number of steps.");
  await page.locator("#schedule-values").fill("14.6 7， 1; 0.1");
  await page.locator("#schedule-values").press("Control+Enter"); // runs what was just typed
  await expect(page.locator("#place")).toContainText("Step 4 of 4");
  await says(page, "done");
  expect(hash(page)).toContain("steps=4&schedule=custom:14.6,7,1,0.1&");
  await page.locator("#schedule").selectOption("trailing");
  await expect(page.locator("#steps")).toBeEnabled();
  await expect(page.locator("#steps-listed")).toBeHidden();
});

test("a link's bad schedule is named with what it takes", async ({ page }) => {
  await pictures(page, link({ schedule: "karras:0" }));
  await expect(page.locator("#notices")).toContainText(
    "The link says schedule=karras:0, but expected after the colon: A number from 0.1 to 100; Karras et al. take 7; trailing is used.",
  );
  await pictures(page, link({ schedule: "zigzag" }));
  await expect(page.locator("#notices")).toContainText("The link says schedule=zigzag, which is no schedule; trailing is used.");
});

test("an adaptive sampler chooses its steps, and counts those it rejects", async ({ page }) => {
  await visit(page, link({ sampler: "dpm-adaptive" }));
  await says(page, "done");
  await expect(page.locator("#steps")).toBeHidden();
  await expect(page.locator("#steps-chosen")).toContainText("chooses its steps itself");
  await expect(page.locator("#sampler-facts")).toContainText("evaluations an attempt: 3");
  const counted = async () => /^All pictures: (\d+) steps accepted, (\d+) rejected · (\d+) evaluations/.exec(await page.locator("#pace").textContent()).slice(1).map(Number);
  const [accepted, rejected, evaluations] = await counted();
  // k-diffusion's controller tries each step anew with all its evaluations.
  expect(evaluations).toBeGreaterThanOrEqual(3 * accepted);
  expect(evaluations).toBeLessThanOrEqual(3 * (accepted + rejected));
  // Each picture has its own steps; the timeline has as many as the one with the most.
  const last = await page.locator("#slider").getAttribute("max");
  expect(Number(last)).toBeLessThanOrEqual(accepted);
  await expect(page.locator("#place")).toContainText(`Step ${last} · t = 0`);
  await expect(page.locator("#progress")).toHaveJSProperty("value", 0);
  await page.locator("#slider").fill("0");
  await expect(page.locator("#place")).toContainText("Step 0 ·");
  await page.locator("#play").click();
  await expect(page.locator("#place")).toContainText(`Step ${last} ·`);

  // A looser tolerance takes fewer steps.
  await unfold(page, "tuning");
  await type(page, "#knob-tolerance", "1");
  await type(page, "#knob-absolute-tolerance", "1");
  await runAgain(page);
  expect((await counted())[0]).toBeLessThan(accepted);
});

test("guidance without a class, or that pushes nothing, says so", async ({ page }) => {
  await visit(page, LINK);
  await unfold(page, "more");
  await expect(page.locator("#guide-hint")).toContainText("Pushes away from the estimate without a class.");
  await type(page, "#guidance", "1");
  await expect(page.locator("#guide-hint")).toContainText("A guidance of 1 is the plain model");
  await page.locator("#guide").selectOption("cfgpp");
  await expect(page.locator("#guide-hint")).toContainText("even a guidance of 1 is not the plain model");
  await page.locator("#class").selectOption("none");
  await expect(page.locator("#guidance-hint")).toHaveText("Without a class there is nothing to push towards.");
  await expect(page.locator("#guide-hint")).toHaveText("Without a class there is nothing to push towards.");
});

test("CFG++ is offered where a sampler follows it, and a link is answered where not", async ({ page }) => {
  await pictures(page, `${LINK}&guide=cfgpp`);
  const other = page.locator("#guide option[value=cfgpp]");
  await expect(page.locator("#guide")).toHaveValue("cfgpp");
  await expect(page.locator("#guide-hint")).toContainText("the noise stays that of the model without one");
  await page.locator("#sampler").selectOption("heun");
  await expect(page.locator("#guide")).toHaveValue("cfg");
  await expect(other).toBeDisabled();
  await expect(page.locator("#guide-hint")).toHaveText(/CFG\+\+ fits these samplers: .*DDIM.*\.$/);
  expect(hash(page)).not.toContain("guide=");
  await page.locator("#sampler").selectOption("ddim");
  await expect(other).toBeEnabled();
  await pictures(page, `${link({ sampler: "heun" })}&guide=cfgpp`);
  await expect(page.locator("#notices")).toContainText(/CFG\+\+ does not fit Heun; plain guidance is used\. It fits: .*DDIM/);
});

test("noise is only asked about where a sampler draws it", async ({ page }) => {
  await visit(page, LINK);
  await unfold(page, "more");
  await expect(page.locator("#noise")).toBeHidden();
  await page.locator("#sampler").selectOption("euler-ancestral");
  await expect(page.locator("#noise")).toBeVisible();
});

test("a new row of the settings table appears with its two texts, and with no code", async ({ page }) => {
  const row = { key: "sharpness", kind: "number", min: 0, max: 3, options: null, default: 1, section: "more", shown: "slider", step: 0.1, end: null, needs: null, always: false };
  await page.route("**/pkg/unnoise_settings.js", async (route) => {
    const response = await route.fetch();
    const script = (await response.text()).replace("export function catalogue()", "function tabled()");
    const added = `export function catalogue() { const all = tabled(); all.settings.push(${JSON.stringify(row)}); return all; }`;
    await route.fulfill({ response, body: `${script}\n${added}` });
  });
  await page.route("**/www/i18n/en.json", async (route) => {
    const texts = await (await route.fetch()).json();
    await route.fulfill({ json: { ...texts, sharpness: "Sharpness", "sharpness.hint": "How crisp edges are." } });
  });
  await visit(page, LINK);
  await unfold(page, "more");
  await expect(page.getByRole("spinbutton", { name: "Sharpness" })).toHaveValue("1");
  await expect(page.getByRole("slider", { name: "Sharpness" })).toHaveAttribute("max", "3");
  await expect(page.locator("#sharpness-hint")).toHaveText("How crisp edges are.");
});
