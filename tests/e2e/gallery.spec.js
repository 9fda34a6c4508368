/** The gallery of models: choosing one, what it starts with, and what is downloaded for it. */

import { expect, test } from "@playwright/test";
import { card, given, go, hash, link, modelFiles, pictures, print, runAgain, says, scrub, useModels, visit } from "./page.js";

const WEIGHTS = "unet/diffusion_pytorch_model.safetensors";
const SMALL = link({ model: "grey", guidance: 1 });
const option = (page, name) => page.locator("#gallery").getByRole("option", { name });

/** A network with its noise level as an input, for a process up to sigma 50 and without labels. */
function score() {
  const files = modelFiles("tests/golden/unet_variants/fourier", card("Score", { classes: [], null_class: null, defaults: { sampler: "predictor-corrector", steps: 6 } }));
  files["scheduler/scheduler_config.json"] = Buffer.from(JSON.stringify({ _class_name: "ScoreSdeVeScheduler", sigma_min: 0.01, sigma_max: 50.0 }));
  return files;
}

/** Three models: grey pictures with labels, a flow that starts with four steps of Euler, and colour without guidance. */
function models() {
  const grey = modelFiles("models/selftest", card("Grey"));
  const flow = modelFiles("models/selftest", card("Flow", { defaults: { sampler: "euler", steps: "4", images: 3 } }));
  flow["scheduler/scheduler_config.json"] = Buffer.from(JSON.stringify({ _class_name: "FlowMatchEulerDiscreteScheduler", num_train_timesteps: 1000, shift: 1.0 }));
  const colours = card("Colour", { null_class: null, defaults: { sampler: "ddim", eta: 0.5, steps: 5, guidance: 1 } });
  return { grey, flow, colour: modelFiles("tests/golden/unet_variants/float16-no-mid-attention", colours) };
}

/** The folders that anything was asked from, as a list that grows. */
function asked(page) {
  const folders = [];
  page.on("request", (request) => {
    const [, id] = /\/models\/(grey|flow|colour)\//.exec(request.url()) ?? [];
    if (id && !folders.includes(id)) folders.push(id);
  });
  return folders;
}

/** Picks a model by mouse and waits until it is on the device. */
async function pick(page, name) {
  await option(page, name).click();
  await expect(option(page, name)).toHaveAttribute("aria-selected", "true");
  await says(page, "ready");
}

test("each model is picked by mouse and run, and its link shows the same pictures in another tab", async ({ page, context }) => {
  await useModels(page, models());
  const folders = asked(page);
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  await expect(option(page, "Grey")).toHaveAttribute("aria-selected", "true");
  await expect(page.getByRole("listbox", { name: "Models" }).getByRole("option")).toHaveCount(3);
  expect(folders).toEqual(["grey"]);
  for (const [name, id, settings] of [
    ["Flow", "flow", { sampler: "euler", steps: "4", images: "3", guidance: "2" }],
    ["Colour", "colour", { sampler: "ddim", steps: "5", images: "16", guidance: "1", eta: "0.5" }],
    ["Grey", "grey", { sampler: "dpmpp-2m", steps: "20", images: "16", guidance: "2" }],
  ]) {
    await pick(page, name);
    expect(given(page)).toMatchObject({ model: id, seed: "7", ...settings });
    expect(hash(page).includes("eta=")).toBe("eta" in settings);
    await page.locator("#images").fill("2");
    await runAgain(page);
    const other = await context.newPage();
    await useModels(other, models());
    await pictures(other, hash(page));
    expect(await print(other, "#noisy"), name).toBe(await print(page, "#noisy"));
    await expect(option(other, name)).toHaveAttribute("aria-selected", "true");
    await other.close();
    await page.locator("#images").fill("16"); // as the model starts with, so that the next one has its own
  }
  await expect(page.locator("#notices")).toBeEmpty();
});

test("the keyboard goes through the models without choosing, and Enter or Space chooses", async ({ page }) => {
  await useModels(page, models());
  const folders = asked(page);
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  await option(page, "Grey").focus();
  for (const [key, name] of [["ArrowRight", "Flow"], ["ArrowDown", "Colour"], ["ArrowRight", "Grey"], ["ArrowLeft", "Colour"], ["Home", "Grey"], ["End", "Colour"], ["ArrowUp", "Flow"]]) {
    await page.keyboard.press(key);
    await expect(option(page, name)).toBeFocused();
  }
  await expect(option(page, "Grey")).toHaveAttribute("aria-selected", "true");
  expect(folders).toEqual(["grey"]);
  await page.keyboard.press("Enter");
  await expect.poll(() => hash(page)).toContain("model=flow");
  await says(page, "ready");
  await expect(option(page, "Flow")).toBeFocused();
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press(" ");
  await expect(option(page, "Colour")).toHaveAttribute("aria-selected", "true");
  await says(page, "ready");
  await page.keyboard.press("Control+Enter");
  await says(page, "done");
  // Tab enters at the chosen one.
  await page.locator("#theme").focus();
  await page.keyboard.press("Tab");
  await expect(option(page, "Colour")).toBeFocused();
});

test("what a person has set stays, and classes do not", async ({ page }) => {
  await useModels(page, models());
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  await page.locator("#steps").fill("6");
  await page.locator("#steps").blur();
  await page.locator("#class").selectOption("1");
  await page.locator("#seed").fill("11");
  await page.locator("#seed").blur();
  await pick(page, "Flow");
  expect(given(page)).toMatchObject({ sampler: "euler", steps: "6", class: "all", seed: "11", images: "3" });
  await page.locator("#sampler").selectOption("heun");
  await pick(page, "Colour");
  expect(given(page)).toMatchObject({ sampler: "heun", steps: "6", guidance: "1", images: "16" });
  expect(hash(page)).not.toContain("eta"); // which Heun does not have
  await pick(page, "Grey");
  expect(given(page)).toMatchObject({ sampler: "heun", steps: "6", guidance: "2" });
});

test("a link's settings are what it says, and what it leaves open is the model's", async ({ page }) => {
  await useModels(page, models());
  const whole = "#model=flow&sampler=heun&steps=3&schedule=karras&seed=3&images=1&class=0&guidance=1&backend=cpu";
  await pictures(page, whole);
  expect(hash(page)).toBe(whole);
  await pictures(page, "#model=colour&seed=5&images=1&backend=cpu");
  // The page was there already: it says "done" of the run before until it has read the new link.
  await expect.poll(() => given(page)).toMatchObject({ sampler: "ddim", steps: "5", eta: "0.5", guidance: "1", seed: "5" });
  await pictures(page, "#model=colour&sampler=euler&images=1&backend=cpu");
  await expect.poll(() => given(page)).toMatchObject({ sampler: "euler", steps: "5" });
  await expect(page.locator("#notices")).toBeEmpty();
});

test("a link to an unknown model waits and says so, instead of running another", async ({ page }) => {
  await useModels(page, models());
  await visit(page, link({ model: "velvet" }));
  await says(page, "ready");
  await expect(page.locator("#fault-text")).toHaveText("The link asks for the model “velvet”, which is not on this site. Choose another one above, or run it with Grey.");
  await expect(page.locator("#place")).toBeEmpty();
  await expect(page.locator("#notices")).toBeEmpty();
  expect(hash(page)).toContain("model=velvet"); // until a person decides
  await page.getByRole("button", { name: "Run all the same" }).click();
  await says(page, "done");
  await expect(page.locator("#fault")).toBeHidden();
  expect(given(page)).toMatchObject({ model: "grey", steps: "3", seed: "3" });
  await go(page, `./${link({ model: "velvet", seed: 9 })}`);
  await expect(page.locator("#fault-text")).toContainText("velvet");
  await pick(page, "Flow");
  await expect(page.locator("#fault")).toBeHidden();
  await expect(page.locator("#seed")).toHaveValue("9");
});

test("weights that were downloaded once come from the cache", async ({ page }) => {
  await useModels(page, models());
  await pictures(page, SMALL);
  await pick(page, "Flow");
  await page.reload();
  await says(page, "done");
  const folders = asked(page);
  await pick(page, "Grey");
  await pick(page, "Flow");
  expect(folders).toEqual([]);
});

test("a model that cannot be downloaded leaves the one before usable", async ({ page }) => {
  await useModels(page, models());
  await pictures(page, SMALL);
  const before = await print(page, "#noisy");
  await page.route(`**/models/flow/${WEIGHTS}`, (route) => route.fulfill({ status: 404, body: "no" }));
  await option(page, "Flow").click();
  await expect(page.locator("#fault-text")).toContainText(`The server does not have models/flow/${WEIGHTS}`);
  await page.getByRole("button", { name: "Back to the model before" }).click();
  await says(page, "ready");
  await expect(page.locator("#fault")).toBeHidden();
  expect(hash(page)).toBe(SMALL);
  await runAgain(page);
  expect(await print(page, "#noisy")).toBe(before);
  await option(page, "Flow").click();
  await expect(page.locator("#fault")).toBeVisible();
  await page.unroute(`**/models/flow/${WEIGHTS}`);
  await page.getByRole("button", { name: "Try again" }).click();
  await says(page, "ready");
});

test("another model picked during a download takes its place, and the download ends", async ({ page }) => {
  await useModels(page, models());
  await pictures(page, SMALL);
  let release;
  const held = new Promise((resolve) => (release = resolve));
  const gone = new Promise((resolve) => page.on("requestfailed", (request) => request.url().endsWith(`/models/flow/${WEIGHTS}`) && resolve()));
  await page.route(`**/models/flow/${WEIGHTS}`, async (route) => {
    await held;
    await route.fallback().catch(() => {}); // the page has given up on it
  });
  await option(page, "Flow").click();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
  await pick(page, "Colour");
  await gone;
  await option(page, "Flow").click();
  await expect(page.getByRole("button", { name: "Cancel" })).toBeVisible();
  await page.getByRole("button", { name: "Cancel" }).click();
  await says(page, "cancelled");
  await page.getByRole("button", { name: "Back to the model before" }).click();
  await says(page, "ready");
  await option(page, "Flow").click();
  await option(page, "Grey").click();
  await option(page, "Flow").click();
  release();
  await says(page, "ready");
  await expect(page.locator("#fault")).toBeHidden();
  await runAgain(page);
  await expect(page.locator("#place")).toContainText("of 3");
});

test("a run ends when another model is picked, and that one runs", async ({ page }) => {
  await useModels(page, models());
  await visit(page, link({ model: "grey", steps: 1000 }));
  await expect(page.locator("#pace")).toContainText("/1000");
  await pick(page, "Colour");
  await page.locator("#steps").fill("2");
  await page.locator("#run").click();
  await says(page, "done");
  await expect(page.locator("#place")).toContainText("Step 2 of 2");
});

test("two tabs hold two models", async ({ page, context }) => {
  const other = await context.newPage();
  for (const tab of [page, other]) await useModels(tab, models());
  await Promise.all([pictures(page, SMALL), pictures(other, link({ model: "flow", guidance: 1 }))]);
  const [grey, flow] = [await print(page, "#noisy"), await print(other, "#noisy")];
  expect(flow).not.toBe(grey);
  await pick(page, "Flow");
  await runAgain(other);
  expect(await print(other, "#noisy")).toBe(flow);
  await runAgain(page);
  expect(await print(page, "#noisy")).toBe(flow);
});

test("pictures are in colour where the model's are", async ({ page }) => {
  await useModels(page, models());
  const coloured = () =>
    page.locator("#noisy").evaluate((canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some((value, i) => i % 4 === 1 && value !== data[i - 1]);
    });
  await pictures(page, SMALL);
  expect(await coloured()).toBe(false);
  await pick(page, "Colour");
  await runAgain(page);
  expect(await coloured()).toBe(true);
});

test("the page says what a model is, and shows its card", async ({ page }) => {
  await useModels(page, models());
  await pictures(page, SMALL);
  const hint = page.locator("#model-hint");
  await expect(hint).toContainText(/^12×12 pixels in grey, .* parameters\. It was trained on pictures that fade while noise grows .*\(ε\)\.$/);
  await expect(page.locator("#schedule-hint")).toContainText("Every k-th step of training");
  await pick(page, "Flow");
  await expect(hint).toContainText("the straight line from a picture to noise (flow matching). The network predicts the velocity");
  await expect(page.locator("#schedule-hint")).toHaveText("Equal steps of the model's time from the noisy end; the last one ends clean.");
  await pick(page, "Colour");
  await expect(hint).toContainText("8×8 pixels in colour");
  await expect(page.locator("#model-licence")).toHaveText("Licence: public domain.");
});

test("a variance-exploding model shows its own noise levels and times", async ({ page }) => {
  await useModels(page, { score: score() });
  await pictures(page, "#images=1&backend=cpu");
  expect(given(page)).toMatchObject({ model: "score", sampler: "predictor-corrector", steps: "6" });
  await expect(page.locator("#model-hint")).toContainText("up to σ = 50 (a variance-exploding process). The network predicts the score");
  for (const id of ["class-field", "guidance-field", "guide-field", "rescale-field", "guidance-min-field"]) await expect(page.locator(`#${id}`)).toBeHidden();
  await scrub(page, 0);
  await expect(page.locator("#place")).toContainText("Step 0 of 6 · t = 1");
  await expect(page.locator("#alpha")).toHaveText("1.000");
  await expect(page.locator("#sigma")).toHaveText("50.000");
  await scrub(page, 3);
  await expect(page.locator("#place")).toContainText("t = 0.5");
  await expect(page.locator("#sigma")).toHaveText("0.707"); // the geometric mean of 0.01 and 50
  await page.locator("#schedule").selectOption("custom-times");
  await expect(page.locator("#schedule-hint")).toContainText("on this model they run from 0 to 1.");
});

test("a card with settings that there are not is reported", async ({ page }) => {
  const all = models();
  all.flow["unnoise.json"] = Buffer.from(JSON.stringify(card("Flow", { defaults: { sampler: "magic" } })));
  await useModels(page, all);
  await pictures(page, SMALL);
  await option(page, "Flow").click();
  await expect(page.locator("#fault-text")).toContainText("The model cannot be used. unnoise.json is not a model card: in defaults, sampler must be one of");
});
