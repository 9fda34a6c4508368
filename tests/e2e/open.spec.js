/** Opening files of a person's own: by a chooser, by drop, and by a link whose reader has to have them. */

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { root } from "./browser.js";
import { given, hash, link, pictures, print, runAgain, says, useTinyModel, visit } from "./page.js";
import { repository } from "./repository.js";

const SITE = link({ steps: 1, images: 1 });

/** Writes a folder of these files, and answers where it is. @param {Record<string, Buffer>} files */
function folder(name, files) {
  const place = path.join(mkdtempSync(path.join(tmpdir(), "unnoise-")), name);
  for (const [file, data] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(place, file)), { recursive: true });
    writeFileSync(path.join(place, file), data);
  }
  return place;
}

/** Opens the dialog and chooses. */
async function choose(page, input, files) {
  await page.getByRole("button", { name: "Open a model…" }).click();
  await page.locator(input).setInputFiles(files);
}

/** Drops files or folders on the page as a person does. */
async function drop(page, files) {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files, dragOperationsMask: 1 };
  for (const type of ["dragEnter", "dragOver", "drop"]) await session.send("Input.dispatchDragEvent", { type, x: 400, y: 400, data });
}

/** Waits until the opened model is on the device, and runs it shortly. */
async function run(page, name) {
  await expect(page.locator("#open-dialog")).toBeHidden();
  await expect(page.getByRole("option", { name })).toHaveAttribute("aria-selected", "true");
  await says(page, "ready");
  await page.locator("#images").fill("2");
  await page.locator("#steps").fill("2");
  await page.locator("#steps").blur();
  await runAgain(page);
}

const refused = (page) => page.locator("#open-text");

test.beforeEach(async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, SITE);
});

test("a folder is chosen, drawn as its own scheduler says, and the link tells another person what it needs", async ({ page, context }) => {
  const place = folder("my cats", repository());
  await choose(page, "#open-folder-input", place);
  await run(page, "my-cats");
  expect(given(page)).toMatchObject({ model: "own:my-cats", schedule: "model", sampler: "ddim" });
  const [shared, drawn] = [hash(page), await print(page, "#noisy")];

  const other = await context.newPage();
  await useTinyModel(other);
  await visit(other, shared);
  await expect(other.locator("#fault-text")).toContainText("The link's model, my-cats, is a folder on the computer of whoever made the link.");
  await other.locator("#fault").getByRole("button", { name: "Open a model…" }).click();
  // The reader's copy may be called otherwise.
  await other.locator("#open-folder-input").setInputFiles(folder("cats (1)", repository()));
  await says(other, "done");
  expect(await print(other, "#noisy")).toBe(drawn);
  expect(given(other).model).toBe("own:my-cats");
  rmSync(path.dirname(place), { recursive: true });
});

test("the reader of such a link can use another model", async ({ page }) => {
  await visit(page, "#model=own:cats&steps=1&images=1&backend=cpu");
  await says(page, "open.absent");
  await page.getByRole("button", { name: "Use another model" }).click();
  await says(page, "done");
  expect(given(page).model).toBe("tiny");
});

test("single files are chosen", async ({ page }) => {
  const files = repository();
  const place = folder("flat", { "config.json": files["unet/config.json"], "diffusion_pytorch_model.safetensors": files["unet/diffusion_pytorch_model.safetensors"] });
  await choose(page, "#open-files-input", ["config.json", "diffusion_pytorch_model.safetensors"].map((name) => path.join(place, name)));
  await run(page, /^model/);
  expect(given(page).model).toBe("own:model");
});

test("a folder is dropped anywhere, and the model in it is found", async ({ page }) => {
  const files = Object.fromEntries(Object.entries(repository()).map(([name, data]) => [`snapshots/abc/${name}`, data]));
  await drop(page, [folder("dropped", { ...files, ".cache/junk.json": Buffer.from("{"), "._config.json": Buffer.from("{") })]);
  await run(page, "abc");
});

test("a picture that is dropped is still one to start from", async ({ page }) => {
  await drop(page, [path.join(root, "examples/pictures/bag.png")]);
  await expect(page.locator("#start-tools")).toBeVisible();
  await expect(page.locator("#open-dialog")).toBeHidden();
});

test("a text-to-image pipeline is opened, with its prompt", async ({ page }) => {
  const place = path.join(root, "tests/golden/pipelines/text");
  await choose(page, "#open-folder-input", place);
  await expect(page.locator("#open-dialog")).toBeHidden();
  await says(page, "ready");
  await expect(page.locator("#prompt-box")).toBeVisible();
  await page.locator("#prompt").fill("a cat");
  await page.locator("#steps").fill("1");
  await page.locator("#steps").blur();
  await runAgain(page);
});

const edited = (name, change) => (files) => {
  files[name] = Buffer.from(JSON.stringify(change(JSON.parse(files[name]))));
};
for (const [name, change, sentence] of [
  ["an unknown pipeline", edited("model_index.json", (index) => ({ ...index, _class_name: "AudioPipeline" })), "The folder holds a AudioPipeline, which is not drawn here"],
  ["a missing part", (files) => delete files["unet/config.json"], "unet/config.json"],
  ["a pickle", (files) => ((files["unet/diffusion_pytorch_model.bin"] = Buffer.from("x")), delete files["unet/diffusion_pytorch_model.safetensors"]), "write them as safetensors"],
  ["a LoRA", (files) => Object.keys(files).forEach((file) => delete files[file]) ?? (files["pytorch_lora_weights.safetensors"] = Buffer.from("x")), "is a LoRA"],
  ["a GGUF", (files) => Object.keys(files).forEach((file) => delete files[file]) ?? (files["unet-q4.gguf"] = Buffer.from("x")), "is a GGUF file"],
  ["truncated weights", (files) => (files["unet/diffusion_pytorch_model.safetensors"] = files["unet/diffusion_pytorch_model.safetensors"].subarray(0, 9000)), "diffusion_pytorch_model.safetensors"],
]) {
  test(`${name} is refused in a sentence, and another try is at hand`, async ({ page }) => {
    const files = repository();
    change(files);
    await choose(page, "#open-folder-input", folder("odd", files));
    await expect(refused(page)).toContainText(sentence);
    await page.getByRole("button", { name: "Back" }).click();
    await expect(page.getByRole("button", { name: "Choose a folder" })).toBeVisible();
    expect(given(page).model).toBe("tiny");
  });
}

test("files that are gone when they are wanted are named", async ({ page }) => {
  const place = folder("fleeting", repository());
  await page.getByRole("button", { name: "Open a model…" }).click();
  await page.evaluate(() => (Blob.prototype.slice = () => ({ arrayBuffer: () => Promise.reject(new DOMException("A requested file could not be read.", "NotReadableError")) })));
  await page.locator("#open-folder-input").setInputFiles(place);
  await expect(refused(page)).toContainText("could not be read");
});

test("a press before the view's code is there is heard as soon as it is", async ({ page }) => {
  let arrive;
  const code = new Promise((resolve) => (arrive = resolve));
  await page.route("**/www/pictures.js", (route) => code.then(() => route.continue()));
  await page.reload({ waitUntil: "commit" });
  await page.getByRole("button", { name: "Open a model…" }).click();
  await expect(page.getByRole("dialog")).toBeHidden();
  arrive();
  await expect(page.getByRole("dialog", { name: "Open a model" })).toBeVisible();
});

test("by keyboard: the dialog takes the focus, Escape closes it, and the focus is back", async ({ page }) => {
  await page.locator("#open").focus();
  await page.keyboard.press("Enter");
  await expect(page.getByRole("dialog", { name: "Open a model" })).toBeVisible();
  await expect(page.getByRole("button", { name: "Choose a folder" })).toBeFocused();
  await page.keyboard.press("Escape");
  await expect(page.getByRole("dialog")).toBeHidden();
  await expect(page.locator("#open")).toBeFocused();
});

test("nothing is wrong for those who hear the page, in either dialog", async ({ page }) => {
  test.setTimeout(300_000);
  await page.locator("#open").click();
  expect(await everywhere(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.locator("#storage").click();
  await expect(page.locator("#storage-list li")).toHaveCount(2); // the model, and the run that it drew
  expect(await everywhere(page)).toEqual([]);
});
