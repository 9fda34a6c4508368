/** The view of pictures by keyboard, by ear and on a phone. */

import { expect, test } from "@playwright/test";
import { everywhere } from "./axe.js";
import { card, link, modelFiles, pictures, says, type, useModels, useTinyModel, visit } from "./page.js";

const LINK = link({ images: 6 });

/** The states of the view that look different. */
const VIEWS = {
  "the first visit": async (page) => {
    await visit(page, "#backend=cpu");
    await says(page, "ready");
  },
  "a run, with everything unfolded and changed since": async (page) => {
    await pictures(page, link({ images: 6, sampler: "heun", churn: 5, guidance: 3, schedule: "karras:5" }));
    await page.evaluate(() => document.querySelectorAll("details").forEach((part) => (part.open = true)));
    await page.locator("#start-take").click();
    await type(page, "#steps", "1001");
    await type(page, "#seed", "9");
    await page.locator("#picker").focus();
    await page.keyboard.press("ArrowRight");
  },
  "a question on the stage": async (page) => {
    await visit(page, link({ strength: 0.5, colour: "red" }));
    await expect(page.locator("#fault")).toBeVisible();
  },
  "the model card": async (page) => {
    await pictures(page, LINK);
    await page.locator("#model-card").click();
    await expect(page.locator("#card-dialog")).toBeVisible();
  },
  "the script": async (page) => {
    await pictures(page, LINK);
    await page.locator("#code").click();
    await expect(page.locator("#code-dialog")).toBeVisible();
  },
};

for (const [name, reach] of Object.entries(VIEWS)) {
  test(`axe-core finds nothing: ${name}`, async ({ page }) => {
    test.setTimeout(240_000);
    const readme = "# Tiny\n\nWords, `code`.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n    a program\n\n## 中文简介\n\n小模型。\n";
    await useModels(page, { tiny: { ...modelFiles("models/selftest", card("Tiny")), "README.md": Buffer.from(readme) } });
    await reach(page);
    expect(await everywhere(page)).toEqual([]);
  });
}

test("an image is picked by keyboard, and said with its seed", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, LINK);
  const picker = page.getByRole("slider", { name: "Pick an image by the arrow keys" });
  await picker.focus();
  await expect(picker).toHaveAttribute("aria-valuetext", "none");
  for (const [key, image, seed] of [["ArrowRight", 1, 3], ["ArrowRight", 2, 4], ["ArrowDown", 5, 7], ["ArrowDown", 5, 7], ["ArrowLeft", 4, 6], ["ArrowUp", 1, 3], ["ArrowUp", 1, 3], ["End", 6, 8], ["ArrowRight", 6, 8], ["Home", 1, 3]]) {
    await page.keyboard.press(key);
    await expect(picker).toHaveAttribute("aria-valuenow", String(image));
    await expect(picker).toHaveAttribute("aria-valuetext", new RegExp(`^image ${image} · seed ${seed} · `));
    await expect(page.locator("#pointed")).toContainText(`image ${image} · seed ${seed}`);
  }
  await page.keyboard.press("End");
  await page.locator("#start > summary").click();
  await page.locator("#start-take").click();
  await expect(page.locator("#pointed")).toContainText("image 6"); // the one that was taken
  await picker.focus();
  await page.keyboard.press("Delete");
  await expect(page.locator("#pointed")).toBeEmpty();
});

test("an image's seed is the one that the hint says, at the end of all seeds too", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link({ images: 2, seed: 4294967295 }));
  await page.locator("#picker").focus();
  await page.keyboard.press("Home");
  await expect(page.locator("#pointed")).toContainText("image 1 · seed 4294967295");
  await page.keyboard.press("End");
  await expect(page.locator("#pointed")).toContainText("image 2 · seed 0");
  await expect(page.locator("#seed-hint")).toHaveText("Same seed, same pictures. Image 1 uses this seed, image 2 the next one, and so on.");
});

test("Ctrl+Enter runs with what is being typed, and the focus stays", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  await page.locator("#steps").fill("2");
  await page.locator("#steps").press("Control+Enter");
  await says(page, "done");
  await expect(page.locator("#place")).toContainText("Step 2 of 2");
  await expect(page.locator("#steps")).toBeFocused();
});

test("the theme button says which theme is on", async ({ page }) => {
  await useTinyModel(page);
  await page.emulateMedia({ colorScheme: "light" });
  await visit(page, "#backend=cpu");
  const theme = page.getByRole("button", { name: "Dark colours" });
  await expect(theme).toHaveAttribute("aria-pressed", "false");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect(theme).toHaveAttribute("aria-pressed", "true");
  await theme.click();
  await expect(theme).toHaveAttribute("aria-pressed", "false");
  await page.reload();
  await expect(theme).toHaveAttribute("aria-pressed", "false");
});

test("Space plays and pauses, and the arrows step, wherever no control has the focus, as in the lab", async ({ page }) => {
  await useTinyModel(page);
  await pictures(page, link({ images: 1, steps: 20 }));
  await page.locator("#status").click();
  await page.keyboard.press("Space");
  await expect(page.locator("#play")).toHaveAttribute("aria-pressed", "true");
  await page.keyboard.press("Space");
  await expect(page.locator("#play")).toHaveAttribute("aria-pressed", "false");
  expect(await page.evaluate(() => scrollY)).toBe(0);
  await page.keyboard.press("Home");
  await expect(page.locator("#place")).toContainText("Step 0 of 20");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowRight");
  await expect(page.locator("#place")).toContainText("Step 2 of 20");
  await page.keyboard.press("End");
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#place")).toContainText("Step 19 of 20");
  await page.locator("#seed").focus(); // in a field the arrows are the field's
  await page.keyboard.press("ArrowLeft");
  await expect(page.locator("#place")).toContainText("Step 19 of 20");
});

test("a run speaks when it begins and when it ends, and not at each step", async ({ page }) => {
  await useTinyModel(page);
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  const live = await page.evaluate(() => {
    window.spoken = [];
    const places = [...document.querySelectorAll("#pictures [aria-live], #pictures [role=status], #pictures [role=alert], #pictures output")];
    for (const place of places) new MutationObserver(() => window.spoken.push(`${place.id}: ${place.textContent}`)).observe(place, { childList: true, characterData: true, subtree: true });
    return places.length;
  });
  expect(live).toBeGreaterThan(3);
  await page.locator("#run").click();
  await says(page, "done");
  const spoken = await page.evaluate(() => window.spoken);
  expect(spoken.length).toBeLessThanOrEqual(3);
  // A slider that is dragged says once that the settings are others.
  await page.locator("#steps-slider").focus();
  for (let i = 0; i < 5; i += 1) await page.keyboard.press("ArrowRight");
  expect((await page.evaluate(() => window.spoken)).length).toBe(spoken.length + 1);
});

test("on a phone no focused control lies under the bar", async ({ browser, baseURL }) => {
  const page = await browser.newPage({ viewport: { width: 390, height: 700 }, baseURL, locale: "en-GB" });
  await useTinyModel(page);
  await pictures(page, LINK);
  await page.evaluate(() => document.querySelectorAll("#controls details").forEach((part) => (part.open = true)));
  await page.locator("#theme").focus();
  const covered = [];
  for (let i = 0; i < 80; i += 1) {
    await page.keyboard.press("Tab");
    const at = await page.evaluate(() => {
      const element = document.activeElement;
      const bar = document.querySelector("#controls .actions");
      if (element === document.body || bar.contains(element)) return undefined;
      const box = element.getBoundingClientRect();
      return { id: element.id || element.textContent, under: box.bottom > bar.getBoundingClientRect().top + 1 };
    });
    if (at?.under) covered.push(at.id);
  }
  expect(covered).toEqual([]);
  await page.close();
});

for (const width of [1280, 820, 390]) {
  test(`no list cuts what is chosen in it, at ${width}`, async ({ page }) => {
    await useTinyModel(page);
    await page.setViewportSize({ width, height: 800 });
    await visit(page, link({ sampler: "langevin" }));
    for (const tongue of ["EN", "中文"]) {
      await page.getByRole("button", { name: tongue, exact: true }).click();
      const cut = await page.evaluate(async () => {
        const { catalogue } = await import(new URL("pkg/index.js", location.href).href);
        const select = document.getElementById("sampler");
        const context = new OffscreenCanvas(1, 1).getContext("2d");
        context.font = getComputedStyle(select).font;
        const room = select.clientWidth - parseFloat(getComputedStyle(select).paddingLeft) - 24; // the arrow
        return catalogue().samplers.filter(({ compat }) => !compat).map(({ name }) => name).filter((name) => context.measureText(name).width > room);
      });
      expect(cut).toEqual([]);
    }
  });
}
