/** The two languages have the same texts, and all that the page asks for. No browser is needed. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";

const www = path.join(root, "www");
const inFolder = (folder) => readdirSync(folder).filter((name) => /^(?!unnoise_|old_).*\.js$/.test(name)).map((name) => path.join(folder, name));
/** The page's own scripts. */
const scripts = [www, ...["lab", "history", "offline"].map((folder) => path.join(www, folder))].flatMap(inFolder);
const table = (language) => JSON.parse(readFileSync(path.join(www, "i18n", `${language}.json`), "utf8"));
const [en, zh] = [table("en"), table("zh")];
const placeholders = (text) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

test("both languages have the same keys and placeholders", () => {
  expect(Object.keys(zh)).toEqual(Object.keys(en));
  for (const key of Object.keys(en)) expect(placeholders(zh[key]), key).toEqual(placeholders(en[key]));
});

test("every key in the markup and the scripts has a text", () => {
  const sources = [path.join(root, "index.html"), ...scripts];
  const used = /data-i18n(?:-html|-label)?="([^"]+)"|(?:\bt|say|el|status|notice)\((?:[^"`()]*(?:\([^()]*\))?, ?)?"([a-z][\w.-]*)"/g;
  let count = 0;
  for (const file of sources) {
    for (const [, markup, script] of readFileSync(file, "utf8").matchAll(used)) {
      const key = markup ?? script;
      if (["div", "button", "details", "summary", "option", "p", "li", "code", "span", "a", "dl", "dt", "dd", "label", "input", "select", "figure", "figcaption", "canvas", "dialog", "header", "img", "section", "progress", "table", "textarea", "caption", "thead", "tbody", "tr", "ul", "h2", "h3", "th", "td", "i"].includes(key)) continue; // an element's name
      expect(en, `${path.basename(file)} asks for ${key}`).toHaveProperty([key]);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(60);
});

test("every error that the scripts can raise has a sentence", () => {
  const raised = /(?:new UnnoiseError\(|code: )"([\w-]+)"/g;
  for (const name of [...scripts, ...inFolder(path.join(root, "pkg"))]) {
    for (const [, code] of readFileSync(name, "utf8").matchAll(raised)) {
      const known = [`error.${code}`, `problem.${code}`].some((key) => key in en);
      expect(known, `${name} raises ${code}`).toBe(true);
    }
  }
});

/** The catalogue, as the page reads it. */
async function catalogueOf(page) {
  await page.goto(url);
  return page.evaluate(async () => {
    const { catalogue, init } = await import(new URL("pkg/index.js", location.href).href);
    await init();
    return catalogue();
  });
}

/** Every text that a row of the catalogue needs, by the key's first word. */
function asked({ samplers, schedules, settings }) {
  const knobs = new Map(samplers.flatMap((sampler) => sampler.knobs.map((knob) => [knob.key, knob])));
  const needs = new Set(samplers.flatMap((sampler) => sampler.knobs.map((knob) => knob.needs).filter(Boolean)));
  const typed = schedules.filter(({ values }) => values !== null);
  return {
    samplers: new Set(samplers.map(({ family }) => `samplers.${family}`)),
    sampler: new Set(samplers.map(({ id }) => `sampler.${id}`)),
    knob: new Set([...[...knobs.keys()].flatMap((key) => [`knob.${key}`, `knob.${key}.hint`]), ...[...needs].map((key) => `knob.idle.${key}`)]),
    schedule: new Set([
      ...schedules.flatMap(({ id }) => [`schedule.${id}`, `schedule.${id}.hint`]),
      ...typed.flatMap(({ id }) => [`schedule.${id}.values`, `schedule.${id}.format`]),
    ]),
    ...Object.fromEntries(settings.filter(({ options, key }) => options && !["sampler", "lang", "embed", "bench"].includes(key)).map(({ key, options }) => [key, new Set(options.map((id) => `${key}.${id}`))])),
  };
}

/** What the form says of samplers and the like in general, and what only the lab has. */
const GENERAL = [
  "samplers.theory",
  ...["sampler.order", "sampler.evaluations", "sampler.attempts", "sampler.exact", "sampler.noisy"],
  ...["schedule.refused", "clip.hint", "noise.hint", "preview.hint", "weighting.hint", "backend.workers", "backend.queue"],
];
const general = (key) => GENERAL.includes(key) || key.startsWith("backend.why.");

test("all that the catalogue has is explained, and nothing else", async ({ page }) => {
  for (const [word, wanted] of Object.entries(asked(await catalogueOf(page)))) {
    const there = Object.keys(en).filter((key) => key.startsWith(`${word}.`) && !general(key));
    expect(there.filter((key) => !wanted.has(key)), "texts that no row asks for").toEqual([]);
    expect([...wanted].filter((key) => !there.includes(key)), "rows without a text").toEqual([]);
  }
});

test("every row that the forms are made of has its name, and the lab no text besides", async ({ page }) => {
  const { settings, lab, samplers, lab_samplers, lab_theory } = await catalogueOf(page);
  const built = ({ shown, key }) => shown !== "own" && !["lang", "tour", "embed"].includes(key);
  expect(settings.filter(built).map(({ key }) => key).filter((key) => !(key in en))).toEqual([]);
  const own = ["train-steps", "view", "clock"]; // they have tools instead of fields
  const names = lab.filter((row) => built(row) && !own.includes(row.key) && row.key !== "backend").map(({ key }) => `lab.${key}`);
  expect(names.filter((key) => !(key in en))).toEqual([]);
  const options = lab.filter(({ options, key }) => options && !own.includes(key) && !["backend", "lang", "tour"].includes(key)).flatMap(({ key, options }) => options.map((id) => `lab.${key}.${id}`));
  expect(options.filter((key) => !(key in en))).toEqual([]);
  const families = [...samplers.map(({ family }) => family), "theory"].map((family) => `samplers.${family}`);
  expect(families.filter((key) => !(key in en))).toEqual([]);
  expect(lab_theory.every(({ id }) => lab_samplers.includes(id))).toBe(true);
  const source = [path.join(root, "index.html"), ...scripts].map((file) => readFileSync(file, "utf8")).join("");
  const composed = [...source.matchAll(/`(lab\.[\w-]+\.)\$\{/g)].map(([, start]) => start);
  const made = (key) => [...names, ...options].some((name) => key === name || key.startsWith(`${name}.`));
  const asks = (key) => source.includes(`"${key}"`) || composed.some((start) => key.startsWith(start)) || made(key);
  expect(Object.keys(en).filter((key) => key.startsWith("lab.") && !asks(key))).toEqual([]);
});

test("of one there is one, of others there are others", async ({ page }) => {
  await page.goto(url);
  const said = await page.evaluate(async () => {
    const { speak, t } = await import(new URL("www/strings.js", location.href).href);
    const both = [];
    for (const language of ["en", "zh"]) {
      await speak(language);
      for (const images of [1, 4]) both.push(t("done", { images, seconds: 2, backend: "CPU" }));
    }
    return both;
  });
  expect(said).toEqual(["Done: 1 image in 2 s on the CPU.", "Done: 4 images in 2 s on the CPU.", "完成：CPU 用 2 秒生成了 1 张图像。", "完成：CPU 用 2 秒生成了 4 张图像。"]);
});
