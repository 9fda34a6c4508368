/** The two languages have the same texts, and all that the page asks for. No browser is needed. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";

const www = path.join(root, "www");
const table = (language) => JSON.parse(readFileSync(path.join(www, "i18n", `${language}.json`), "utf8"));
const [en, zh] = [table("en"), table("zh")];
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("both languages have the same keys and placeholders", () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en));
  for (const key of Object.keys(en)) expect(placeholders(zh[key]), key).toEqual(placeholders(en[key]));
});

test("every key in the markup and the scripts has a text", () => {
  const sources = [path.join(root, "index.html"), ...readdirSync(www).filter((name) => name.endsWith(".js")).map((name) => path.join(www, name))];
  const used = /data-i18n(?:-html|-label)?="([^"]+)"|(?:\bt|say|el|status|notice)\((?:[^"`()]*(?:\([^()]*\))?, ?)?"([a-z][\w.-]*)"/g;
  let count = 0;
  for (const file of sources) {
    for (const [, markup, script] of readFileSync(file, "utf8").matchAll(used)) {
      const key = markup ?? script;
      if (["div", "button", "option", "p", "li", "code", "span", "a", "dt", "dd"].includes(key)) continue; // an element's name
      expect(en, `${path.basename(file)} asks for ${key}`).toHaveProperty([key]);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(60);
});

test("every fault that the scripts can raise has a sentence", () => {
  for (const name of readdirSync(www).filter((name) => name.endsWith(".js"))) {
    const source = readFileSync(path.join(www, name), "utf8");
    for (const [, code] of source.matchAll(/(?:new Fault\(|code: )"([\w-]+)"/g)) {
      const known = [`error.${code}`, `problem.${code}`].some((key) => key in en);
      expect(known, `${name} raises ${code}`).toBe(true);
    }
  }
});

test("every sampler and schedule of the engine is explained", async ({ page }) => {
  await page.goto(url);
  const catalogue = await page.evaluate(async () => {
    const engine = await import(new URL("pkg/unnoise_cpu.js", location.href).href);
    await engine.default();
    return JSON.parse(engine.catalogue());
  });
  for (const { id } of catalogue.samplers) expect(en, id).toHaveProperty([`sampler.${id}`]);
  for (const { id } of catalogue.schedules) for (const key of [`schedule.${id}`, `schedule.${id}.hint`]) expect(en).toHaveProperty([key]);
});
