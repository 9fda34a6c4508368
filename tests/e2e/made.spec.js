/** Pictures that say how they were made: written by every way of saving, and read from drop, clipboard and chooser. */

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { root } from "./browser.js";
import { unnoise } from "./cli.js";
import { decode, difference, given, hash, link, mark, pictures, pixels, print, says, scrub, useTinyModel, visit } from "./page.js";
import { texts, withoutTexts, withText } from "./png.js";

const dialog = (page) => page.locator("#made-dialog");
const WEIGHTS = "unet/diffusion_pytorch_model.safetensors";

/** What a button saves. @returns {Promise<{name: string, data: Buffer}>} */
async function saved(page, button) {
  const saving = page.waitForEvent("download");
  await (typeof button === "string" ? page.locator(button) : button).click();
  const download = await saving;
  return { name: download.suggestedFilename(), data: readFileSync(await download.path()) };
}

/** Drops a file on the page, or pastes it, as the browser tells the page of it. */
const give = (page, how, data, name = "picture.png", type = "image/png") =>
  page.evaluate(
    async ({ how, base64, name, type }) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const files = new DataTransfer();
      files.items.add(new File([bytes], name, { type }));
      const init = { bubbles: true, cancelable: true };
      const event = how === "drop" ? new DragEvent("drop", { ...init, dataTransfer: files }) : new ClipboardEvent("paste", { ...init, clipboardData: files });
      document.body.dispatchEvent(event);
    },
    { how, base64: data.toString("base64"), name, type },
  );

/** A PNG that does not say how it was made. */
const plain = () => withoutTexts(readFileSync(`${root}/models/fashion-mnist/thumbnail.png`));

for (const how of ["drop", "paste"]) {
  test(`a saved sheet is made again by ${how} elsewhere, to the same pixels`, async ({ page, browser, baseURL }) => {
    await useTinyModel(page);
    await pictures(page, link({ steps: 5, seed: 11, guidance: 3, images: 3 }));
    const drawn = await print(page, "#noisy");
    const { name, data } = await saved(page, "#save");
    expect(name).toBe("unnoise-tiny-ddim-seed-11.png");
    const context = await browser.newContext({ baseURL, locale: "en-GB", viewport: { width: 1280, height: 800 } });
    const other = await context.newPage();
    await useTinyModel(other);
    await visit(other);
    await says(other, "ready");
    await give(other, how, data);
    await expect(dialog(other)).toContainText("Made by unnoise.");
    await expect(dialog(other)).toContainText("Tiny: DDIM, 5 steps, 3 images, seed 11");
    await expect(dialog(other)).not.toContainText("The weights here are not those");
    await other.locator("#made-again").click();
    await says(other, "done");
    expect(await print(other, "#noisy")).toBe(drawn);
    expect(given(other)).toMatchObject({ steps: "5", seed: "11", guidance: "3", images: "3" });
    await context.close();
  });
}

test("the file says the link, the settings in two forms, the model and the checksum of its weights", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  const shared = hash(page);
  await page.locator("#seed").fill("99"); // set and not run
  await page.locator("#seed").blur();
  await expect(mark(page)).not.toBeEmpty();
  const { data } = await saved(page, "#save");
  const { Software, parameters, unnoise } = texts(data);
  expect(Software).toMatch(/^unnoise \d+\.\d+\.\d+$/);
  expect(parameters).toContain("Steps: 3, Sampler: DDIM, Schedule type: trailing, CFG scale: 2, Seed: 3, ");
  const made = JSON.parse(unnoise);
  const sha256 = createHash("sha256").update(readFileSync(`${root}/models/selftest/${WEIGHTS}`)).digest("hex");
  expect(made).toMatchObject({ link: shared, model: "tiny", weights: { [WEIGHTS]: sha256 }, step: null, image: null, shows: null });
  expect(made.settings).toMatchObject({ model: "tiny", sampler: "ddim", steps: 3, seed: 3, guidance: 2, class: "all" });
});

test("the step, the picture that is large, its filmstrip and a grid say what they are", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  await scrub(page, 1);
  const step = await saved(page, "#save");
  expect(step.name).toBe("unnoise-tiny-ddim-seed-3-step-1.png");
  expect(JSON.parse(texts(step.data).unnoise).step).toBe(1);
  await page.locator("#picker").press("End");
  await page.locator("#picker").press("Enter");
  await page.getByRole("button", { name: "x̂₀" }).click();
  const large = await saved(page, "#large-keep");
  expect(large.name).toBe("unnoise-tiny-ddim-seed-3-image-2-step-1-denoised.png");
  const made = JSON.parse(texts(large.data).unnoise);
  expect(made).toMatchObject({ step: 1, image: 2, shows: "denoised" });
  expect(made.link).toContain("show=large:2:1");
  expect((await decode(page, large.data)).data).toEqual(await page.locator("#large-picture").evaluate((canvas) => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data]));
  expect(JSON.parse(texts((await saved(page, "#large-save")).data).unnoise)).toMatchObject({ image: 2, shows: "film" });
  await page.keyboard.press("Escape");
  await page.locator("#compare").click();
  const compare = (name) => page.locator("#compare-dialog").getByRole("button", { name, exact: true });
  await compare("Draw the grid").click();
  await expect(compare("Save PNG")).toBeEnabled();
  await expect(compare("Stop")).toBeDisabled();
  const grid = JSON.parse(texts((await saved(page, compare("Save PNG"))).data).unnoise);
  expect(grid.shows).toBe("grid");
  expect(grid.link).toMatch(/&x=\w+/);

  // A picture of a step opens as it was looked at.
  await page.locator("#compare-close").click();
  await give(page, "drop", large.data);
  await expect(dialog(page)).toContainText("Step 1 of: Tiny: DDIM, 3 steps");
  await page.locator("#made-again").click();
  await expect(page.locator("#large-title")).toHaveText("image 2 · seed 4 · second");
  await expect(page.locator("#large-step")).toHaveText(/^Step 1 of 3/);
});

test("the command line makes a saved sheet again, and the page one of the command line's", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await pictures(page, link({ model: "mnist", images: 2, class: 3, steps: 4, seed: 5, guidance: 3, sampler: "dpmpp-2m" }));
  const { data } = await saved(page, "#save");
  const [from, out] = [info.outputPath("page.png"), info.outputPath("native.png")];
  writeFileSync(from, data);
  unnoise("sample", "--from", from, "--out", out);
  const [here, there] = [await decode(page, data), await decode(page, readFileSync(out))];
  // Of one engine in WebAssembly and the other compiled for this machine.
  expect(difference(...[here, there].map((png) => Buffer.from(png.data).toString("base64")))).toBeLessThanOrEqual(1);

  unnoise("sample", "--model", "models/mnist", "--images", "1", "--set", "steps=3", "--seed", "9", "--out", out);
  const made = readFileSync(out);
  expect(JSON.parse(texts(made).unnoise).weights).toEqual(JSON.parse(texts(data).unnoise).weights);
  await give(page, "drop", made);
  await page.locator("#made-again").click();
  await expect(page.locator("#seed")).toHaveValue("9");
  await says(page, "done");
  expect(difference(await pixels(page, "#noisy"), Buffer.from((await decode(page, made)).data).toString("base64"))).toBeLessThanOrEqual(1);
});

test("other weights than those of the picture are named", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  const { data } = await saved(page, "#save");
  await page.unrouteAll();
  await useTinyModel(page, { listed: (files) => (files[WEIGHTS] = Buffer.concat([files[WEIGHTS], Buffer.alloc(1)])) });
  await page.reload();
  await expect(page.locator("#status")).not.toBeEmpty();
  await expect(page.locator("#run")).toBeEnabled();
  await give(page, "drop", data);
  await expect(dialog(page)).toContainText(`The weights here are not those that it was made with (${WEIGHTS})`);
});

const FOREIGN = {
  a1111: ["parameters", "a boat\nNegative prompt: rain\nSteps: 4, Sampler: Euler a, Schedule type: Karras, CFG scale: 3.5, Seed: 12, Size: 999999x8, Model: v1-5"],
  "comfy-ui": [
    "prompt",
    JSON.stringify({
      3: { class_type: "KSampler", inputs: { seed: 12, steps: 4, cfg: 3.5, sampler_name: "euler_ancestral", scheduler: "karras", denoise: 0.5, positive: ["6", 0] } },
      6: { class_type: "CLIPTextEncode", inputs: { text: "a boat" } },
    }),
  ],
  "pipeline-call": ["settings", JSON.stringify({ prompt: "a boat", num_inference_steps: 4, guidance_scale: 3.5, seed: 12, scheduler: "EulerAncestralDiscreteScheduler", eta: 0.3 })],
};
const FROM = { a1111: "AUTOMATIC1111's web UI", "comfy-ui": "a ComfyUI workflow", "pipeline-call": "a diffusers pipeline" };
const LEFT = { a1111: ["Model", "v1-5", "999999x8"], "comfy-ui": ["denoise", "0.5"], "pipeline-call": ["eta", "0.3"] };

for (const [program, text] of Object.entries(FOREIGN)) {
  test(`what ${program} says is taken as far as it has a place, and the rest is named`, async ({ page }) => {
    await useTinyModel(page);
    await pictures(page, link());
    await give(page, "drop", withText(plain(), ...text));
    await expect(dialog(page)).toContainText(FROM[program]);
    await expect(dialog(page)).toContainText("Its own model is not here: Tiny draws with these settings");
    const taken = dialog(page).locator("dl").first();
    for (const words of ["Sampler", "Euler ancestral", "Steps", "Seed", "12"]) await expect(taken).toContainText(words);
    // The model reads no texts.
    for (const words of [...LEFT[program], "Prompt", "a boat"]) await expect(dialog(page).locator("dl").nth(1)).toContainText(words);
    await page.locator("#made-again").click();
    await says(page, "done");
    expect(given(page)).toMatchObject({ model: "tiny", sampler: "euler-ancestral", steps: "4", seed: "12", guidance: "3.5" });
  });
}

test("a picture that says nothing is where a run begins, and so is one that does, if that is wanted", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  await give(page, "paste", plain());
  await expect(page.locator("#start-tools")).toBeVisible();
  await expect(dialog(page)).toBeHidden();
  await page.locator("#start-remove").click();
  await page.locator("#start-file").setInputFiles({ name: "a.png", mimeType: "image/png", buffer: withText(plain(), ...FOREIGN.a1111) });
  await expect(dialog(page)).toBeVisible();
  await expect(page.locator("#start-tools")).toBeHidden();
  await page.locator("#made-start").click();
  await expect(page.locator("#start-tools")).toBeVisible();
  await give(page, "drop", Buffer.from("no picture"));
  await expect(page.locator("#fault-text")).toContainText("picture.png is no picture");
});

test("words that are pasted into a field stay words", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  await page.locator("#seed").evaluate((field, base64) => {
    const files = new DataTransfer();
    files.setData("text/plain", "5");
    files.items.add(new File([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], "a.png", { type: "image/png" }));
    const event = new ClipboardEvent("paste", { bubbles: true, cancelable: true, clipboardData: files });
    field.dispatchEvent(event);
    window.prevented = event.defaultPrevented;
  }, plain().toString("base64"));
  expect(await page.evaluate(() => window.prevented)).toBe(false);
  await expect(page.locator("#start-tools")).toBeHidden();
});

test("metadata are left out where a person wants that, and the page remembers it", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  await page.locator("#save-more").click();
  await page.getByLabel("Say in saved PNGs how they were made").uncheck();
  const without = await saved(page, "#saving-png");
  expect(texts(without.data)).toEqual({});
  await page.reload();
  await pictures(page, link({ seed: 4 }));
  const after = await saved(page, "#save");
  expect(texts(after.data)).toEqual({});
  await page.locator("#save-more").click();
  await page.getByLabel("Say in saved PNGs how they were made").check();
  expect(Object.keys(texts((await saved(page, "#saving-png")).data))).toEqual(["Software", "parameters", "unnoise"]);
});

test("a picture is copied to the clipboard, and where that is denied the page says so", async ({ page, context }) => {
  await context.grantPermissions(["clipboard-read", "clipboard-write"]);
  await useTinyModel(page);
  await pictures(page, link());
  const sheet = await saved(page, "#save");
  await page.locator("#save-more").click();
  await page.locator("#saving-copy").click();
  await expect(page.locator("#saving-said")).toHaveText("The picture is on the clipboard.");
  const copied = await page.evaluate(async () => {
    const [item] = await navigator.clipboard.read();
    return [...new Uint8Array(await (await item.getType("image/png")).arrayBuffer())];
  });
  expect((await decode(page, Buffer.from(copied))).data).toEqual((await decode(page, sheet.data)).data);
  await page.evaluate(() => Object.defineProperty(navigator, "clipboard", { value: undefined }));
  await page.locator("#saving-copy").click();
  await expect(page.locator("#saving-said")).toContainText("save it instead");
});

test("both dialogs are without violations in both languages", async ({ page }) => {
  test.setTimeout(300_000);
  await useTinyModel(page);
  await pictures(page, link());
  await page.locator("#save-more").click();
  expect(await everywhere(page)).toEqual([]);
  await page.locator("#saving-close").click();
  await give(page, "drop", withText(plain(), ...FOREIGN.a1111));
  await expect(dialog(page)).toBeVisible();
  expect(await everywhere(page)).toEqual([]);
});
