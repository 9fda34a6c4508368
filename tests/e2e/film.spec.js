/** Animations of a run: GIF, APNG, ZIP and video, read back to the frames that the page showed. */

import { readFileSync } from "node:fs";
import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { unnoise } from "./cli.js";
import { hash, link, pictures, says, scrub, useTinyModel, visit } from "./page.js";
import { texts } from "./png.js";

const SIDE = 12;
const field = (page, name) => page.locator(`#film-${name}`);

/** Opens the dialog on a run that is done. */
async function open(page, changes = {}) {
  await useTinyModel(page);
  await pictures(page, link({ steps: 4, images: 2, ...changes }));
  await page.locator("#save-more").click();
  await expect(field(page, "size").locator("option").first()).toBeAttached();
}

/** Chooses and saves. @returns {Promise<{name: string, data: Buffer}>} */
async function film(page, chosen) {
  for (const [name, value] of Object.entries(chosen)) await field(page, name).selectOption(value);
  await expect(field(page, "size").locator("option").first()).toBeAttached();
  const saving = page.waitForEvent("download");
  await page.locator("#film-go").click();
  const download = await saving;
  await expect(page.locator("#film-said")).toHaveText(new RegExp(`^${download.suggestedFilename().replaceAll(".", "\\.")}, \\d+\\.\\d MB$`));
  return { name: download.suggestedFilename(), data: readFileSync(await download.path()) };
}

/** Frames as the browser decodes them: sizes, how long each stays (ms), grey values. */
const decoded = (page, data, type) =>
  page.evaluate(
    async ({ base64, type }) => {
      const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
      const decoder = new ImageDecoder({ data: bytes, type, colorSpaceConversion: "none" });
      await decoder.tracks.ready;
      const frames = [];
      for (let i = 0; i < decoder.tracks.selectedTrack.frameCount; i++) {
        const { image } = await decoder.decode({ frameIndex: i });
        const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight);
        const context = canvas.getContext("2d");
        context.drawImage(image, 0, 0);
        const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
        frames.push({ width: canvas.width, height: canvas.height, stays: image.duration / 1000, grey: Array.from({ length: data.length / 4 }, (_, p) => data[4 * p]) });
      }
      return { frames, loops: decoder.tracks.selectedTrack.repetitionCount };
    },
    { base64: data.toString("base64"), type },
  );

/** What the stage shows at each step, of x_t or of the estimate: the pictures without the gap between them. */
async function stage(page, canvas = "#noisy", steps = 4) {
  const seen = [];
  for (let step = 0; step <= steps; step++) {
    await page.locator("#slider").fill(String(step));
    seen.push(
      await page.locator(canvas).evaluate((element, side) => {
        const context = element.getContext("2d");
        const rows = Array.from({ length: side }, (_, y) => [0, side + 2].flatMap((x) => Array.from(context.getImageData(x, y, side, 1).data).filter((_, i) => i % 4 === 0)));
        return rows.flat();
      }, SIDE),
    );
  }
  return seen;
}

test("a GIF and an APNG have the run's frames to the pixel, run at the speed that was chosen, and stay on the last", async ({ page }) => {
  await open(page);
  const gif = await film(page, { format: "gif", size: "1", rate: "5", hold: "1" });
  expect(gif.name).toBe("unnoise-tiny-ddim-seed-3.gif");
  const png = await film(page, { format: "apng", rate: "20", hold: "0" });
  expect(png.name).toBe("unnoise-tiny-ddim-seed-3.png");
  expect(JSON.parse(texts(png.data).unnoise)).toMatchObject({ link: hash(page), shows: "animation" });
  await page.locator("#saving-close").click();
  const seen = await stage(page);
  for (const [data, type, stays] of [[gif.data, "image/gif", [200, 200, 200, 200, 1200]], [png.data, "image/png", [50, 50, 50, 50, 50]]]) {
    const { frames, loops } = await decoded(page, data, type);
    expect(frames.map(({ width, height }) => [width, height])).toEqual(Array(5).fill([2 * SIDE, SIDE]));
    expect(frames.map(({ stays }) => stays)).toEqual(stays);
    expect(frames.map(({ grey }) => grey)).toEqual(seen);
    expect(loops).toBe(type === "image/gif" ? Infinity : loops);
  }
});

test("estimates, both, and one picture alone, enlarged", async ({ page }) => {
  await open(page);
  const estimates = await decoded(page, (await film(page, { format: "apng", shows: "denoised", size: "1" })).data, "image/png");
  const both = await decoded(page, (await film(page, { shows: "both" })).data, "image/png");
  await page.locator("#saving-close").click();
  const seen = await stage(page, "#guess");
  expect(estimates.frames.map(({ grey }) => grey)).toEqual(seen.slice(1));
  expect(both.frames.map(({ width }) => width)).toEqual(Array(5).fill(4 * SIDE + 2));
  await page.locator("#picker").press("End");
  await page.locator("#save-more").click();
  await expect(field(page, "of").locator("option").nth(1)).toHaveText("image 2 alone");
  const one = await film(page, { shows: "x", of: "image", size: "2" });
  expect(one.name).toBe("unnoise-tiny-ddim-seed-3-image-2.png");
  const { frames } = await decoded(page, one.data, "image/png");
  expect([frames[0].width, frames[0].height]).toEqual([2 * SIDE, 2 * SIDE]);
  await page.locator("#saving-close").click();
  const [first] = await stage(page, "#noisy", 0);
  const corner = (x, y) => frames[0].grey[2 * y * 2 * SIDE + 2 * x];
  expect([corner(0, 0), corner(5, 7)]).toEqual([first[SIDE], first[7 * 2 * SIDE + SIDE + 5]]);
});

/** The files of a ZIP of which nothing is compressed. */
function unzip(zip) {
  const files = {};
  let end = zip.length - 22;
  while (zip.readUInt32LE(end) !== 0x06054b50) end -= 1;
  let at = zip.readUInt32LE(end + 16);
  for (let n = zip.readUInt16LE(end + 10); n > 0; n--) {
    const [size, name, extra, comment, place] = [zip.readUInt32LE(at + 24), zip.readUInt16LE(at + 28), zip.readUInt16LE(at + 30), zip.readUInt16LE(at + 32), zip.readUInt32LE(at + 42)];
    const from = place + 30 + zip.readUInt16LE(place + 26) + zip.readUInt16LE(place + 28);
    files[zip.toString("utf8", at + 46, at + 46 + name)] = zip.subarray(from, from + size);
    at += 46 + name + extra + comment;
  }
  return files;
}

test("a ZIP has each step as a PNG that says which it is, and a list of their levels", async ({ page }) => {
  await open(page);
  const { name, data } = await film(page, { format: "zip", shows: "both", size: "1" });
  expect(name).toBe("unnoise-tiny-ddim-seed-3.zip");
  const files = unzip(data);
  expect(Object.keys(files)).toEqual(["step-0000-x.png", ...[1, 2, 3, 4].flatMap((n) => [`step-000${n}-x.png`, `step-000${n}-x0.png`]), "steps.json"]);
  const { link: run, steps } = JSON.parse(files["steps.json"]);
  expect(run).toBe(hash(page));
  expect(steps.map(({ step, x0 }) => [step, x0])).toEqual([[0, null], ...[1, 2, 3, 4].map((n) => [n, `step-000${n}-x0.png`])]);
  await page.locator("#saving-close").click();
  for (const step of [0, 2]) {
    await scrub(page, step);
    expect(Number(await page.locator("#sigma").textContent())).toBeCloseTo(steps[step].sigma, 3);
    expect(JSON.parse(texts(files[`step-000${step}-x.png`]).unnoise).step).toBe(step);
  }
  const { frames } = await decoded(page, files["step-0002-x.png"], "image/png");
  expect(frames[0].grey).toEqual((await stage(page, "#noisy", 2))[2]);
});

test("a video is encoded by the browser and plays to its end", async ({ page }) => {
  await open(page);
  const { name, data } = await film(page, { format: "webm", size: "8", rate: "10", hold: "1" });
  expect(name).toBe("unnoise-tiny-ddim-seed-3.webm");
  const player = await page.context().newPage(); // whose policy, unlike the page's, lets a video come from a blob
  const video = await player.evaluate(async (base64) => {
    const element = document.createElement("video");
    element.muted = true;
    element.src = URL.createObjectURL(new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: "video/webm" }));
    await new Promise((resolve, reject) => Object.assign(element, { onloadeddata: resolve, onerror: () => reject(element.error) }));
    const { videoWidth: width, videoHeight: height } = element;
    document.body.append(element);
    await element.play();
    element.pause();
    const seen = new Promise((resolve) => element.requestVideoFrameCallback(resolve));
    element.currentTime = 0.05; // in the midst of the first frame
    await seen;
    const context = Object.assign(document.createElement("canvas"), { width, height }).getContext("2d");
    context.drawImage(element, 0, 0);
    const grey = Array.from({ length: (width * height) / 64 }, (_, i) => context.getImageData(((8 * i) % width) + 4, 8 * Math.floor((8 * i) / width) + 4, 1, 1).data[0]);
    return { width, height, duration: element.duration, grey };
  }, data.toString("base64"));
  expect([video.width, video.height]).toEqual([2 * SIDE * 8, SIDE * 8]);
  // Five frames, and the last one ten times more; the file ends where its last frame begins.
  expect(video.duration).toBeCloseTo(1.4, 2);
  await page.bringToFront();
  await page.locator("#saving-close").click();
  // The codec loses something: 0.3 of 255 here, and another frame of noise is more than 50 away.
  const [first] = await stage(page, "#noisy", 0);
  const rms = Math.sqrt(first.reduce((sum, value, i) => sum + (value - video.grey[i]) ** 2, 0) / first.length);
  expect(rms).toBeLessThan(5);
});

test("a walk is saved as well, a frame a run", async ({ page }) => {
  await useTinyModel(page);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await visit(page, link({ images: 1, steps: 2, walk: "seed:3,9 [2~5d-" })); // a bracket at the end would be the sentence's
  await expect(page.locator("#walk-said")).toContainText("Done: 3 frames");
  await expect(page.locator("#walk-film-size option").first()).toBeAttached();
  await page.locator("#walk-film-format").selectOption("apng");
  await page.locator("#walk-film-size").selectOption("1");
  const saving = page.waitForEvent("download");
  await page.locator("#walk-film-go").click();
  const data = readFileSync(await (await saving).path());
  const { frames } = await decoded(page, data, "image/png");
  expect(frames.length).toBe(3);
  const shown = await page.locator("#walk-picture").evaluate((canvas) => [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data].filter((_, i) => i % 4 === 0));
  const at = Math.round(2 * Number(await page.locator("#walk-clock").inputValue()));
  expect(frames[at].grey).toEqual(shown);
  expect(JSON.parse(texts(data).unnoise).link).toContain("walk=seed:3,9");
});

test("it can be cancelled, while the page goes on, and made anew", async ({ page }) => {
  await open(page, { steps: 60 });
  const downloads = [];
  page.on("download", (download) => downloads.push(download));
  await field(page, "format").selectOption("apng");
  await field(page, "size").locator("option[value='16']").waitFor({ state: "attached" });
  await field(page, "size").selectOption("16");
  await page.locator("#film-go").click();
  await page.locator("#film-cancel").click();
  await expect(page.locator("#film-said")).toHaveText("Cancelled; nothing was saved.");
  await expect(page.locator("#film-go")).toBeEnabled();
  expect(downloads).toEqual([]);
  await field(page, "size").selectOption("1");
  await page.locator("#film-go").click();
  await expect(page.locator("#film-said")).toContainText(".png, ");
  await expect.poll(() => downloads.length).toBe(1); // the page says it before the browser does
});

test("a run that was put back has no steps to animate, and the form says so", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link());
  await page.locator("#history-list button").first().click();
  await page.getByRole("button", { name: "Restore" }).click();
  await page.locator("#save-more").click();
  await expect(page.locator("#film-said")).toContainText("There is one frame only");
  await expect(page.locator("#film-go")).toBeDisabled();
});

test("the command line writes the same GIF", async ({ page }, info) => {
  test.setTimeout(600_000); // building the command line may be part of it
  await visit(page);
  await pictures(page, link({ model: "mnist", images: 2, class: 3, steps: 3, sampler: "ddim" }));
  await page.locator("#save-more").click();
  await expect(field(page, "size").locator("option").first()).toBeAttached();
  const here = await decoded(page, (await film(page, { format: "gif", size: "2", rate: "5", hold: "1" })).data, "image/gif");
  const out = info.outputPath("run.gif");
  unnoise("sample", "--link", hash(page), "--out", info.outputPath("sheet.png"), "--animate", out, "--zoom", "2", "--rate", "5", "--hold", "1");
  const there = await decoded(page, readFileSync(out), "image/gif");
  expect(there.frames.map(({ grey, ...rest }) => rest)).toEqual(here.frames.map(({ grey, ...rest }) => rest));
  for (const [i, { grey }] of there.frames.entries()) {
    // Of one engine in WebAssembly and the other compiled for this machine.
    expect(Math.max(...grey.map((value, p) => Math.abs(value - here.frames[i].grey[p])))).toBeLessThanOrEqual(1);
  }
});

test("the dialog has nothing for axe to find while it says what it saved", async ({ page }) => {
  test.setTimeout(300_000);
  await open(page);
  await film(page, { format: "gif" });
  expect(await everywhere(page)).toEqual([]);
  await says(page, "done");
});
