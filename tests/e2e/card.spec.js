/** Model cards: Markdown made into elements, in the reader's language, and never into anything else. */

import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";
import { card, link, modelFiles, pictures, says, useModels, visit } from "./page.js";

const LINK = link({ images: 1 });
const dialog = (page) => page.locator("#card-dialog");

const README = `# A model

Words over
two lines, with \`code\`, **strength** and *stress*.

| | what |
| --- | ---: |
| parts | 1,200 |

- one
- two,
  and more of it

> A quotation.

    python -m something

## Limits

See [the data](../data.md), [a paper](https://arxiv.org/abs/2206.00364) or <https://example.org/x>. ![a sheet](samples.png)

## 中文简介

小模型。
只有两行。

## After

The end.
`;

/** Offers the tiny model with this card. */
async function offer(page, readme, more = {}) {
  const files = { ...modelFiles("models/selftest", card("Tiny", more)), ...(readme && { "README.md": Buffer.from(readme) }) };
  await useModels(page, { tiny: files });
  await pictures(page, LINK);
}

const open = (page) => page.locator("#model-card").click();

test("a card is shown as it is meant, under its own title", async ({ page }) => {
  await offer(page, README);
  await open(page);
  await expect(page.getByRole("dialog", { name: "A model" })).toBeVisible();
  const text = page.locator("#card-text");
  await expect(text.getByRole("heading", { level: 3 })).toHaveText(["Limits", "After"]);
  await expect(text.locator("p").first()).toHaveText("Words over two lines, with code, strength and stress.");
  for (const [tag, words] of [["p code", "code"], ["strong", "strength"], ["em", "stress"], ["blockquote", "A quotation."], ["pre", "python -m something"]]) await expect(text.locator(tag)).toHaveText(words);
  await expect(text.locator("li")).toHaveText(["one", "two, and more of it"]);
  await expect(text.locator("td")).toHaveText(["parts", "1,200"]);
  await expect(text.locator("td").nth(1)).toHaveClass("right");
  await expect(text.getByRole("link")).toHaveText(["the data", "a paper", "https://example.org/x"]);
  await expect(text.getByRole("link", { name: "the data" })).toHaveAttribute("href", new URL("models/data.md", url).href);
  await expect(text.getByRole("img", { name: "a sheet" })).toHaveAttribute("src", new URL("models/tiny/samples.png", url).href);
  await expect(text).not.toContainText("小模型");
  await page.keyboard.press("Escape");
  await expect(dialog(page)).toBeHidden();
  await expect(page.locator("#model-card")).toBeFocused();
});

test("in Chinese the Chinese part comes first, and the rest is folded", async ({ page }) => {
  await offer(page, README);
  await page.getByRole("button", { name: "中文" }).click();
  await open(page);
  const text = page.locator("#card-text");
  await expect(text.locator("p").first()).toHaveText("小模型。只有两行。");
  await expect(text.getByText("The end.")).toBeHidden();
  await page.getByText("完整说明（英文）").click();
  await expect(text.getByText("The end.")).toBeVisible();
  await expect(text.locator("[lang=en]")).toContainText("Words over");
});

test("a card without a Chinese part is shown as it is", async ({ page }) => {
  await offer(page, "No title, and one line.");
  await page.getByRole("button", { name: "中文" }).click();
  await open(page);
  await expect(page.getByRole("dialog", { name: /models\/tiny\/README\.md/ })).toContainText("No title, and one line.");
});

test("nothing in a card becomes a program, a form or a request to another host", async ({ page }) => {
  const asked = [];
  page.on("request", (request) => !request.url().startsWith(url) && !/^(data|blob):/.test(request.url()) && asked.push(request.url()));
  await offer(page, [
    "# Evil", "<script>window.caught = 1</script>", "<img src=x onerror='window.caught = 2'>",
    "[run](javascript:window.caught=3) [data](data:text/html,<script>window.caught=4</script>)",
    "![far](https://example.org/far.png) ![x](javascript:1)", "<!-- hidden --> `<b>code</b>` **<i>strong</i>**",
    "| <svg onload=window.caught=5> |", "| --- |", "| [cell](vbscript:x) |",
  ].join("\n\n"));
  await open(page);
  const text = page.locator("#card-text");
  await expect(text).toContainText("<script>window.caught = 1</script>");
  await expect(text).not.toContainText("hidden");
  await expect(text.locator("script, img, svg, b, i, form, iframe, a")).toHaveCount(0);
  expect(await page.evaluate(() => window.caught)).toBeUndefined();
  expect(asked).toEqual([]);
});

test("a model without a card for people offers none", async ({ page }) => {
  await offer(page, undefined);
  await expect(page.locator("#model-name")).toHaveText("Tiny");
  await expect(page.locator("#model-card")).toBeHidden();
});

test("a model that is described in one language is shown in both", async ({ page }) => {
  await offer(page, undefined, { name: { zh: "小" }, description: { en: "Random" }, classes: [{ en: "first" }, { zh: "第二" }] });
  await expect(page.locator("#model-name")).toHaveText("小");
  await expect(page.locator("#class option")).toHaveText(["all, in turn", "none (no label)", "first", "第二"]);
  await page.getByRole("button", { name: "中文" }).click();
  await expect(page.getByRole("option", { name: /小 Random/ })).toBeVisible();
});

test("every shipped model has a card in both languages, and nothing of it is left as Markdown", async ({ page }) => {
  const models = path.join(root, "models");
  const shipped = readdirSync(models).filter((id) => existsSync(path.join(models, id, "unnoise.json")));
  expect(shipped.length).toBeGreaterThanOrEqual(5);
  await visit(page, "#backend=cpu");
  await says(page, "ready");
  for (const id of shipped) {
    const text = readFileSync(path.join(models, id, "README.md"), "utf8");
    const seen = await page.evaluate(async (text) => {
      const { parts } = await import(new URL("www/card.js", location.href).href);
      const { render } = await import(new URL("www/markdown.js", location.href).href);
      const { title, english, chinese } = parts(text);
      const box = document.createElement("div");
      box.append(render(english, new URL(document.baseURI)), render(chinese ?? "", new URL(document.baseURI)));
      for (const code of box.querySelectorAll("pre, code")) code.remove();
      return { title, chinese, text: box.textContent };
    }, text);
    expect(seen.title, id).toBeTruthy();
    expect(seen.chinese, id).toMatch(/\p{Script=Han}{4}/u);
    expect(seen.text, id).not.toMatch(/\*\*|^#|\]\(|`|^\s*\|/m);
  }
});
