/** The two languages have the same texts, and all that the page asks for. No browser is needed. */

import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "@playwright/test";
import { root, url } from "./browser.js";

const www = path.join(root, "www");
/** The page's own scripts. */
const scripts = [www, path.join(www, "lab")].flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".js")).map((name) => path.join(folder, name)));
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
      if (["div", "button", "option", "p", "li", "code", "span", "a", "dt", "dd", "label", "input", "select", "figure", "ul", "h3", "th", "td", "i"].includes(key)) continue; // an element's name
      expect(en, `${path.basename(file)} asks for ${key}`).toHaveProperty([key]);
      count += 1;
    }
  }
  expect(count).toBeGreaterThan(60);
});

test("no text of the lab is left over", () => {
  const source = [path.join(root, "index.html"), ...scripts].map((file) => readFileSync(file, "utf8")).join("");
  const composed = [...source.matchAll(/`(lab\.[\w-]+\.)\$\{/g)].map(([, start]) => start);
  const rows = [...readFileSync(path.join(www, "lab/state.js"), "utf8").matchAll(/key: "([\w-]+)"/g)].map(([, key]) => `lab.${key}`);
  const asked = (key) => source.includes(`"${key}"`) || composed.some((start) => key.startsWith(start)) || rows.some((row) => key === row || key.startsWith(`${row}.`));
  expect(Object.keys(en).filter((key) => key.startsWith("lab.") && !asked(key))).toEqual([]);
});

test("every fault that the scripts can raise has a sentence", () => {
  for (const name of scripts) {
    const source = readFileSync(name, "utf8");
    for (const [, code] of source.matchAll(/(?:new Fault\(|code: )"([\w-]+)"/g)) {
      const known = [`error.${code}`, `problem.${code}`].some((key) => key in en);
      expect(known, `${name} raises ${code}`).toBe(true);
    }
  }
});

/** Every text that a row of the engine's catalogue needs, by the key's first word. */
function asked({ samplers, schedules, clips, noises }) {
  const knobs = new Set(samplers.flatMap((sampler) => sampler.knobs.map(({ id }) => id)));
  const typed = schedules.filter(({ values }) => values !== null);
  return {
    samplers: new Set(samplers.map(({ family }) => `samplers.${family}`)),
    sampler: new Set(samplers.map(({ id }) => `sampler.${id}`)),
    knob: new Set([...knobs].flatMap((id) => [`knob.${id}`, `knob.${id}.hint`])),
    schedule: new Set([
      ...schedules.flatMap(({ id }) => [`schedule.${id}`, `schedule.${id}.hint`]),
      ...typed.flatMap(({ id }) => [`schedule.${id}.values`, `schedule.${id}.format`]),
    ]),
    clip: new Set(clips.map((id) => `clip.${id}`)),
    noise: new Set(noises.map((id) => `noise.${id}`)),
  };
}

/** What the form says of samplers and the like in general, and what only the lab has. */
const GENERAL = [
  "samplers.theory",
  ...["sampler.order", "sampler.evaluations", "sampler.attempts", "sampler.exact", "sampler.noisy"],
  ...["knob.idle.churn", "knob.idle.eta", "schedule.refused", "clip.hint", "noise.hint"],
];

test("all that the engine's catalogue has is explained, and nothing else", async ({ page }) => {
  await page.goto(url);
  const catalogue = await page.evaluate(async () => {
    const engine = await import(new URL("pkg/unnoise_cpu.js", location.href).href);
    await engine.default();
    return JSON.parse(engine.catalogue());
  });
  for (const [word, wanted] of Object.entries(asked(catalogue))) {
    const there = Object.keys(en).filter((key) => key.startsWith(`${word}.`) && !GENERAL.includes(key));
    expect(there.filter((key) => !wanted.has(key)), "texts that no row asks for").toEqual([]);
    expect([...wanted].filter((key) => !there.includes(key)), "rows without a text").toEqual([]);
  }
});
